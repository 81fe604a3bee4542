import type { Insertable } from 'kysely'
import type { Trx } from '../../src/store/database.ts'
import type { AccountsTable } from '../../src/store/tables.ts'

export async function insertAccount(trx: Trx, row: Partial<Insertable<AccountsTable>> & { id: string }): Promise<void> {
  await trx
    .insertInto('accounts')
    .values({
      name: row.id,
      billing: 'PREPAID',
      balanceMicros: 0,
      heldMicros: 0,
      requestsPerMinute: 60,
      concurrentGenerations: 4,
      subscriptions: 10,
      dailySpendMicros: null,
      spendDay: 0,
      spentMicros: 0,
      createdAt: 0,
      ...row,
    })
    .execute()
}
