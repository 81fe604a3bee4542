import { type Clock, createSystemClock } from '../clock.ts'
import type { Logger } from '../logger.ts'
import type { Database } from './handles.ts'
import { MIGRATIONS } from './migrations/index.ts'
import type { Migration } from './migrations/migration.ts'
import { openPostgresDatabase } from './postgres-database.ts'
import { openSqliteDatabase } from './sqlite-database.ts'
import { DatabaseRefusedError } from './store-errors.ts'

export type { Database, Db, DialectName, Trx } from './handles.ts'

export type OpenDatabaseOptions = {
  /** `sqlite:<path>`, `sqlite::memory:` or `postgres://…`; the latter takes `?schema=<name>`. */
  readonly url: string
  readonly logger?: Logger
  readonly clock?: Clock
  /** Bring the schema up to date (default), or refuse a database that is not. */
  readonly migrate?: boolean
  /** One server process at a time on a SQLite file; PostgreSQL is made for several. Default: not exclusive. */
  readonly exclusive?: boolean
  /** Refuse a SQLite file that is missing instead of making one. */
  readonly mustExist?: boolean
  /** Steps of the schema; those of this version by default. */
  readonly migrations?: readonly Migration[]
  /** How long one transaction may take before it counts as stuck. */
  readonly transactionLimitMs?: number
}

/** Rejects with a DatabaseRefusedError, and changes nothing, when the database is not one that this version can use. */
export async function openDatabase(options: OpenDatabaseOptions): Promise<Database> {
  const { url, logger } = options
  const common = {
    logger,
    clock: options.clock ?? createSystemClock(),
    migrations: options.migrations ?? MIGRATIONS,
    migrate: options.migrate ?? true,
    transactionLimitMs: options.transactionLimitMs ?? 10_000,
  }
  if (url.startsWith('sqlite:')) {
    const { exclusive = false, mustExist = false } = options
    const path = url.slice('sqlite:'.length).trim()
    if (path === '') throw new DatabaseRefusedError('DATABASE_URL names no file: write sqlite:<path>.')
    return openSqliteDatabase({ ...common, path, exclusive, mustExist })
  }
  if (/^postgres(ql)?:\/\//.test(url)) return openPostgresDatabase({ ...common, url })
  throw new DatabaseRefusedError('DATABASE_URL is neither sqlite:<path> nor postgres://…')
}
