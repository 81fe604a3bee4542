import { createHash } from 'node:crypto'
import { pipeline } from 'node:stream/promises'
import type { BlobStorage } from '../storage/blob-storage.ts'
import type { Database } from '../store/database.ts'
import { createFoundIds } from './found-ids.ts'
import { isStillRecorded, listRecordedBlobs, type RecordedBlob } from './recorded-blobs.ts'

const RULES = {
  MISPLACED: 'bytes lie where their row belongs',
  MISSING: 'the bytes of images, inputs and uploads are in storage',
  CHANGED: 'the bytes of images, inputs and uploads are those that were recorded',
} as const

export type BlobFault = keyof typeof RULES

/** Bytes that rows need and that are not there, or not as they were recorded. */
export async function findLostBlobs(options: {
  readonly database: Database
  readonly storage: BlobStorage
  readonly quick: boolean
  readonly maxIds: number
}) {
  const { database, storage, quick, maxIds } = options
  const found = {
    MISPLACED: createFoundIds(maxIds),
    MISSING: createFoundIds(maxIds),
    CHANGED: createFoundIds(maxIds),
  }
  let checked = 0
  for await (const blob of listRecordedBlobs(database.read)) {
    checked += 1
    const fault = await findBlobFault(storage, blob, { quick })
    if (fault !== undefined && (await isStillRecorded(database.read, blob))) found[fault].add(blob.id)
  }
  const faults: readonly BlobFault[] = ['MISPLACED', 'MISSING', 'CHANGED']
  return { checked, breaches: faults.map((fault) => ({ rule: RULES[fault], ...found[fault].found() })) }
}

/** What is wrong with the bytes of a row; undefined: nothing. `quick` compares sizes alone. */
export async function findBlobFault(
  storage: BlobStorage,
  { key, sizeBytes, sha256, isInPlace }: RecordedBlob,
  { quick }: { readonly quick: boolean },
): Promise<BlobFault | undefined> {
  if (!isInPlace) return 'MISPLACED'
  const info = await storage.find(key)
  if (info === undefined) return 'MISSING'
  if (info.sizeBytes !== sizeBytes) return 'CHANGED'
  if (quick) return undefined
  const digest = await digestOf(storage, key)
  if (digest === undefined) return 'MISSING'
  return digest === sha256 ? undefined : 'CHANGED'
}

/** SHA-256 in hexadecimal, of a stream: a picture may be large. */
async function digestOf(storage: BlobStorage, key: string): Promise<string | undefined> {
  const blob = await storage.open(key)
  if (blob === undefined) return undefined
  const hash = createHash('sha256')
  await pipeline(blob.stream, hash)
  return hash.digest('hex')
}
