import { sql } from 'kysely'
import type { Clock } from '../clock.ts'
import { dialectOf, listTableNames } from './dialect.ts'
import type { Db, Trx } from './handles.ts'
import type { Migration } from './migrations/migration.ts'
import { DatabaseRefusedError } from './store-errors.ts'

/**
 * Applies what is missing, one transaction for each migration and its row, so that a kill at any moment leaves a
 * database that the next start carries on from. Processes that start together take turns: each looks again for what
 * is missing when it holds the lock. Returns the names of those that this call applied.
 */
export async function migrate(options: {
  transact<T>(work: (trx: Trx) => Promise<T>): Promise<T>
  readonly migrations: readonly Migration[]
  readonly clock: Clock
  /** Called under the lock before a database that holds data is changed. */
  backUp?(nextName: string): void
}): Promise<readonly string[]> {
  const { transact, migrations, clock, backUp } = options
  const done: string[] = []
  for (;;) {
    const name = await transact(async (trx) => {
      await lockMigrations(trx)
      const applied = await findAppliedMigrations(trx, migrations)
      const next = migrations[applied.length]
      if (!next) return undefined
      if (applied.length > 0 && done.length === 0) backUp?.(next.name)
      await applyMigration(trx, next, clock)
      return next.name
    })
    if (name === undefined) return done
    done.push(name)
  }
}

/**
 * Names of the applied migrations, in order; none for an empty database. Throws a DatabaseRefusedError when the
 * database is not ours or newer than this program. Only reads.
 */
export async function findAppliedMigrations(
  db: Db | Trx,
  migrations: readonly Migration[],
): Promise<readonly string[]> {
  const tables = await listTableNames(db)
  if (tables.length === 0) return []
  if (!tables.includes('migrations')) {
    throw new DatabaseRefusedError(
      `The database holds tables that Pictor did not make (${tables.slice(0, 3).join(', ')}). Name an empty one.`,
    )
  }
  const { rows } = await sql<{ name: string }>`select "name" from "migrations" order by "name"`.execute(db)
  const applied = rows.map((row) => row.name)
  const stranger = applied.find((name, index) => name !== migrations[index]?.name)
  if (stranger === undefined) return applied
  throw new DatabaseRefusedError(
    `The database has the migration ${stranger}, which this version of Pictor does not know in that place: a newer ` +
      'version has written it. Run that version, or restore the copy that it made before.',
  )
}

/** For programs that use a database without changing its schema. */
export async function assertMigrated(db: Db, migrations: readonly Migration[]): Promise<void> {
  const applied = await findAppliedMigrations(db, migrations)
  const missing = migrations.slice(applied.length).map((migration) => migration.name)
  if (missing.length === 0) return
  throw new DatabaseRefusedError(
    `The database is older than this version of Pictor (missing: ${missing.join(', ')}). Start the server once: it ` +
      'brings the database up to date.',
  )
}

async function applyMigration(trx: Trx, migration: Migration, clock: Clock): Promise<void> {
  await sql`create table if not exists "migrations" ("name" text primary key, "appliedAt" bigint not null)`.execute(trx)
  await migration.up(trx, dialectOf(trx))
  await sql`insert into "migrations" ("name", "appliedAt") values (${migration.name}, ${clock.now()})`.execute(trx)
}

/** On SQLite the transaction itself is the lock. */
async function lockMigrations(trx: Trx): Promise<void> {
  if (dialectOf(trx) === 'sqlite') return
  await sql`select pg_advisory_xact_lock(hashtextextended('migrations ' || current_schema(), 0))`.execute(trx)
}
