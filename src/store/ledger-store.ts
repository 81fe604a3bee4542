import { type Kysely, sql, type Transaction } from 'kysely'
import { createCompiledQuery } from './compiled-query.ts'
import type { LedgerEntryRow, Tables } from './tables.ts'

export async function insertLedgerEntries(trx: Transaction<Tables>, entries: readonly LedgerEntryRow[]): Promise<void> {
  for (const entry of entries) await insertEntry(trx, entry)
}

const insertEntry = createCompiledQuery((db, _, row: LedgerEntryRow) => db.insertInto('ledgerEntries').values(row))

export async function listEntriesOfGeneration(db: Kysely<Tables>, generationId: string): Promise<LedgerEntryRow[]> {
  return db.selectFrom('ledgerEntries').selectAll().where('generationId', '=', generationId).orderBy('id').execute()
}

/** What the guard of a hold lets through or not; the reason is looked up only when it does not. */
export type HoldGuard = { accountId: string; amountMicros: number; day: number }

/**
 * Holds in one statement, so that a hundred requests at once with credit for one are accepted once: the balance (of a
 * prepaid account) and the day's cap are part of the `where`. False when either does not cover the amount.
 */
export async function holdOnAccount(trx: Transaction<Tables>, hold: HoldGuard): Promise<boolean> {
  return (await holdGuarded(trx, hold)).changedRows === 1
}

const holdGuarded = createCompiledQuery<HoldGuard, unknown>((db, value) => {
  const amount = value('amountMicros')
  const spent = sql<number>`case when ${sql.ref('spendDay')} = ${value('day')} then ${sql.ref('spentMicros')} else 0 end`
  const free = sql<number>`${sql.ref('balanceMicros')} - ${sql.ref('heldMicros')}`
  return db
    .updateTable('accounts')
    .set((eb) => ({
      heldMicros: eb('heldMicros', '+', amount),
      spentMicros: sql<number>`${spent} + ${amount}`,
      spendDay: value('day'),
    }))
    .where('id', '=', value('accountId'))
    .where((eb) => eb.or([eb('billing', '=', 'METERED'), sql<boolean>`${free} >= ${amount}`]))
    .where((eb) =>
      eb.or([eb('dailySpendMicros', 'is', null), sql<boolean>`${spent} + ${amount} <= ${sql.ref('dailySpendMicros')}`]),
    )
})

/** Moves balance and open holds by the sums of the entries that are written with it. */
export async function applyToAccount(
  trx: Transaction<Tables>,
  change: { accountId: string; amountMicros: number; heldMicros: number; unspentMicros: number; day: number },
): Promise<void> {
  await trx
    .updateTable('accounts')
    .set((eb) => ({
      balanceMicros: eb('balanceMicros', '+', change.amountMicros),
      heldMicros: eb('heldMicros', '+', change.heldMicros),
      spentMicros: sql<number>`case when ${sql.ref('spendDay')} = ${change.day} then ${sql.ref('spentMicros')} - ${change.unspentMicros} else ${sql.ref('spentMicros')} end`,
    }))
    .where('id', '=', change.accountId)
    .execute()
}

/** Counts against a cap; false when it would go past it. */
export async function countSpend(
  trx: Transaction<Tables>,
  counter: { scope: string; day: number; amountMicros: number; limitMicros: number },
): Promise<boolean> {
  const { scope, day, amountMicros, limitMicros } = counter
  if (amountMicros > limitMicros) return false
  const result = await trx
    .insertInto('spendCounters')
    .values({ scope, day, spentMicros: amountMicros })
    .onConflict((conflict) =>
      conflict
        .columns(['scope', 'day'])
        .doUpdateSet({ spentMicros: sql<number>`${sql.ref('spendCounters.spentMicros')} + ${amountMicros}` })
        .where(sql<boolean>`${sql.ref('spendCounters.spentMicros')} + ${amountMicros} <= ${limitMicros}`),
    )
    .executeTakeFirst()
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n
}

/** Gives back what was counted and not spent. Nothing to do where no cap made a counter. */
export async function uncountSpend(
  trx: Transaction<Tables>,
  counter: { scope: string; day: number; amountMicros: number },
): Promise<void> {
  if (counter.amountMicros === 0) return
  await trx
    .updateTable('spendCounters')
    .set((eb) => ({ spentMicros: eb('spentMicros', '-', counter.amountMicros) }))
    .where('scope', '=', counter.scope)
    .where('day', '=', counter.day)
    .execute()
}
