import { type Expression, PostgresAdapter, type RawBuilder, type SelectQueryBuilder, sql } from 'kysely'
import type { Db, DialectName, Trx } from './handles.ts'
import type { Tables } from './tables.ts'

/** The few places where the databases differ; everything else is written once. */

export function dialectOf(db: Db | Trx): DialectName {
  return db.getExecutor().adapter instanceof PostgresAdapter ? 'postgres' : 'sqlite'
}

/** Locks the selected rows and passes over those that another transaction holds. SQLite has one writer: none is held. */
export function skipLocked<TB extends keyof Tables, O>(
  query: SelectQueryBuilder<Tables, TB, O>,
  dialect: DialectName,
): SelectQueryBuilder<Tables, TB, O> {
  return dialect === 'postgres' ? query.forUpdate().skipLocked() : query
}

/** Holds the selected rows until the end of the transaction. SQLite's one writer holds everything already. */
export function lockRows<TB extends keyof Tables, O>(
  query: SelectQueryBuilder<Tables, TB, O>,
  dialect: DialectName,
): SelectQueryBuilder<Tables, TB, O> {
  return dialect === 'postgres' ? query.forUpdate() : query
}

/** The larger of two numbers, neither null: `max` and `greatest` have no common name. */
export function greatest(a: Expression<number> | number, b: Expression<number> | number): RawBuilder<number> {
  return sql<number>`case when ${a} > ${b} then ${a} else ${b} end`
}

/**
 * Makes the positions of one account's events come in the order of commits, so that a reader of the feed never passes
 * a position that appears later. PostgreSQL numbers rows before they commit, hence a lock until the end of the
 * transaction, to be taken before the first event is written; SQLite has one writer.
 */
export async function lockAccountFeed(trx: Trx, accountId: string): Promise<void> {
  if (dialectOf(trx) === 'sqlite') return
  await sql`select pg_advisory_xact_lock(hashtextextended(${`feed ${accountId}`}, 0))`.execute(trx)
}

/** On PostgreSQL the transaction cannot go on after it: prefer `on conflict do nothing` where that is meant. */
export function isUniqueViolation(error: unknown): boolean {
  return error instanceof Error && 'code' in error && UNIQUE_VIOLATIONS.has(error.code)
}

const UNIQUE_VIOLATIONS: ReadonlySet<unknown> = new Set([
  'SQLITE_CONSTRAINT_UNIQUE',
  'SQLITE_CONSTRAINT_PRIMARYKEY',
  '23505',
])

/** Tables of the database, or of the schema that comes first in PostgreSQL's search path. */
export async function listTableNames(db: Db | Trx): Promise<readonly string[]> {
  const query =
    dialectOf(db) === 'postgres'
      ? sql<{
          name: string
        }>`select table_name as "name" from information_schema.tables where table_schema = current_schema()`
      : sql<{
          name: string
        }>`select name from sqlite_schema where type = 'table' and name not like 'sqlite\\_%' escape '\\'`
  const { rows } = await query.execute(db)
  return rows.map((row) => row.name)
}
