import { sql } from 'kysely'
import { dialectOf } from './dialect.ts'
import type { Db } from './handles.ts'

/** What SQLite finds wrong in the whole file, one line each; PostgreSQL looks after its own. `quick`: not its indexes. */
export async function findDamage(db: Db, { quick }: { readonly quick: boolean }): Promise<readonly string[]> {
  if (dialectOf(db) !== 'sqlite') return []
  const check = quick ? sql`pragma quick_check(10)` : sql`pragma integrity_check(10)`
  const { rows } = await sql<Record<string, string>>`${check}`.execute(db)
  return rows.flatMap((row) => Object.values(row)).filter((line) => line !== 'ok')
}

/** When the latest event was written, in milliseconds since 1970; null: none was. */
export async function findLatestTime(db: Db): Promise<number | null> {
  const row = await db.selectFrom('events').select('at').orderBy('position', 'desc').limit(1).executeTakeFirst()
  return row?.at ?? null
}
