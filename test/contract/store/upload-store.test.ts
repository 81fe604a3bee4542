import { beforeEach, expect, it } from 'vitest'
import type { Database, Trx } from '../../../src/store/database.ts'
import type { UploadRow } from '../../../src/store/tables.ts'
import {
  deleteUpload,
  findOwnUploads,
  insertUpload,
  listExpiredUploads,
  sumUploadBytes,
} from '../../../src/store/upload-store.ts'
import { insertAccount } from '../../support/account-rows.ts'
import { describeOnEachDatabase } from '../../support/databases.ts'

describeOnEachDatabase('upload store', (open) => {
  let database: Database

  beforeEach(async () => {
    database = await open()
    for (const id of ['acc_1', 'acc_2']) await run((trx) => insertAccount(trx, { id }))
  })

  const run = <T>(work: (trx: Trx) => Promise<T>) => database.transact(work)
  const insert = (row: Partial<UploadRow> = {}) => run((trx) => insertUpload(trx, uploadRow(row)))

  it('gives back what it was given', async () => {
    await insert({ sizeBytes: 5_000_000_000, endUser: 'ann' })
    const [found] = await findOwnUploads(database.read, ANN, { ids: ['upl_1', 'upl_9'], now: 0 })
    expect(found).toEqual(uploadRow({ sizeBytes: 5_000_000_000, endUser: 'ann' }))
    expect(await findOwnUploads(database.read, ANN, { ids: [], now: 0 })).toEqual([])
  })

  it('finds for an owner what is the owner’s and has not expired', async () => {
    await insert({ id: 'upl_1', endUser: 'ann' })
    await insert({ id: 'upl_2' })
    await insert({ id: 'upl_3', accountId: 'acc_2', endUser: 'ann' })
    await insert({ id: 'upl_4', expiresAt: 50 })
    const ids = ['upl_1', 'upl_2', 'upl_3', 'upl_4']
    const find = async (owner: typeof ANN | typeof ACCOUNT) =>
      (await findOwnUploads(database.read, owner, { ids, now: 50 })).map(({ id }) => id).toSorted()
    expect(await find(ACCOUNT)).toEqual(['upl_1', 'upl_2'])
    expect(await find(ANN)).toEqual(['upl_1'])
    expect(await find({ accountId: 'acc_1', endUser: 'ben' })).toEqual([])
  })

  it('adds up what an account and an end user keep', async () => {
    expect(await sumUploadBytes(database.read, ACCOUNT)).toBe(0)
    await insert({ id: 'upl_1', sizeBytes: 3_000_000_000, endUser: 'ann' })
    await insert({ id: 'upl_2', sizeBytes: 2_000_000_000 })
    expect(await sumUploadBytes(database.read, ACCOUNT)).toBe(5_000_000_000)
    expect(await sumUploadBytes(database.read, ANN)).toBe(3_000_000_000)
  })

  it('lists what has expired, the longest ago first, and deletes it once', async () => {
    await insert({ id: 'upl_1', expiresAt: 30 })
    await insert({ id: 'upl_2', expiresAt: 20 })
    await insert({ id: 'upl_3', expiresAt: 31 })
    const list = async (limit: number) => (await listExpiredUploads(database.read, 30, limit)).map(({ id }) => id)
    expect(await list(9)).toEqual(['upl_2', 'upl_1'])
    expect(await list(1)).toEqual(['upl_2'])
    expect(await run((trx) => deleteUpload(trx, 'upl_2'))).toBe(true)
    expect(await run((trx) => deleteUpload(trx, 'upl_2'))).toBe(false)
    expect(await list(9)).toEqual(['upl_1'])
  })
})

const ACCOUNT = { accountId: 'acc_1', endUser: null }
const ANN = { accountId: 'acc_1', endUser: 'ann' }

function uploadRow(row: Partial<UploadRow> = {}): UploadRow {
  return {
    id: 'upl_1',
    accountId: 'acc_1',
    endUser: null,
    blobKey: 'uploads/upl_1/abc.png',
    mimeType: 'image/png',
    width: 30,
    height: 20,
    sizeBytes: 100,
    sha256: 'abc',
    createdAt: 1,
    expiresAt: 100,
    ...row,
  }
}
