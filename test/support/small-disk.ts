import { execFile } from 'node:child_process'
import { closeSync, openSync, writeSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A file system of its own, in memory, that a test can fill to the last byte or make read-only. */
export type SmallDisk = AsyncDisposable & {
  readonly path: string
  /** Leaves no room. */
  fill(): void
  /** Gives the room back. */
  free(): Promise<void>
  makeReadOnly(): Promise<void>
}

/** Rejects where this user may not mount one. */
export async function mountSmallDisk(megabytes: number): Promise<SmallDisk> {
  const path = await mkdtemp(join(tmpdir(), 'pictor-disk-'))
  const ballast = join(path, 'ballast')
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path])
  } catch (error) {
    await rm(path, { recursive: true })
    throw error
  }
  return {
    path,
    fill: () => writeUntilFull(ballast),
    free: () => rm(ballast),
    makeReadOnly: async () => void (await run('mount', ['-o', 'remount,ro', path])),
    async [Symbol.asyncDispose]() {
      await run('umount', [path])
      await rm(path, { recursive: true })
    },
  }
}

function writeUntilFull(path: string): void {
  const file = openSync(path, 'a')
  for (const size of [65_536, 4_096, 1]) {
    try {
      for (const bytes = Buffer.alloc(size); ; ) writeSync(file, bytes)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
    }
  }
  closeSync(file)
}
