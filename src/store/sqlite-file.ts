import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import SqliteConnection from 'better-sqlite3'
import { DatabaseRefusedError } from './store-errors.ts'

/** Up to this size a start reads the whole file for damage; beyond it that would take seconds, so only the schema. */
const QUICK_CHECK_BYTES = 64 * 1024 * 1024
const OPENING_TIMEOUT_MS = 5_000

/** Whether there is a database with something in it. A file of no bytes is an empty database to SQLite. */
export function holdsDatabase(path: string): boolean {
  return existsSync(path) && statSync(path).size > 0
}

/** Refuses where what lies beside says that there was a database: an empty one in its place would bury the rest. */
export function assertNotLost(path: string): void {
  if (holdsDatabase(path)) return
  const traces = [`${path}-wal`].filter(holdsDatabase)
  // A server makes the file before it locks it.
  if (!existsSync(path)) traces.push(...[`${path}.lock`].filter(existsSync))
  if (traces.length === 0) return
  throw new DatabaseRefusedError(
    `${path} is gone: ${traces.join(' and ')} beside it shows that there was a database. Nothing was made in its place. ` +
      'Restore a copy, or move what is left away to start anew.',
  )
}

/** Only the owner may read it: it holds prompts and hashes of keys. SQLite gives the files beside it the same mode. */
export function createPrivateFile(path: string): void {
  if (existsSync(path)) return
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if (!existsSync(path)) throw error
  }
}

/** A connection that cannot write. Refuses what is no SQLite database or is damaged, and leaves such a file as it is. */
export function openReader(path: string): SqliteConnection.Database {
  const connection = new SqliteConnection(path, { readonly: true, fileMustExist: true, timeout: OPENING_TIMEOUT_MS })
  try {
    connection.pragma('schema_version')
    const findings =
      statSync(path).size <= QUICK_CHECK_BYTES ? connection.pragma('quick_check(1)', { simple: true }) : 'ok'
    if (findings !== 'ok') throw new Error(String(findings))
    return connection
  } catch (cause) {
    connection.close()
    // A log is kept beside the file even for reading: where that cannot be, nothing is said of the file itself.
    if (cause instanceof SqliteConnection.SqliteError && /^SQLITE_(CANTOPEN|READONLY)/.test(cause.code))
      throw explainUnwritable(path, cause)
    throw new DatabaseRefusedError(
      `${path} is damaged or is no SQLite database (${cause instanceof Error ? cause.message : cause}). It was left ` +
        'as it is. Restore a copy, or move the file away to start anew.',
      { cause },
    )
  }
}

/** @param busyTimeoutMs how long a statement may block the process for another one's lock */
export function openWriter(path: string, busyTimeoutMs: number): SqliteConnection.Database {
  const connection = new SqliteConnection(path, { fileMustExist: true, timeout: OPENING_TIMEOUT_MS })
  try {
    connection.pragma('journal_mode = wal')
    connection.pragma('synchronous = full')
    connection.pragma('foreign_keys = on')
    // 32 MB: hot pages are then written back once for many commits. A quarter of the time of a commit at the default.
    connection.pragma('wal_autocheckpoint = 8000')
    connection.pragma('journal_size_limit = 67108864')
    connection.pragma(`busy_timeout = ${busyTimeoutMs}`)
    return connection
  } catch (cause) {
    connection.close()
    throw isBusy(cause) ? cause : explainUnwritable(path, cause)
  }
}

export function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_BUSY')
}

export function explainUnwritable(path: string, cause: unknown): DatabaseRefusedError {
  return new DatabaseRefusedError(
    `${path} cannot be written (${cause instanceof Error ? cause.message : cause}). Give this user the right to write it ` +
      'and the directory that it is in, and see that the disk is neither full nor mounted read-only.',
    { cause },
  )
}

/** Copies what is committed to `<path>.before-<name>`; a copy of that name appears whole or not at all. */
export function backUpFile(connection: SqliteConnection.Database, path: string, name: string): string {
  const target = `${path}.before-${name}`
  const unfinished = `${target}.unfinished`
  rmSync(unfinished, { force: true })
  copyInto(connection, unfinished)
  renameSync(unfinished, target)
  return target
}

/** What is committed at this moment, also while others write, without what was deleted. */
export function copyInto(connection: SqliteConnection.Database, target: string): void {
  createPrivateFile(target)
  connection.prepare('vacuum into ?').run(target)
  syncFile(target)
}

/** Not for a database that is open: closing any descriptor of a file drops the process's locks on it. */
function syncFile(path: string): void {
  const descriptor = openSync(path, 'r+')
  fsyncSync(descriptor)
  closeSync(descriptor)
}
