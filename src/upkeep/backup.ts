import { createHash } from 'node:crypto'
import { readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { BlobStorage } from '../storage/blob-storage.ts'
import { createLocalStorage } from '../storage/local-storage.ts'
import { countGenerations } from '../store/blob-store.ts'
import type { Database } from '../store/database.ts'
import { openSqliteCopy, sealSqliteFile } from '../store/sqlite-copy.ts'
import {
  BackupError,
  digestOfFile,
  IMAGES_FOLDER,
  lockBackupFolder,
  type Manifest,
  prepareBackupFolder,
  removeOtherCopies,
  SECRET_FILE,
  writeManifest,
  writePrivateFile,
} from './backup-folder.ts'
import { isStillRecorded, listRecordedBlobs, type RecordedBlob } from './recorded-blobs.ts'
import { listClaims } from './stray-blobs.ts'

export type BackupOptions = {
  readonly folder: string
  /** What is copied, and the server may be working on. */
  readonly database: Database
  readonly storage: BlobStorage
  /** Copies that database into a new file, as it is at one moment. */
  readonly copyDatabase: (path: string) => void
  readonly openCopy: (path: string) => Promise<Database>
  /** The row of these bytes was deleted since, and its owner with it: in the copy too. */
  readonly forget: (copy: Database, blob: RecordedBlob) => Promise<void>
  /** null: there is none in a file. */
  readonly secretFile: string | null
  readonly pictorVersion: string
  readonly now: number
  readonly onStep?: (step: string) => void
}

export type BackupResult = Manifest & { readonly copied: number; readonly kept: number }

/** More than these, and the storage is more likely not there than damaged. */
const MAX_LOST = 1_000

/**
 * The database first, as it is at one moment, and then the bytes that it names: they were there before their rows. What is
 * deleted while they are copied is deleted in the copy too, so that each of its rows has its bytes, and nothing deleted
 * comes back. The manifest is written last: until then the earlier backup in the same folder holds, whatever happens.
 */
export async function backUp(options: BackupOptions): Promise<BackupResult> {
  await prepareBackupFolder(options.folder)
  const unlock = lockBackupFolder(options.folder)
  try {
    return await write(options)
  } finally {
    unlock()
  }
}

async function write(options: BackupOptions): Promise<BackupResult> {
  const { folder, database, pictorVersion, now, onStep = () => undefined } = options
  onStep('Copying the database')
  const file = `pictor-${new Date(now).toISOString().toLowerCase().replaceAll(/[:.]/g, '-')}.db`
  const path = join(folder, file)
  options.copyDatabase(path)
  const images = createLocalStorage({ directory: join(folder, IMAGES_FOLDER) })
  const copy = await options.openCopy(path)
  const bytes = await copyBytes(options, copy, images).finally(() => copy.close())
  sealSqliteFile(path)
  onStep('Finishing')
  const secretSha256 = await copySecret(options)
  const sealed = await openSqliteCopy(path)
  try {
    const facts = { sizeBytes: (await stat(path)).size, sha256: await digestOfFile(path), migration: sealed.migration }
    const { lost, pictures, pictureBytes } = bytes
    const generations = await countGenerations(sealed.read)
    const about = { pictorVersion, createdAt: new Date(now).toISOString(), secretSha256, generations }
    const manifest = { ...about, database: { file, ...facts }, pictures, pictureBytes, lost }
    await writeManifest(folder, manifest)
    await removeOtherCopies(folder, file)
    if (secretSha256 === null) await rm(join(folder, SECRET_FILE), { force: true })
    await removeOthers(sealed, images)
    return { format: 1, ...manifest, copied: bytes.copied, kept: bytes.kept }
  } finally {
    sealed.close()
  }

  async function copySecret({ secretFile }: BackupOptions): Promise<string | null> {
    if (secretFile === null) return null
    const secret = await readFile(secretFile)
    await writePrivateFile(join(folder, SECRET_FILE), secret)
    return createHash('sha256').update(secret).digest('hex')
  }

  async function copyBytes(given: BackupOptions, to: Database, target: BlobStorage) {
    const sum = { copied: 0, kept: 0, pictures: 0, pictureBytes: 0, lost: [] as string[] }
    for await (const blob of listRecordedBlobs(to.read)) {
      const outcome = await copyBlob(given, blob, target)
      if (outcome === 'GONE' && (await isStillRecorded(database.read, blob))) sum.lost.push(blob.key)
      else if (outcome === 'GONE') await given.forget(to, blob)
      else sum[outcome] += 1
      if (sum.lost.length > MAX_LOST) throw tooManyLost()
      if ((sum.copied + sum.kept) % 100 === 0) onStep(`Copying pictures: ${sum.copied + sum.kept}`)
    }
    // Counted anew: what was forgotten may have been copied before.
    for await (const blob of listRecordedBlobs(to.read)) {
      sum.pictures += 1
      sum.pictureBytes += blob.sizeBytes
    }
    return sum
  }
}

function tooManyLost(): BackupError {
  return new BackupError(
    `The bytes of more than ${MAX_LOST} pictures are not in storage. Is STORAGE_URL the right one? \`pictor verify\` tells more.`,
  )
}

/** What is there with the same size is there: its name is its digest. */
async function copyBlob(
  { storage }: BackupOptions,
  { key, sizeBytes, sha256, isInPlace }: RecordedBlob,
  target: BlobStorage,
): Promise<'copied' | 'kept' | 'GONE'> {
  if (!isInPlace) return 'GONE'
  if ((await target.find(key))?.sizeBytes === sizeBytes) return 'kept'
  const bytes = await storage.get(key)
  if (bytes === undefined || createHash('sha256').update(bytes).digest('hex') !== sha256) return 'GONE'
  await target.put(key, bytes)
  return 'copied'
}

/** Pictures of earlier backups that this one does without: deleted is deleted. */
async function removeOthers(copy: Pick<Database, 'snapshot'>, images: BlobStorage): Promise<void> {
  for await (const batch of listClaims(copy, images)) {
    for (const { blob, claim } of batch) if (claim !== 'NEEDED' && claim !== 'FOREIGN') await images.delete(blob.key)
  }
}
