import { sql } from 'kysely'
import type { Db } from './handles.ts'
import { EVENT_RULES } from './invariants/event-rules.ts'
import type { InvariantRule } from './invariants/invariant-rule.ts'
import { MONEY_RULES } from './invariants/money-rules.ts'
import { OUTCOME_RULES } from './invariants/outcome-rules.ts'
import { WORK_RULES } from './invariants/work-rules.ts'

export type { InvariantRule } from './invariants/invariant-rule.ts'

/** What must be true of the rows at any moment between two transactions. */
export const INVARIANT_RULES: readonly InvariantRule[] = [
  ...MONEY_RULES,
  ...OUTCOME_RULES,
  ...EVENT_RULES,
  ...WORK_RULES,
]

/** True while a server works, or when it has stopped by itself: after a kill, leases run out that nobody takes back. */
export function livingLeases(now: number): InvariantRule {
  return {
    rule: 'a claimed job has a living lease',
    breaches: sql`select j."generationId" as "id" from "jobs" j
      where j."leaseToken" is not null and (j."leaseExpiresAt" is null or j."leaseExpiresAt" < ${now})`,
  }
}

export type Breaches = { readonly count: number; readonly ids: readonly string[] }

/** All are counted; of their ids the first `limit` are told. */
export async function findBreaches(db: Db, { breaches }: InvariantRule, limit: number): Promise<Breaches> {
  const found = await sql<{ id: string }>`select "id" from (${breaches}) b limit ${limit + 1}`.execute(db)
  const ids = found.rows.map((row) => row.id)
  if (ids.length <= limit) return { count: ids.length, ids }
  const { rows } = await sql<{ count: number }>`select count(*) as "count" from (${breaches}) b`.execute(db)
  return { count: Number(rows[0]?.count ?? ids.length), ids: ids.slice(0, limit) }
}
