import { randomUUID } from 'node:crypto'
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** No write takes this long, so what is older was left by a crash. Younger files may be another process's write. */
const LEFTOVER_AGE_MS = 60 * 60 * 1000

/** Makes the directory and sweeps what crashes left. */
export async function prepareWorkDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 })
  await sweepWorkDirectory(path)
}

async function readNames(path: string): Promise<readonly string[]> {
  return readdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
}

/** Returns how many it took away. Ages are told by the file system's own clock, which all sharers see. */
export async function sweepWorkDirectory(path: string): Promise<number> {
  const names = await readNames(path)
  if (names.length === 0) return 0
  const probePath = join(path, randomUUID())
  await writeFile(probePath, '', { flag: 'wx', mode: 0o600 })
  const nowMs = (await stat(probePath)).mtimeMs
  await rm(probePath)
  let removed = 0
  for (const name of names) {
    const entryPath = join(path, name)
    const stats = await stat(entryPath).catch(() => undefined)
    if (!stats || nowMs - stats.mtimeMs <= LEFTOVER_AGE_MS) continue
    await rm(entryPath, { recursive: true, force: true })
    removed += 1
  }
  return removed
}
