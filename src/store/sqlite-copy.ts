import SqliteConnection from 'better-sqlite3'
import type { Database } from './handles.ts'
import { MIGRATIONS } from './migrations/index.ts'
import { findAppliedMigrations } from './migrator.ts'
import { createSqliteSession } from './sqlite-executor.ts'
import { copyInto, openReader } from './sqlite-file.ts'
import { DatabaseRefusedError } from './store-errors.ts'

/** Copies a database as it is at this moment into a file that must not be there, also while a server works on it. */
export function copySqliteFile(source: string, target: string): void {
  const connection = openReader(source)
  try {
    copyInto(connection, target)
  } finally {
    connection.close()
  }
}

/** After the last write to a copy: all of it is then in the one file, which can be read where nothing can be written. */
export function sealSqliteFile(path: string): void {
  const connection = new SqliteConnection(path, { fileMustExist: true })
  try {
    connection.pragma('journal_mode = delete')
  } finally {
    connection.close()
  }
}

export type SqliteCopy = Pick<Database, 'read' | 'snapshot'> & {
  /** Name of the last migration that it has seen. */
  readonly migration: string
  close(): void
}

/** A sealed copy, to be read: nobody else writes to it. Rejects with a DatabaseRefusedError where it is damaged or not ours. */
export async function openSqliteCopy(path: string): Promise<SqliteCopy> {
  const connection = openReader(path)
  const { db } = createSqliteSession(connection)
  try {
    const findings = connection.pragma('integrity_check(1)', { simple: true })
    if (findings !== 'ok') throw new DatabaseRefusedError(`${path} is damaged: ${findings}`)
    const applied = await findAppliedMigrations(db, MIGRATIONS)
    const migration = applied.at(-1)
    if (migration === undefined) throw new DatabaseRefusedError(`${path} is an empty database.`)
    return { read: db, migration, snapshot: (look) => look(db), close: () => connection.close() }
  } catch (error) {
    connection.close()
    throw error
  }
}
