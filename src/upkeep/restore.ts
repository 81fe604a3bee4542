import { createHash } from 'node:crypto'
import { copyFile, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { BlobStorage } from '../storage/blob-storage.ts'
import { createLocalStorage } from '../storage/local-storage.ts'
import { countGenerations } from '../store/blob-store.ts'
import { openSqliteCopy, type SqliteCopy, sealSqliteFile } from '../store/sqlite-copy.ts'
import {
  BackupError,
  digestOfFile,
  IMAGES_FOLDER,
  type Manifest,
  readManifest,
  SECRET_FILE,
  syncFolder,
  writePrivateFile,
} from './backup-folder.ts'
import { findBlobFault } from './lost-blobs.ts'
import { listRecordedBlobs } from './recorded-blobs.ts'

/** Where a backup goes to. */
export type RestoreTarget = {
  /** Empty, or not there yet. */
  readonly dataDir: string
  readonly databasePath: string
  /** What lies in it already is taken for what its name says, and is not written again. */
  readonly images: BlobStorage
  /** Where that is a folder of its own, empty or not there yet. null: a bucket, which may hold these pictures and others. */
  readonly imagesDirectory: string | null
}

export type RestoreOptions = {
  readonly folder: string
  readonly target: RestoreTarget
  /** Brings the copied database up to date and makes of it what is to be; how many generations it ended. */
  readonly settle: (path: string, manifest: Manifest) => Promise<number>
  readonly onStep?: (step: string) => void
}

export type RestoreResult = { readonly manifest: Manifest; readonly ended: number }

const NAMED = 5

/**
 * Checks every byte of the backup before it writes anything, and puts the database in its place last of all: what is
 * cut off leaves nothing that a server would take for whole. Rejects with a BackupError.
 */
export async function restore(options: RestoreOptions): Promise<RestoreResult> {
  const { folder, target, onStep = () => undefined } = options
  await assertEmpty(target)
  const manifest = await readManifest(folder)
  const images = createLocalStorage({ directory: join(folder, IMAGES_FOLDER) })
  const source = join(folder, manifest.database.file)
  onStep('Checking the backup')
  await checkDatabaseFile(source, manifest)
  await checkSecret(folder, manifest)
  const copy = await openSqliteCopy(source)
  try {
    await checkPictures(copy, images, manifest)
    onStep('Copying pictures')
    const ended = await write(options, manifest, copy, images).catch(async (error: unknown) => {
      await clear(target)
      throw error
    })
    return { manifest, ended }
  } finally {
    copy.close()
  }
}

async function write(
  { folder, target, settle, onStep = () => undefined }: RestoreOptions,
  manifest: Manifest,
  copy: SqliteCopy,
  images: BlobStorage,
): Promise<number> {
  const { dataDir, databasePath } = target
  for (const path of [dataDir, dirname(databasePath), ...foldersOf(target)])
    await mkdir(path, { recursive: true, mode: 0o700 })
  await writePictures(target.images, manifest, copy, images)
  if (manifest.secretSha256 !== null) {
    await writePrivateFile(join(dataDir, SECRET_FILE), await readFile(join(folder, SECRET_FILE)))
  }
  onStep('Copying the database')
  const unfinished = `${databasePath}.unfinished`
  await writePrivateFile(unfinished, '')
  await copyFile(join(folder, manifest.database.file), unfinished)
  const ended = await settle(unfinished, manifest)
  sealSqliteFile(unfinished)
  await removeBeside(unfinished)
  await rename(unfinished, databasePath)
  await syncFolder(dirname(databasePath))
  return ended
}

async function writePictures(
  target: BlobStorage,
  manifest: Manifest,
  copy: SqliteCopy,
  images: BlobStorage,
): Promise<void> {
  const lost = new Set(manifest.lost)
  for await (const { key, sizeBytes } of listRecordedBlobs(copy.read)) {
    if (lost.has(key) || (await target.find(key))?.sizeBytes === sizeBytes) continue
    const bytes = await images.get(key)
    if (bytes) await target.put(key, bytes)
  }
}

function foldersOf({ imagesDirectory }: RestoreTarget): readonly string[] {
  return imagesDirectory === null ? [] : [imagesDirectory]
}

/** All of it was empty before: what is there now is half of a restored one. What is in a bucket may be more, and stays. */
async function clear(target: RestoreTarget): Promise<void> {
  const { dataDir, databasePath } = target
  const paths = [...foldersOf(target), join(dataDir, SECRET_FILE), `${databasePath}.unfinished`]
  for (const path of paths) await rm(path, { recursive: true, force: true }).catch(() => undefined)
  await removeBeside(`${databasePath}.unfinished`).catch(() => undefined)
}

/** The lock, and the copy from before a migration: both of a name that is no more. */
async function removeBeside(path: string): Promise<void> {
  for (const name of await readdir(dirname(path))) {
    if (name.startsWith(`${basename(path)}.`)) await rm(join(dirname(path), name), { force: true })
  }
}

async function assertEmpty(target: RestoreTarget): Promise<void> {
  const { dataDir, databasePath } = target
  for (const path of [dataDir, ...foldersOf(target)]) {
    const names = await orNothing(readdir(path), [])
    if (names.length === 0) continue
    throw new BackupError(
      `${path} is not empty (${names.slice(0, 3).join(', ')}). Restore into a new place: name one in PICTOR_DATA_DIR, or move this one away.`,
    )
  }
  if (await orNothing(stat(databasePath), undefined)) {
    throw new BackupError(
      `There is a database at ${databasePath} already. Move it away, or name another in DATABASE_URL.`,
    )
  }
}

async function orNothing<T>(result: Promise<T>, nothing: T): Promise<T> {
  return result.catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return nothing
    throw error
  })
}

async function checkDatabaseFile(path: string, { database }: Manifest): Promise<void> {
  const stats = await orNothing(stat(path), undefined)
  if (stats === undefined) throw damaged(`${database.file} is missing`)
  if (stats.size !== database.sizeBytes || (await digestOfFile(path)) !== database.sha256) {
    throw damaged(`${database.file} is not what was written`)
  }
}

async function checkSecret(folder: string, { secretSha256 }: Manifest): Promise<void> {
  if (secretSha256 === null) return
  const secret = await orNothing(readFile(join(folder, SECRET_FILE)), undefined)
  if (secret === undefined) throw damaged(`${SECRET_FILE} is missing`)
  if (createHash('sha256').update(secret).digest('hex') !== secretSha256) throw damaged(`${SECRET_FILE} was changed`)
}

async function checkPictures(copy: SqliteCopy, images: BlobStorage, manifest: Manifest): Promise<void> {
  const lost = new Set(manifest.lost)
  const faults: string[] = []
  let pictures = 0
  for await (const blob of listRecordedBlobs(copy.read)) {
    pictures += 1
    if (lost.has(blob.key)) continue
    if (await findBlobFault(images, blob, { quick: false })) faults.push(blob.key)
  }
  if (faults.length > 0) {
    const more = faults.length > NAMED ? `, and ${faults.length - NAMED} more` : ''
    throw damaged(`of its pictures, these are missing or changed: ${faults.slice(0, NAMED).join(', ')}${more}`)
  }
  const generations = await countGenerations(copy.read)
  if (pictures !== manifest.pictures || generations !== manifest.generations) {
    throw damaged('its manifest does not belong to its database')
  }
}

function damaged(what: string): BackupError {
  return new BackupError(`The backup is damaged: ${what}. Nothing was restored.`)
}
