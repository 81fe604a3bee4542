import { beforeEach, describe, expect, it } from 'vitest'
import type { Database } from '../../../src/store/database.ts'
import {
  deleteGenerationSecret,
  findGenerationSecret,
  insertGenerationSecret,
  listGenerationSecrets,
  resealGenerationSecret,
} from '../../../src/store/generation-secret-store.ts'
import { findGeneration, insertGeneration } from '../../../src/store/generation-store.ts'
import {
  deleteProviderKey,
  findProviderKey,
  listAllProviderKeys,
  listProviderKeys,
  putProviderKey,
  resealProviderKey,
} from '../../../src/store/provider-key-store.ts'
import type { GenerationSecretRow, ProviderKeyRow } from '../../../src/store/tables.ts'
import { insertAccount } from '../../support/account-rows.ts'
import { describeOnEachDatabase } from '../../support/databases.ts'
import { generationRow } from '../../support/generation-rows.ts'

function keyRow(details: Partial<ProviderKeyRow> = {}): ProviderKeyRow {
  const createdAt = 1_767_225_600_000
  return { accountId: 'acc_1', provider: 'flux', ciphertext: 'v1.one', hint: '••••1234', createdAt, ...details }
}

function secretRow(details: Partial<GenerationSecretRow> = {}): GenerationSecretRow {
  return { generationId: 'gen_1', accountId: 'acc_1', provider: 'flux', ciphertext: 'v1.one', ...details }
}

describeOnEachDatabase('the store of provider keys', (open) => {
  let database: Database

  beforeEach(async () => {
    database = await open()
    await database.transact((trx) => insertAccount(trx, { id: 'acc_1' }))
    await database.transact((trx) => insertAccount(trx, { id: 'acc_2' }))
  })

  const put = (details: Partial<ProviderKeyRow> = {}) =>
    database.transact((trx) => putProviderKey(trx, keyRow(details)))

  it('finds a key as it was written, and none of another account or provider', async () => {
    await put()
    expect(await findProviderKey(database.read, { accountId: 'acc_1', provider: 'flux' })).toEqual(keyRow())
    expect(await findProviderKey(database.read, { accountId: 'acc_2', provider: 'flux' })).toBeUndefined()
    expect(await findProviderKey(database.read, { accountId: 'acc_1', provider: 'openai' })).toBeUndefined()
  })

  it('keeps one for an account and provider, the last', async () => {
    await put()
    await put({ ciphertext: 'v1.two', hint: '••••5678', createdAt: 5 })
    await put({ accountId: 'acc_2', ciphertext: 'v1.three' })
    await put({ provider: 'openai', ciphertext: 'v1.four' })
    expect(await listProviderKeys(database.read, 'acc_1')).toEqual([
      keyRow({ ciphertext: 'v1.two', hint: '••••5678', createdAt: 5 }),
      keyRow({ provider: 'openai', ciphertext: 'v1.four' }),
    ])
    expect((await listAllProviderKeys(database.read)).map(({ ciphertext }) => ciphertext)).toEqual([
      'v1.two',
      'v1.four',
      'v1.three',
    ])
  })

  it('refuses a key of no account', async () => {
    await expect(put({ accountId: 'acc_9' })).rejects.toThrow()
  })

  it('takes away the own one alone, and once', async () => {
    await put()
    await put({ accountId: 'acc_2' })
    const remove = (accountId: string) =>
      database.transact((trx) => deleteProviderKey(trx, { accountId, provider: 'flux' }))
    expect([await remove('acc_1'), await remove('acc_1')]).toEqual([true, false])
    expect(await listAllProviderKeys(database.read)).toEqual([keyRow({ accountId: 'acc_2' })])
  })

  it('seals anew only what is still as it was read', async () => {
    await put()
    const reseal = (text: string) => database.transact((trx) => resealProviderKey(trx, keyRow(), text))
    expect(await reseal('v1.two')).toBe(true)
    expect(await reseal('v1.three')).toBe(false)
    expect(await listProviderKeys(database.read, 'acc_1')).toEqual([keyRow({ ciphertext: 'v1.two' })])
  })

  describe('of generations', () => {
    const insert = (details: Partial<GenerationSecretRow> = {}) =>
      database.transact((trx) => insertGenerationSecret(trx, secretRow(details)))

    it('finds one as it was written, lists all, and refuses a second', async () => {
      await insert()
      await insert({ generationId: 'gen_0' })
      expect(await findGenerationSecret(database.read, 'gen_1')).toEqual(secretRow())
      expect(await findGenerationSecret(database.read, 'gen_2')).toBeUndefined()
      expect((await listGenerationSecrets(database.read)).map((row) => row.generationId)).toEqual(['gen_0', 'gen_1'])
      await expect(insert()).rejects.toThrow()
    })

    it('takes one away, and nothing where there is none', async () => {
      await insert()
      await insert({ generationId: 'gen_2' })
      for (let time = 0; time < 2; time++) await database.transact((trx) => deleteGenerationSecret(trx, 'gen_1'))
      expect((await listGenerationSecrets(database.read)).map((row) => row.generationId)).toEqual(['gen_2'])
    })

    it('seals anew only what is still as it was read', async () => {
      await insert()
      const reseal = (text: string) => database.transact((trx) => resealGenerationSecret(trx, secretRow(), text))
      expect([await reseal('v1.two'), await reseal('v1.three')]).toEqual([true, false])
      expect(await findGenerationSecret(database.read, 'gen_1')).toEqual(secretRow({ ciphertext: 'v1.two' }))
    })
  })

  it('says of a generation whose key pays', async () => {
    const rows = (['SERVER', 'ACCOUNT', 'REQUEST'] as const).map((keySource) =>
      generationRow({ id: `gen_${keySource}`, keySource }),
    )
    for (const row of rows) await database.transact((trx) => insertGeneration(trx, row, []))
    for (const row of rows) expect(await findGeneration(database.read, row.id)).toEqual(row)
  })
})
