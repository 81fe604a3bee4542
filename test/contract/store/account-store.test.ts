import { beforeEach, expect, it } from 'vitest'
import { findAccount, getAccount, insertAccountIfAbsent, listAccounts } from '../../../src/store/account-store.ts'
import type { Database } from '../../../src/store/database.ts'
import type { AccountRow } from '../../../src/store/tables.ts'
import { describeOnEachDatabase } from '../../support/databases.ts'

function accountRow(details: Partial<AccountRow> = {}): AccountRow {
  return {
    id: 'acc_1',
    name: 'Studio',
    billing: 'PREPAID',
    balanceMicros: 0,
    heldMicros: 0,
    requestsPerMinute: 60,
    concurrentGenerations: 4,
    subscriptions: 100,
    dailySpendMicros: null,
    spendDay: 20_454,
    spentMicros: 0,
    createdAt: 1_767_225_600_000,
    ...details,
  }
}

describeOnEachDatabase('account store', (open) => {
  let database: Database

  beforeEach(async () => {
    database = await open()
  })

  it('gives back what it was given, money past 32 bits included', async () => {
    const row = accountRow({ balanceMicros: Number.MAX_SAFE_INTEGER, dailySpendMicros: 5_000_000_000_000 })
    expect(await database.transact((trx) => insertAccountIfAbsent(trx, row))).toBe(true)
    expect(await findAccount(database.read, 'acc_1')).toEqual(row)
    expect(await getAccount(database.read, 'acc_1')).toEqual(row)
  })

  it('tells of an account that is not there', async () => {
    expect(await findAccount(database.read, 'acc_2')).toBeUndefined()
    await expect(getAccount(database.read, 'acc_2')).rejects.toThrow()
  })

  it('leaves an account alone whose id is taken', async () => {
    await database.transact((trx) => insertAccountIfAbsent(trx, accountRow()))
    const again = database.transact((trx) => insertAccountIfAbsent(trx, accountRow({ name: 'Other' })))
    expect(await again).toBe(false)
    expect(await findAccount(database.read, 'acc_1')).toMatchObject({ name: 'Studio' })
  })

  it('makes one account of many inserts at once', async () => {
    const made = await Promise.all(
      Array.from({ length: 8 }, () => database.transact((trx) => insertAccountIfAbsent(trx, accountRow()))),
    )
    expect(made.filter(Boolean)).toHaveLength(1)
  })

  it('lists in order of making, page by page', async () => {
    for (const id of ['acc_2', 'acc_1', 'acc_3']) {
      await database.transact((trx) => insertAccountIfAbsent(trx, accountRow({ id })))
    }
    const first = await listAccounts(database.read, { afterId: '', limit: 2 })
    expect(first.map(({ id }) => id)).toEqual(['acc_1', 'acc_2'])
    const second = await listAccounts(database.read, { afterId: 'acc_2', limit: 2 })
    expect(second.map(({ id }) => id)).toEqual(['acc_3'])
  })
})
