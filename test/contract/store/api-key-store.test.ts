import { beforeEach, expect, it } from 'vitest'
import { insertAccountIfAbsent } from '../../../src/store/account-store.ts'
import {
  findApiKey,
  findApiKeyByHash,
  hasApiKeys,
  insertApiKey,
  listApiKeys,
  revokeApiKey,
  touchApiKey,
} from '../../../src/store/api-key-store.ts'
import type { Database } from '../../../src/store/database.ts'
import type { ApiKeyRow } from '../../../src/store/tables.ts'
import { describeOnEachDatabase } from '../../support/databases.ts'

function keyRow(details: Partial<ApiKeyRow> = {}): ApiKeyRow {
  return {
    id: 'key_1',
    accountId: 'acc_1',
    name: 'web',
    prefix: 'pk_abcdef',
    secretHash: '0'.repeat(64),
    scopes: '["generate"]',
    dailySpendMicros: null,
    createdAt: 1_767_225_600_000,
    lastUsedAt: null,
    expiresAt: null,
    revokedAt: null,
    ...details,
  }
}

describeOnEachDatabase('API key store', (open) => {
  let database: Database

  beforeEach(async () => {
    database = await open()
    for (const id of ['acc_1', 'acc_2']) {
      const limits = { requestsPerMinute: 60, concurrentGenerations: 4, subscriptions: 100, dailySpendMicros: null }
      const money = { billing: 'METERED', balanceMicros: 0, heldMicros: 0, spendDay: 0, spentMicros: 0 } as const
      await database.transact((trx) => insertAccountIfAbsent(trx, { id, name: id, ...money, ...limits, createdAt: 0 }))
    }
  })

  const insert = (details: Partial<ApiKeyRow>) => database.transact((trx) => insertApiKey(trx, keyRow(details)))
  const hashOf = (digit: string) => digit.repeat(64)

  it('finds a key by hash and by id as it was written', async () => {
    const row = keyRow({ dailySpendMicros: 5_000_000_000, expiresAt: 1_800_000_000_000 })
    await insert(row)
    expect(await findApiKeyByHash(database.read, row.secretHash)).toEqual(row)
    expect(await findApiKey(database.read, 'key_1')).toEqual(row)
    expect(await findApiKeyByHash(database.read, hashOf('f'))).toBeUndefined()
    expect(await findApiKey(database.read, 'key_2')).toBeUndefined()
  })

  it('refuses a second key of the same hash, and a key of no account', async () => {
    await insert({})
    await expect(insert({ id: 'key_2' })).rejects.toThrow()
    await expect(insert({ id: 'key_3', secretHash: hashOf('3'), accountId: 'acc_9' })).rejects.toThrow()
    expect(await listApiKeys(database.read, 'acc_1')).toHaveLength(1)
  })

  it("lists an account's own keys in order of making", async () => {
    await insert({ id: 'key_2', secretHash: hashOf('2') })
    await insert({ id: 'key_1', secretHash: hashOf('1'), revokedAt: 5 })
    await insert({ id: 'key_3', secretHash: hashOf('3'), accountId: 'acc_2' })
    expect((await listApiKeys(database.read, 'acc_1')).map(({ id }) => id)).toEqual(['key_1', 'key_2'])
  })

  it('knows whether any key was ever made', async () => {
    expect(await hasApiKeys(database.read)).toBe(false)
    await insert({ revokedAt: 1, expiresAt: 1 })
    expect(await hasApiKeys(database.read)).toBe(true)
  })

  it("revokes once, and never another account's key", async () => {
    await insert({})
    const revoke = (accountId: string, at: number) =>
      database.transact((trx) => revokeApiKey(trx, { accountId, id: 'key_1', at }))
    expect(await revoke('acc_2', 10)).toBeUndefined()
    expect(await findApiKey(database.read, 'key_1')).toMatchObject({ revokedAt: null })
    expect(await revoke('acc_1', 20)).toMatchObject({ revokedAt: 20 })
    expect(await revoke('acc_1', 30)).toMatchObject({ revokedAt: 20 })
  })

  it('keeps the latest use, whatever order the reports come in', async () => {
    await insert({})
    for (const at of [20, 10]) await database.transact((trx) => touchApiKey(trx, { id: 'key_1', at }))
    expect(await findApiKey(database.read, 'key_1')).toMatchObject({ lastUsedAt: 20 })
    await database.transact((trx) => touchApiKey(trx, { id: 'key_1', at: 30 }))
    expect(await findApiKey(database.read, 'key_1')).toMatchObject({ lastUsedAt: 30 })
  })
})
