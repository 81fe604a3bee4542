import { sql } from 'kysely'
import { dialectOf } from './dialect.ts'
import type { Db } from './handles.ts'

/** What SQLite finds wrong in the whole file, one line each; PostgreSQL looks after its own. */
export async function findDamage(db: Db): Promise<readonly string[]> {
  if (dialectOf(db) !== 'sqlite') return []
  const { rows } = await sql<{ quick_check: string }>`pragma quick_check(10)`.execute(db)
  return rows.map((row) => row.quick_check).filter((line) => line !== 'ok')
}

/** When the latest event was written, in milliseconds since 1970; null: none was. */
export async function findLatestTime(db: Db): Promise<number | null> {
  const row = await db.selectFrom('events').select('at').orderBy('position', 'desc').limit(1).executeTakeFirst()
  return row?.at ?? null
}
