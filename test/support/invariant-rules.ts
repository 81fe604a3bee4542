import { type RawBuilder, sql } from 'kysely'

/** Finds what breaks the rule: the ids of the rows. */
export type InvariantRule = { readonly rule: string; readonly breaches: RawBuilder<{ id: string }> }

const TERMINAL = sql`('COMPLETED', 'FAILED', 'CANCELED')`
const ended = sql`g."status" in ${TERMINAL}`
const alive = sql`g."deletedAt" is null`

/** Σ of a column over a generation's ledger entries. */
function entries(column: 'amountMicros' | 'heldMicros', kind?: string): RawBuilder<number> {
  const ofKind = kind === undefined ? sql`` : sql` and e."kind" = ${kind}`
  return sql<number>`(select coalesce(sum(e.${sql.ref(column)}), 0) from "ledgerEntries" e where e."generationId" = g."id"${ofKind})`
}

function rows(table: string, where: RawBuilder<unknown> = sql`1 = 1`): RawBuilder<number> {
  return sql<number>`(select count(*) from ${sql.table(table)} r where r."generationId" = g."id" and ${where})`
}

function generations(rule: string, where: RawBuilder<unknown>): InvariantRule {
  return { rule, breaches: sql<{ id: string }>`select g."id" as "id" from "generations" g where ${where}` }
}

const MONEY: readonly InvariantRule[] = [
  {
    rule: 'the balance of an account is the sum of its entries',
    breaches: sql`select a."id" as "id" from "accounts" a where a."balanceMicros" <> (
      select coalesce(sum(e."amountMicros"), 0) from "ledgerEntries" e where e."accountId" = a."id")`,
  },
  {
    rule: 'the open holds of an account are the sum of its entries',
    breaches: sql`select a."id" as "id" from "accounts" a where a."heldMicros" <> (
      select coalesce(sum(e."heldMicros"), 0) from "ledgerEntries" e where e."accountId" = a."id")`,
  },
  {
    rule: 'the balance of a prepaid account covers its open holds',
    breaches: sql`select a."id" as "id" from "accounts" a
      where a."billing" = 'PREPAID' and a."balanceMicros" - a."heldMicros" < 0`,
  },
  {
    rule: 'what an account has spent in its day is what it holds and was charged for that day',
    breaches: sql`select a."id" as "id" from "accounts" a where a."spentMicros" <> (
      select coalesce(sum(g."heldMicros" + coalesce(g."chargedMicros", 0)), 0) from "generations" g
      where g."accountId" = a."id" and g."spendDay" = a."spendDay")`,
  },
  {
    rule: 'what a key has spent in a day is what it holds and was charged for that day',
    breaches: sql`select s."scope" as "id" from "spendCounters" s where s."scope" like 'key:%' and s."spentMicros" <> (
      select coalesce(sum(g."heldMicros" + coalesce(g."chargedMicros", 0)), 0) from "generations" g
      where 'key:' || g."apiKeyId" = s."scope" and g."spendDay" = s."day")`,
  },
  {
    rule: 'what a token has spent is what it holds and was charged',
    breaches: sql`select s."scope" as "id" from "spendCounters" s where s."scope" like 'token:%' and s."spentMicros" <> (
      select coalesce(sum(g."heldMicros" + coalesce(g."chargedMicros", 0)), 0) from "generations" g
      where 'token:' || g."tokenId" = s."scope")`,
  },
  {
    rule: 'an entry moves balance and holds as its kind does',
    breaches: sql`select e."id" as "id" from "ledgerEntries" e where not (
      (e."kind" = 'GRANT' and e."heldMicros" = 0) or
      (e."kind" = 'HOLD' and e."amountMicros" = 0 and e."heldMicros" >= 0) or
      (e."kind" = 'CAPTURE' and e."amountMicros" <= 0 and e."heldMicros" = e."amountMicros") or
      (e."kind" = 'RELEASE' and e."amountMicros" = 0 and e."heldMicros" < 0) or
      (e."kind" = 'REFUND' and e."amountMicros" > 0 and e."heldMicros" = 0))`,
  },
  generations('a generation has one hold', sql`${rows('ledgerEntries', sql`r."kind" = 'HOLD'`)} <> 1`),
  generations('a generation holds what its entries leave open', sql`g."heldMicros" <> ${entries('heldMicros')}`),
  generations('an ended generation holds nothing', sql`${ended} and g."heldMicros" <> 0`),
  generations(
    'no more is captured than was held',
    sql`-${entries('amountMicros', 'CAPTURE')} > ${entries('heldMicros', 'HOLD')}`,
  ),
  generations(
    'no more is held than the estimate that was shown, and nothing without one',
    sql`${entries('heldMicros', 'HOLD')} <> coalesce(g."estimateMaxMicros", 0)`,
  ),
  generations(
    'an ended generation was charged what was captured',
    sql`${ended} and (g."chargedMicros" is null or g."chargedMicros" <> -${entries('amountMicros', 'CAPTURE')})`,
  ),
  generations(
    'nothing is captured before the end',
    sql`not ${ended} and (g."chargedMicros" is not null or ${rows('ledgerEntries', sql`r."kind" = 'CAPTURE'`)} > 0)`,
  ),
  generations(
    'each image is captured once, and nothing else is',
    sql`${ended} and ${rows('ledgerEntries', sql`r."kind" = 'CAPTURE'`)} <> g."imageCount"`,
  ),
  generations(
    "what a key of the caller's own paid is charged to nobody",
    sql`g."keySource" <> 'SERVER' and coalesce(g."chargedMicros", 0) <> 0`,
  ),
  {
    rule: 'a capture is for an image that is there',
    breaches: sql`select e."id" as "id" from "ledgerEntries" e join "generations" g on g."id" = e."generationId"
      where e."kind" = 'CAPTURE' and ${alive} and not exists (
        select 1 from "images" i where i."generationId" = e."generationId" and i."imageIndex" = e."imageIndex")`,
  },
]

const OUTCOMES: readonly InvariantRule[] = [
  generations('the images that are counted are there', sql`${alive} and g."imageCount" <> ${rows('images')}`),
  generations('there are no more images than were asked for', sql`g."imageCount" > g."count"`),
  generations('what is completed has an image', sql`g."status" = 'COMPLETED' and g."imageCount" = 0`),
  generations('what failed or was canceled has none', sql`g."status" in ('FAILED', 'CANCELED') and g."imageCount" > 0`),
  generations('what waits has no image', sql`g."status" = 'QUEUED' and g."imageCount" > 0`),
  generations('what ended has an end', sql`(g."finishedAt" is not null) <> (${ended})`),
  generations('what failed says why', sql`${alive} and (g."error" is not null) <> (g."status" = 'FAILED')`),
  generations(
    'what is missing is explained',
    sql`${alive} and ${ended} and g."imageCount" < g."count" and g."problems" = '[]'`,
  ),
  generations(
    'what is deleted keeps nothing that the client wrote or got',
    sql`g."deletedAt" is not null and (g."prompt" <> '' or g."metadata" is not null or not ${ended} or
      ${rows('images')} + ${rows('events')} + ${rows('generationTags')} > 0)`,
  ),
]

const EVENTS: readonly InvariantRule[] = [
  generations(
    'events count from 1 without a gap up to the sequence of their generation',
    sql`${alive} and (${rows('events')} <> g."sequence" or
      (select min(v."sequence") from "events" v where v."generationId" = g."id") <> 1 or
      (select max(v."sequence") from "events" v where v."generationId" = g."id") <> g."sequence")`,
  ),
  generations(
    'the last event tells the status',
    sql`${alive} and g."status" <> (
      select v."status" from "events" v where v."generationId" = g."id" and v."sequence" = g."sequence")`,
  ),
  generations(
    'an ended generation has one terminal event, and any other none',
    sql`${alive} and ${rows('events', sql`r."kind" in ${TERMINAL}`)} <> case when ${ended} then 1 else 0 end`,
  ),
  generations(
    'each image is told of once',
    sql`${alive} and ${rows('events', sql`r."kind" = 'IMAGE_READY'`)} <> g."imageCount"`,
  ),
  {
    rule: 'an event begins where the one before it ended',
    breaches: sql`select v."generationId" as "id" from "events" v
      left join "events" b on b."generationId" = v."generationId" and b."sequence" = v."sequence" - 1
      where coalesce(v."previousStatus", '') <> coalesce(b."status", '')`,
  },
  {
    rule: 'an event that tells of an image names one that is there',
    breaches: sql`select v."generationId" as "id" from "events" v where v."kind" = 'IMAGE_READY' and not exists (
      select 1 from "images" i where i."id" = v."imageId" and i."generationId" = v."generationId")`,
  },
]

const WORK: readonly InvariantRule[] = [
  generations(
    'what waits has a job that nobody has claimed',
    sql`g."status" = 'QUEUED' and ${rows('jobs', sql`r."leaseToken" is null`)} <> 1`,
  ),
  generations('what runs has a job', sql`g."status" = 'RUNNING' and ${rows('jobs')} <> 1`),
  generations('what ended has no job', sql`${ended} and ${rows('jobs')} > 0`),
  {
    rule: 'a job has a generation',
    breaches: sql`select j."generationId" as "id" from "jobs" j
      where not exists (select 1 from "generations" g where g."id" = j."generationId")`,
  },
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
    breaches: sql`select k."key" as "id" from "idempotencyKeys" k
      where not exists (select 1 from "generations" g where g."id" = k."generationId")`,
  },
]

export const INVARIANT_RULES: readonly InvariantRule[] = [...MONEY, ...OUTCOMES, ...EVENTS, ...WORK]

export function livingLeases(now: number): InvariantRule {
  return {
    rule: 'a claimed job has a living lease',
    breaches: sql`select j."generationId" as "id" from "jobs" j
      where j."leaseToken" is not null and (j."leaseExpiresAt" is null or j."leaseExpiresAt" < ${now})`,
  }
}
