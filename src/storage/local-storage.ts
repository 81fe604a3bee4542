import { randomUUID } from 'node:crypto'
import type { Stats } from 'node:fs'
import { mkdir, open, opendir, readFile, rename, rm, rmdir, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import {
  assertBlobKey,
  assertBlobPrefix,
  type BlobInfo,
  type BlobStorage,
  type ByteRange,
  isBlobKeySegment,
  type OpenBlob,
} from './blob-storage.ts'
import { prepareWorkDirectory, sweepWorkDirectory } from './local-work-directory.ts'

const DIRECTORY_MODE = 0o700
const FILE_MODE = 0o600
const CHUNK_BYTES = 256 * 1024

/**
 * Blobs as files of one directory, readable by this user alone. Several processes may share it. Work in progress lies in
 * `.tmp` of the same directory, which no key can name; what a crash left there is swept before the first write.
 */
export function createLocalStorage(deps: { directory: string }): BlobStorage {
  const root = resolve(deps.directory)
  const workDirectory = join(root, '.tmp')
  let preparation: Promise<void> | undefined
  const prepare = () => {
    preparation ??= prepareWorkDirectory(workDirectory).catch((error: unknown) => {
      preparation = undefined
      throw error
    })
    return preparation
  }
  const pathOf = (key: string) => {
    assertBlobKey(key)
    return join(root, key)
  }
  const put = async (key: string, bytes: Uint8Array) => {
    const path = pathOf(key)
    await prepare()
    await writeWhole({ root, path, bytes, temporaryPath: join(workDirectory, randomUUID()) })
  }
  const remove = async (key: string) => {
    const path = pathOf(key)
    await rm(path, { force: true })
    await removeEmptyParents(root, path)
    await syncDirectories(root, dirname(path))
  }
  return {
    put,
    get: async (key) => orAbsent(readFile(pathOf(key))),
    open: async (key, range) => openFile(pathOf(key), range),
    find: async (key) => infoOf(key, await orAbsent(stat(pathOf(key)))),
    has: async (key) => (await orAbsent(stat(pathOf(key))))?.isFile() ?? false,
    delete: remove,
    deletePrefix: async (prefix) => {
      assertBlobPrefix(prefix)
      await prepare()
      await removeDirectory({ root, path: join(root, prefix), workDirectory })
    },
    list: async function* (prefix) {
      if (prefix !== '') assertBlobPrefix(prefix)
      yield* listFiles(root, prefix)
    },
    removeLeftovers: () => sweepWorkDirectory(workDirectory),
    check: async () => {
      const key = `check-${randomUUID()}`
      await put(key, Buffer.from('writable'))
      await remove(key)
    },
  }
}

async function writeWhole(file: {
  root: string
  path: string
  bytes: Uint8Array
  temporaryPath: string
}): Promise<void> {
  try {
    await writeDurably(file.temporaryPath, file.bytes)
    await moveIntoPlace(file.temporaryPath, file.path)
    await syncDirectories(file.root, dirname(file.path))
  } catch (error) {
    await rm(file.temporaryPath, { force: true })
    throw error
  }
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, 'wx', FILE_MODE)
  try {
    await handle.writeFile(bytes)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** A deletion may take the empty parent away between `mkdir` and `rename`; each turn of the loop needs another such deletion. */
async function moveIntoPlace(temporaryPath: string, path: string): Promise<void> {
  const parent = dirname(path)
  for (let turn = 1; ; turn += 1) {
    try {
      // It fails too where the folder goes in the midst of it.
      await mkdir(parent, { recursive: true, mode: DIRECTORY_MODE })
      return await rename(temporaryPath, path)
    } catch (error) {
      if (!isAbsence(error) || turn === 100) throw error
    }
  }
}

/**
 * A name survives a power cut only once its directory is on disk, and so on up to the root. All of them, each time: a
 * folder that was there may have been made a moment ago by a write that has not come to its own sync.
 */
async function syncDirectories(root: string, deepest: string): Promise<void> {
  for (let path = deepest; ; path = dirname(path)) {
    const handle = await orAbsent(open(path, 'r'))
    await handle?.sync().finally(() => handle.close())
    if (path === root) return
  }
}

/** Moved out of sight in one step, so that no reader sees half a folder and a crash leaves the rest to the sweep. */
async function removeDirectory(folder: { root: string; path: string; workDirectory: string }): Promise<void> {
  const doomedPath = join(folder.workDirectory, randomUUID())
  const moved = await orAbsent(rename(folder.path, doomedPath).then(() => true))
  if (!moved) return
  await removeEmptyParents(folder.root, folder.path)
  await syncDirectories(folder.root, dirname(folder.path))
  // A write that had found the folder before it was moved may still come into it.
  await rm(doomedPath, { recursive: true, force: true, maxRetries: 5, retryDelay: 10 })
}

async function removeEmptyParents(root: string, path: string): Promise<void> {
  for (let parent = dirname(path); parent !== root; parent = dirname(parent)) {
    const removed = await rmdir(parent).then(
      () => true,
      () => false,
    )
    if (!removed) return
  }
}

async function openFile(path: string, range: ByteRange | undefined): Promise<OpenBlob | undefined> {
  const handle = await orAbsent(open(path, 'r'))
  if (!handle) return undefined
  try {
    const stats = await handle.stat()
    if (stats.isFile()) {
      return { sizeBytes: stats.size, stream: handle.createReadStream({ ...range, highWaterMark: CHUNK_BYTES }) }
    }
  } catch (error) {
    await handle.close()
    throw error
  }
  await handle.close()
  return undefined
}

async function* listFiles(root: string, prefix: string): AsyncGenerator<BlobInfo> {
  const directory = await orAbsent(opendir(join(root, prefix)))
  if (!directory) return
  for await (const entry of directory) {
    if (!isBlobKeySegment(entry.name)) continue
    const key = `${prefix}${entry.name}`
    if (entry.isDirectory()) yield* listFiles(root, `${key}/`)
    const info = entry.isFile() ? infoOf(key, await orAbsent(stat(join(root, key)))) : undefined
    if (info) yield info
  }
}

/** A copy may keep the time of its original, but not when it came here. */
function infoOf(key: string, stats: Stats | undefined): BlobInfo | undefined {
  if (!stats?.isFile()) return undefined
  return { key, sizeBytes: stats.size, modifiedAt: Math.floor(Math.max(stats.mtimeMs, stats.ctimeMs)) }
}

/** A folder read as a blob (EISDIR) and a blob walked through as a folder (ENOTDIR) are blobs that are not there. */
async function orAbsent<T>(result: Promise<T>): Promise<T | undefined> {
  return result.catch((error: unknown) => {
    if (isAbsence(error)) return undefined
    throw error
  })
}

function isAbsence(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ['ENOENT', 'ENOTDIR', 'EISDIR'].includes(String(error.code))
}
