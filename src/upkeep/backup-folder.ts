import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { chmod, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { z } from 'zod'
import { lockDatabaseFile } from '../store/sqlite-lock.ts'
import { DatabaseInUseError } from '../store/store-errors.ts'

/** What lies in a backup beside the copy of the database, which the manifest names. */
export const MANIFEST_FILE = 'manifest.json'
export const SECRET_FILE = 'secret'
export const IMAGES_FOLDER = 'images'
const OURS = [
  /^manifest\.json$/,
  /^secret$/,
  /^images$/,
  /^pictor-[0-9tz-]+\.db(-journal|-wal|-shm)?$/,
  /^unfinished-[a-z.]+$/,
  /^backup\.lock$/,
]

const DIRECTORY_MODE = 0o700
const FILE_MODE = 0o600
const FORMAT = 1

const digest = z.string().regex(/^[0-9a-f]{64}$/)
const count = z.number().int().nonnegative()

const Manifest = z.object({
  format: z.literal(FORMAT),
  pictorVersion: z.string(),
  createdAt: z.iso.datetime(),
  database: z.object({
    file: z.string().regex(/^pictor-[0-9tz-]+\.db$/),
    sizeBytes: count,
    sha256: digest,
    migration: z.string(),
  }),
  /** null: the secret is not part of it. */
  secretSha256: digest.nullable(),
  generations: count,
  pictures: count,
  pictureBytes: count,
  /** Keys of pictures that the database knows and whose bytes were gone or damaged already. */
  lost: z.array(z.string()),
})

export type Manifest = z.output<typeof Manifest>

/** What is wrong with a folder that should hold a backup, or is to hold one: told to whoever named it. */
export class BackupError extends Error {
  override readonly name = 'BackupError'
}

/** Rejects with a BackupError where there is none, or none that this version can read. */
export async function readManifest(folder: string): Promise<Manifest> {
  const text = await readFile(join(folder, MANIFEST_FILE), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT')
      throw new BackupError(`${folder} holds no finished backup: there is no ${MANIFEST_FILE} in it.`)
    throw error
  })
  const parsed = Manifest.safeParse(parseJson(text))
  if (parsed.success) return parsed.data
  throw new BackupError(`${MANIFEST_FILE} in ${folder} is damaged, or was written by a newer version of Pictor.`)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export async function writeManifest(folder: string, manifest: Omit<Manifest, 'format'>): Promise<void> {
  const text = JSON.stringify({ format: FORMAT, ...manifest } satisfies Manifest, null, 2)
  await writePrivateFile(join(folder, MANIFEST_FILE), `${text}\n`)
}

/** Makes the folder, or takes one that holds nothing but an earlier backup. */
export async function prepareBackupFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: DIRECTORY_MODE })
  const strangers = (await readdir(folder)).filter((name) => !OURS.some((form) => form.test(name)))
  if (strangers.length === 0) return chmod(folder, DIRECTORY_MODE)
  throw new BackupError(
    `${folder} holds something else than a backup (${strangers.slice(0, 3).join(', ')}). Name a folder that is empty, or that holds an earlier backup.`,
  )
}

/** One backup at a time writes into a folder; gives back what lets the next one in. */
export function lockBackupFolder(folder: string): () => void {
  try {
    return lockDatabaseFile(join(folder, 'backup'))
  } catch (cause) {
    if (!(cause instanceof DatabaseInUseError)) throw cause
    throw new BackupError(`Another backup is being written into ${folder}.`, { cause })
  }
}

/** Copies of the database that the manifest does not name: of earlier backups, and of those that came to no end. */
export async function removeOtherCopies(folder: string, file: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (/^(pictor-.*\.db|unfinished-)/.test(name) && name !== file) await rm(join(folder, name), { force: true })
  }
}

/** Whole or not at all, for its owner alone, and on disk when it resolves. */
export async function writePrivateFile(path: string, contents: string | Uint8Array): Promise<void> {
  const temporary = join(dirname(path), `unfinished-${path.slice(dirname(path).length + 1)}`)
  await rm(temporary, { force: true })
  const file = await open(temporary, 'wx', FILE_MODE)
  try {
    await file.writeFile(contents)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
  await syncFolder(dirname(path))
}

export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  await folder.sync().finally(() => folder.close())
}

/** SHA-256 in hexadecimal. */
export async function digestOfFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}
