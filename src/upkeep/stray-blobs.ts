import type { BlobInfo, BlobStorage } from '../storage/blob-storage.ts'
import type { Database } from '../store/database.ts'
import { type BlobClaim, findBlobClaims } from './blob-claims.ts'
import { createFoundIds } from './found-ids.ts'

/** Looked up together. */
const BATCH = 500

export type ClaimedBlob = { readonly blob: BlobInfo; readonly claim: BlobClaim }

/** Everything in storage, with how the rows stand to it, batch by batch. */
export async function* listClaims(
  database: Pick<Database, 'snapshot'>,
  storage: BlobStorage,
): AsyncGenerator<readonly ClaimedBlob[]> {
  let batch: BlobInfo[] = []
  for await (const blob of storage.list('')) {
    batch.push(blob)
    if (batch.length < BATCH) continue
    yield await claimsOn(database, batch)
    batch = []
  }
  if (batch.length > 0) yield await claimsOn(database, batch)
}

async function claimsOn(
  database: Pick<Database, 'snapshot'>,
  blobs: readonly BlobInfo[],
): Promise<readonly ClaimedBlob[]> {
  const claims = await findBlobClaims(
    database,
    blobs.map(({ key }) => key),
  )
  return blobs.map((blob) => ({ blob, claim: claims.get(blob.key) ?? 'FOREIGN' }))
}

/** Bytes that no row needs, by key. */
export async function countStrays(options: {
  readonly database: Pick<Database, 'snapshot'>
  readonly storage: BlobStorage
  readonly maxIds: number
}) {
  const { database, storage, maxIds } = options
  const ownerless = createFoundIds(maxIds)
  const leftOver = createFoundIds(maxIds)
  const foreign = createFoundIds(maxIds)
  let checked = 0
  for await (const batch of listClaims(database, storage)) {
    checked += batch.length
    for (const { blob, claim } of batch) {
      if (claim === 'FOREIGN') foreign.add(blob.key)
      if (claim === 'LEFT_OVER') leftOver.add(blob.key)
      // A deletion that came to its end since the listing has taken the bytes with it.
      if (claim === 'OWNERLESS' && (await storage.has(blob.key))) ownerless.add(blob.key)
    }
  }
  return { checked, ownerless: ownerless.found(), leftOver: leftOver.found(), foreign: foreign.found() }
}
