import { type RawBuilder, sql } from 'kysely'

/** What must be true of the rows at any moment between two transactions. */
export type InvariantRule = {
  /** A plain sentence that holds where nothing is wrong. */
  readonly rule: string
  /** Finds what breaks the rule: the ids of the rows. */
  readonly breaches: RawBuilder<{ id: string }>
}

export const TERMINAL = sql`('COMPLETED', 'FAILED', 'CANCELED')`
/** Of the generation that a rule made by `generations` looks at. */
export const ended = sql`g."status" in ${TERMINAL}`
export const alive = sql`g."deletedAt" is null`

/** A rule that each generation keeps for itself: `breaks` is true of those that do not. */
export function generations(rule: string, breaks: RawBuilder<unknown>): InvariantRule {
  return { rule, breaches: sql<{ id: string }>`select g."id" as "id" from "generations" g where ${breaks}` }
}

/** Σ of a column over the generation's ledger entries. */
export function entries(column: 'amountMicros' | 'heldMicros', kind?: string): RawBuilder<number> {
  const ofKind = kind === undefined ? sql`` : sql` and e."kind" = ${kind}`
  return sql<number>`(select coalesce(sum(e.${sql.ref(column)}), 0) from "ledgerEntries" e where e."generationId" = g."id"${ofKind})`
}

/** How many rows of a table the generation has. */
export function rows(table: string, where: RawBuilder<unknown> = sql`1 = 1`): RawBuilder<number> {
  return sql<number>`(select count(*) from ${sql.table(table)} r where r."generationId" = g."id" and ${where})`
}
