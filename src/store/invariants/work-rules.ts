import { sql } from 'kysely'
import { ended, generations, type InvariantRule, rows } from './invariant-rule.ts'

export const WORK_RULES: readonly InvariantRule[] = [
  generations(
    'what waits has a job that nobody has claimed',
    sql`g."status" = 'QUEUED' and ${rows('jobs', sql`r."leaseToken" is null`)} <> 1`,
  ),
  generations('what runs has a job', sql`g."status" = 'RUNNING' and ${rows('jobs')} <> 1`),
  generations('what ended has no job', sql`${ended} and ${rows('jobs')} > 0`),
  generations('what ended keeps no key of its caller', sql`${ended} and ${rows('generationSecrets')} > 0`),
  generations(
    'what is to be paid by a key that came with it has that key',
    sql`not ${ended} and g."keySource" = 'REQUEST' and ${rows('generationSecrets')} <> 1`,
  ),
  generations('only what runs has a fence', sql`(g."attemptToken" is not null) <> (g."status" = 'RUNNING')`),
  generations(
    'what runs has one open attempt, and any other none',
    sql`${rows('attempts', sql`r."outcome" is null`)} <> case when g."status" = 'RUNNING' then 1 else 0 end`,
  ),
  generations(
    'attempts count from 1 without a gap',
    sql`${rows('attempts')} <> (select coalesce(max(t."number"), 0) from "attempts" t where t."generationId" = g."id")`,
  ),
  generations('what was attempted has a start', sql`(g."startedAt" is not null) <> (${rows('attempts')} > 0)`),
  {
    rule: 'an attempt has an end when it has an outcome',
    breaches: sql`select t."id" as "id" from "attempts" t where (t."finishedAt" is null) <> (t."outcome" is null)`,
  },
  {
    rule: 'an idempotency key leads to a generation',
    breaches: sql`select k."generationId" as "id" from "idempotencyKeys" k
      where not exists (select 1 from "generations" g where g."id" = k."generationId")`,
  },
  ...['jobs', 'attempts', 'images', 'events', 'generationTags', 'generationSecrets', 'webhookDeliveries'].map(
    ownerless,
  ),
]

function ownerless(table: string): InvariantRule {
  return {
    rule: `a row of ${table} has a generation`,
    breaches: sql`select distinct r."generationId" as "id" from ${sql.table(table)} r
      where not exists (select 1 from "generations" g where g."id" = r."generationId")`,
  }
}
