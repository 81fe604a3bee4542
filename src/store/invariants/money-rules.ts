import { type RawBuilder, sql } from 'kysely'
import { alive, ended, entries, generations, type InvariantRule, rows } from './invariant-rule.ts'

/** What a generation takes of the limits that it counts in. */
const spent = sql<number>`g."heldMicros" + coalesce(g."chargedMicros", 0)`

/** Added up once, not once an account: entries have no index by account. */
function sumOfEntries(column: 'amountMicros' | 'heldMicros'): RawBuilder<unknown> {
  return sql`(select e."accountId", sum(e.${sql.ref(column)}) as "micros" from "ledgerEntries" e group by e."accountId")`
}

function accountsApart(column: 'balanceMicros' | 'heldMicros', sums: RawBuilder<unknown>): RawBuilder<{ id: string }> {
  return sql`select a."id" as "id" from "accounts" a left join ${sums} s on s."accountId" = a."id"
    where a.${sql.ref(column)} <> coalesce(s."micros", 0)`
}

/** Likewise: generations have no index by key or token. */
function countersApart(kind: 'key' | 'token', day: RawBuilder<unknown>): RawBuilder<{ id: string }> {
  const caller = sql.ref(kind === 'key' ? 'g.apiKeyId' : 'g.tokenId')
  const sums = sql`(select ${caller} as "caller", ${day} as "day", sum(${spent}) as "micros" from "generations" g
    where ${caller} is not null group by 1, 2)`
  return sql`select c."scope" as "id" from "spendCounters" c
    left join ${sums} s on c."scope" = ${sql.lit(`${kind}:`)} || s."caller" and c."day" = s."day"
    where c."scope" like ${sql.lit(`${kind}:%`)} and c."spentMicros" <> coalesce(s."micros", 0)`
}

export const MONEY_RULES: readonly InvariantRule[] = [
  {
    rule: 'the balance of an account is the sum of its entries',
    breaches: accountsApart('balanceMicros', sumOfEntries('amountMicros')),
  },
  {
    rule: 'the open holds of an account are the sum of its entries',
    breaches: accountsApart('heldMicros', sumOfEntries('heldMicros')),
  },
  {
    rule: 'the balance of a prepaid account covers its open holds',
    breaches: sql`select a."id" as "id" from "accounts" a
      where a."billing" = 'PREPAID' and a."balanceMicros" - a."heldMicros" < 0`,
  },
  {
    rule: 'what an account has spent in its day is what it holds and was charged for that day',
    breaches: sql`select a."id" as "id" from "accounts" a where a."spentMicros" <> (
      select coalesce(sum(${spent}), 0) from "generations" g where g."accountId" = a."id" and g."spendDay" = a."spendDay")`,
  },
  {
    rule: 'what a key has spent in a day is what it holds and was charged for that day',
    breaches: countersApart('key', sql`g."spendDay"`),
  },
  {
    rule: 'what a token has spent is what it holds and was charged',
    breaches: countersApart('token', sql`0`),
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
