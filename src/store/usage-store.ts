import { type Kysely, sql } from 'kysely'
import type { Ownership } from './generation-store.ts'
import type { GenerationRow, Tables } from './tables.ts'

export type UsageColumn = 'day' | 'model' | 'provider' | 'tag' | 'endUser'
export type UsageRow = { key: string; generations: number; images: number; failed: number; chargedMicros: number }

const DAY_MS = 86_400_000

/** By the time of asking, deleted generations included: the money's trace stays (under '' where a tag went with them). */
export async function listUsage(
  db: Kysely<Tables>,
  owner: Ownership,
  query: { from: number; to: number; by: UsageColumn },
): Promise<UsageRow[]> {
  const key = keyOf(query.by)
  let select = db
    .selectFrom('generations')
    .$if(
      query.by === 'tag',
      (join) => join.leftJoin('generationTags', 'generationTags.generationId', 'generations.id') as never,
    )
    .select([
      key.as('key'),
      sql<number>`count(*)`.as('generations'),
      sql<number>`sum(${sql.ref('generations.imageCount')})`.as('images'),
      sql<number>`sum(case when ${sql.ref('generations.status')} = 'FAILED' then 1 else 0 end)`.as('failed'),
      sql<number>`sum(coalesce(${sql.ref('generations.chargedMicros')}, 0))`.as('chargedMicros'),
    ])
    .where('generations.accountId', '=', owner.accountId)
    .where('generations.createdAt', '>=', query.from)
    .where('generations.createdAt', '<', query.to)
  if (owner.endUser !== null) select = select.where('generations.endUser', '=', owner.endUser)
  const rows = await select.groupBy(key).orderBy(key).execute()
  return rows.map((row) => ({
    key: query.by === 'day' ? new Date(Number(row.key) * DAY_MS).toISOString().slice(0, 10) : String(row.key),
    generations: Number(row.generations),
    images: Number(row.images),
    failed: Number(row.failed),
    chargedMicros: Number(row.chargedMicros),
  }))
}

function keyOf(by: UsageColumn) {
  switch (by) {
    case 'day':
      return sql<number | string>`${sql.ref('generations.createdAt')} / ${sql.lit(DAY_MS)}`
    case 'model':
      return sql<number | string>`${sql.ref('generations.model')}`
    case 'provider':
      return sql<number | string>`${sql.ref('generations.provider')}`
    case 'tag':
      return sql<number | string>`coalesce(${sql.ref('generationTags.tag')}, '')`
    case 'endUser':
      return sql<number | string>`coalesce(${sql.ref('generations.endUser')}, '')`
  }
}

export type RecentRun = Pick<GenerationRow, 'status' | 'keySource' | 'error' | 'startedAt' | 'finishedAt'>

/** The latest finished runs of a model, newest first: what waits and success rates are computed from. */
export async function listRecentRuns(db: Kysely<Tables>, model: string, limit: number): Promise<RecentRun[]> {
  return db
    .selectFrom('generations')
    .select(['status', 'keySource', 'error', 'startedAt', 'finishedAt'])
    .where('model', '=', model)
    .where('finishedAt', 'is not', null)
    .orderBy('finishedAt', 'desc')
    .limit(limit)
    .execute()
}
