import { type Dialect, Kysely, PostgresDialect, sql } from 'kysely'
import type { Clock } from '../clock.ts'
import type { Logger } from '../logger.ts'
import type { Database, Db, Trx } from './handles.ts'
import type { Migration } from './migrations/migration.ts'
import { assertMigrated, migrate } from './migrator.ts'
import { assertParameters } from './parameters.ts'
import { createPostgresPool } from './postgres-pool.ts'
import { createPostgresTransactor } from './postgres-transactor.ts'
import type { Tables } from './tables.ts'

export type PostgresOptions = {
  readonly url: string
  readonly clock: Clock
  readonly logger: Logger | undefined
  readonly migrations: readonly Migration[]
  readonly migrate: boolean
  readonly transactionLimitMs: number
}

export async function openPostgresDatabase(options: PostgresOptions): Promise<Database> {
  const { clock, migrations, transactionLimitMs: limitMs, logger } = options
  const db = new Kysely<Tables>({ dialect: createDialect(options.url, limitMs, logger) })
  const transactor = createPostgresTransactor({ db, clock, limitMs })
  try {
    if (options.migrate) await migrate({ transact: withoutTimeLimits(db), migrations, clock })
    await assertMigrated(db, migrations)
  } catch (error) {
    await db.destroy()
    throw error
  }
  let closing: Promise<void> | undefined
  return {
    dialect: 'postgres',
    read: db,
    transact: transactor.transact,
    snapshot: (look) => lookAtOneMoment(db, look),
    check: () => check(db),
    close() {
      // The pool never serves whoever still waits for a connection when it ends.
      closing ??= transactor.close().then(() => db.destroy())
      return closing
    },
  }
}

function createDialect(url: string, limitMs: number, logger: Logger | undefined): Dialect {
  const dialect = new PostgresDialect({ pool: createPostgresPool(url, limitMs, logger) })
  return {
    createAdapter: () => dialect.createAdapter(),
    createDriver: () => dialect.createDriver(),
    createIntrospector: (db) => dialect.createIntrospector(db),
    createQueryCompiler() {
      const compiler = dialect.createQueryCompiler()
      return { compileQuery: (node, queryId) => assertParameters(compiler.compileQuery(node, queryId)) }
    },
  }
}

/** Building an index on a large table takes as long as it takes. */
function withoutTimeLimits(db: Db) {
  return <T>(work: (trx: Trx) => Promise<T>): Promise<T> =>
    db.transaction().execute(async (trx) => {
      await sql`set local statement_timeout = 0`.execute(trx)
      return work(trx)
    })
}

function lookAtOneMoment<T>(db: Db, look: (db: Db) => Promise<T>): Promise<T> {
  const transaction = db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only')
  return transaction.execute(async (trx) => {
    await sql`set local statement_timeout = 0`.execute(trx)
    await sql`set local idle_in_transaction_session_timeout = 0`.execute(trx)
    return look(trx)
  })
}

/** A standby answers reads and refuses writes, so the server is asked which it is. */
async function check(db: Db): Promise<void> {
  await sql`select 1 from "migrations"`.execute(db)
  const { rows } = await sql<{
    readOnly: string
  }>`select current_setting('transaction_read_only') as "readOnly"`.execute(db)
  if (rows[0]?.readOnly !== 'off') throw new Error('The database can be read but not written.')
}
