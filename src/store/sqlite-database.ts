import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import SqliteConnection from 'better-sqlite3'
import { sql } from 'kysely'
import type { Clock } from '../clock.ts'
import type { Logger } from '../logger.ts'
import type { Database, Db } from './handles.ts'
import type { Migration } from './migrations/migration.ts'
import { assertMigrated, findAppliedMigrations, migrate } from './migrator.ts'
import { createSqliteSession } from './sqlite-executor.ts'
import { assertNotLost, backUpFile, createPrivateFile, holdsDatabase, openReader, openWriter } from './sqlite-file.ts'
import { lockDatabaseFile } from './sqlite-lock.ts'
import { createPlaceCheck } from './sqlite-place.ts'
import { createSqliteWriter } from './sqlite-writer.ts'
import { DatabaseRefusedError } from './store-errors.ts'

/** Short, because it blocks the whole process; the writer waits longer without blocking. */
const BUSY_TIMEOUT_MS = 20

export type SqliteOptions = {
  /** `:memory:` is a file in a private temporary directory, gone after `close`: two connections cannot share memory. */
  readonly path: string
  readonly clock: Clock
  readonly logger: Logger | undefined
  readonly migrations: readonly Migration[]
  readonly migrate: boolean
  readonly exclusive: boolean
  readonly mustExist: boolean
  readonly transactionLimitMs: number
}

export async function openSqliteDatabase(options: SqliteOptions): Promise<Database> {
  const held: SqliteHoldings = {}
  try {
    const path = resolvePath(options.path, held)
    if (options.mustExist && !holdsDatabase(path)) throw new DatabaseRefusedError(`There is no database at ${path}.`)
    assertNotLost(path)
    createPrivateFile(path)
    if (options.exclusive) held.unlock = lockDatabaseFile(path)
    const { reader, writer } = await openConnections(path, options.migrations, held)
    return await createSqliteDatabase({ ...options, path }, reader, writer, () => release(held))
  } catch (error) {
    release(held)
    throw error
  }
}

/** What is given back at the end, or when opening fails half-way. */
type SqliteHoldings = {
  directory?: string
  unlock?: () => void
  reader?: SqliteConnection.Database
  writer?: SqliteConnection.Database
}

function release({ directory, unlock, reader, writer }: SqliteHoldings): void {
  // The writer last: only a connection that can write folds the log back into the file and removes it.
  reader?.close()
  writer?.close()
  unlock?.()
  if (directory) rmSync(directory, { recursive: true, force: true })
}

function resolvePath(path: string, held: SqliteHoldings): string {
  if (path !== ':memory:') return resolve(path)
  held.directory = mkdtempSync(join(tmpdir(), 'pictor-'))
  return join(held.directory, 'pictor.db')
}

/** A file with something in it is judged by a connection that cannot write before one is opened that can. */
async function openConnections(path: string, migrations: readonly Migration[], held: SqliteHoldings) {
  if (holdsDatabase(path)) {
    held.reader = openReader(path)
    await findAppliedMigrations(createSqliteSession(held.reader).db, migrations)
  }
  const writer = openWriter(path, BUSY_TIMEOUT_MS)
  held.writer = writer
  const reader = held.reader ?? openReader(path)
  held.reader = reader
  return { reader, writer }
}

async function createSqliteDatabase(
  options: SqliteOptions,
  reader: SqliteConnection.Database,
  connection: SqliteConnection.Database,
  releaseAll: () => void,
): Promise<Database> {
  const { path, clock, logger, migrations, transactionLimitMs: limitMs } = options
  const read = createSqliteSession(reader).db
  const { transact, close } = createSqliteWriter({ connection, clock, limitMs, assertInPlace: createPlaceCheck(path) })
  if (options.migrate) {
    const backUp = (name: string) => {
      const copy = backUpFile(reader, path, name)
      logger?.info({ copy }, 'copied the database before changing its schema')
    }
    await migrate({ transact, migrations, clock, backUp })
  }
  await assertMigrated(read, migrations)
  return {
    dialect: 'sqlite',
    read,
    transact,
    snapshot: (look) => lookAtOneMoment(path, look),
    async check() {
      await sql`select 1 from "migrations"`.execute(read)
      // Writes a page, so that a full disk or a lost mount shows; the number itself means nothing.
      await transact((trx) => sql`pragma user_version = 1`.execute(trx))
    },
    async close() {
      await close()
      releaseAll()
    },
  }
}

/** On a connection of its own: what `read` is asked meanwhile must see what is new. */
async function lookAtOneMoment<T>(path: string, look: (db: Db) => Promise<T>): Promise<T> {
  const connection = new SqliteConnection(path, { readonly: true, fileMustExist: true })
  try {
    connection.exec('begin')
    return await look(createSqliteSession(connection).db)
  } finally {
    connection.close()
  }
}
