import { sql } from 'kysely'
import { expect, it } from 'vitest'
import { greatest, isUniqueViolation, skipLocked } from '../../../src/store/dialect.ts'
import { insertAccount } from '../../support/account-rows.ts'
import { describeOnEachDatabase } from '../../support/databases.ts'

describeOnEachDatabase('A database', (open) => {
  it('reads what was committed, numbers as numbers', async () => {
    const database = await open()
    await database.transact((trx) => insertAccount(trx, { id: 'acc_1', balanceMicros: 9_007_199_254_740_991 }))
    const account = await database.read.selectFrom('accounts').selectAll().executeTakeFirstOrThrow()
    expect(account).toMatchObject({ id: 'acc_1', balanceMicros: 9_007_199_254_740_991, dailySpendMicros: null })
  })

  it('gives counts, sums and averages as numbers', async () => {
    const database = await open()
    await database.transact(async (trx) => {
      await insertAccount(trx, { id: 'acc_1', balanceMicros: 1 })
      await insertAccount(trx, { id: 'acc_2', balanceMicros: 2 })
    })
    const row = await database.read
      .selectFrom('accounts')
      .select(({ fn }) => [
        fn.countAll().as('count'),
        fn.sum('balanceMicros').as('sum'),
        fn.avg('balanceMicros').as('mean'),
      ])
      .executeTakeFirstOrThrow()
    expect(row).toEqual({ count: 2, sum: 3, mean: 1.5 })
  })

  it.each([
    ['beyond 2^53', '9007199254740993'],
    ['below -2^53', '-9007199254740993'],
    ['at the end of 64 bits', '9223372036854775807'],
  ])('refuses to read an integer %s instead of rounding it', async (_, digits) => {
    const database = await open()
    await database.transact(async (trx) => {
      await insertAccount(trx, { id: 'acc_1' })
      await sql`update "accounts" set "balanceMicros" = ${sql.raw(digits)}`.execute(trx)
    })
    const reading = database.read.selectFrom('accounts').select('balanceMicros').execute()
    await expect(reading).rejects.toThrow('beyond 2^53')
    expect(await database.read.selectFrom('accounts').select('id').execute()).toEqual([{ id: 'acc_1' }])
  })

  it('refuses a sum beyond 2^53', async () => {
    const database = await open()
    await database.transact(async (trx) => {
      await insertAccount(trx, { id: 'acc_1', balanceMicros: Number.MAX_SAFE_INTEGER })
      await insertAccount(trx, { id: 'acc_2', balanceMicros: 2 })
    })
    const reading = database.read
      .selectFrom('accounts')
      .select(({ fn }) => fn.sum('balanceMicros').as('sum'))
      .execute()
    await expect(reading).rejects.toThrow('beyond 2^53')
  })

  it.each([
    ['a fraction', 0.5, 'the number 0.5'],
    ['an unsafe integer', 2 ** 53, 'the number 9007199254740992'],
    ['NaN', Number.NaN, 'the number NaN'],
    ['a boolean', true, 'the boolean true'],
    ['a date', new Date(0), 'a Date'],
    ['undefined', undefined, 'undefined'],
    ['a bigint', 1n, 'of type bigint'],
  ])('refuses %s as a parameter and names its place', async (_, value, said) => {
    const database = await open()
    const reading = sql`select ${'first'} as "a", ${value} as "b"`.execute(database.read)
    await expect(reading).rejects.toThrow(`Parameter 2 of 2 is ${said};`)
    const writing = database.transact((trx) => sql`select ${value} as "a"`.execute(trx))
    await expect(writing).rejects.toThrow('Parameter 1 of 1')
  })

  it('never shows the text of a parameter in that error', async () => {
    const database = await open()
    const reading = sql`select ${'a secret prompt'} as "a", ${true} as "b"`.execute(database.read)
    await expect(reading).rejects.toThrow(expect.not.stringContaining('secret prompt'))
  })

  it('tells a unique violation from other failures', async () => {
    const database = await open()
    await database.transact((trx) => insertAccount(trx, { id: 'acc_1' }))
    const again = await database.transact((trx) => insertAccount(trx, { id: 'acc_1' })).catch((error: unknown) => error)
    const other = await database
      .transact((trx) => sql`select * from "nowhere"`.execute(trx))
      .catch((error: unknown) => error)
    expect(isUniqueViolation(again)).toBe(true)
    expect(other).toBeInstanceOf(Error)
    expect(isUniqueViolation(other)).toBe(false)
  })

  it('refuses a row whose account does not exist', async () => {
    const database = await open()
    const key = { id: 'key_1', accountId: 'acc_none', name: '', prefix: '', secretHash: '', scopes: '[]', createdAt: 0 }
    await expect(database.transact((trx) => trx.insertInto('apiKeys').values(key).execute())).rejects.toThrow(
      /foreign key/i,
    )
  })

  it('computes the larger of a column and a parameter', async () => {
    const database = await open()
    await database.transact((trx) => insertAccount(trx, { id: 'acc_1', balanceMicros: 5 }))
    const row = await database.read
      .selectFrom('accounts')
      .select((eb) => [
        greatest(eb.ref('balanceMicros'), 3).as('column'),
        greatest(eb.ref('balanceMicros'), 8).as('parameter'),
      ])
      .executeTakeFirstOrThrow()
    expect(row).toEqual({ column: 5, parameter: 8 })
  })

  it('selects rows for a claim', async () => {
    const database = await open()
    await database.transact((trx) => insertAccount(trx, { id: 'acc_1' }))
    const rows = await database.transact((trx) =>
      skipLocked(trx.selectFrom('accounts').select('id'), database.dialect).execute(),
    )
    expect(rows).toEqual([{ id: 'acc_1' }])
  })

  it('says that it can be read and written', async () => {
    const database = await open()
    await expect(database.check()).resolves.toBeUndefined()
  })

  it('ends what was begun before it closes, and refuses what comes after', async () => {
    const database = await open()
    const begun = database.transact((trx) => insertAccount(trx, { id: 'acc_1' }))
    await Promise.all([begun, database.close()])
    await expect(database.transact((trx) => insertAccount(trx, { id: 'acc_2' }))).rejects.toThrow()
    await expect(database.check()).rejects.toThrow()
    await database.close()
    const again = await open()
    expect(await again.read.selectFrom('accounts').select('id').execute()).toEqual([{ id: 'acc_1' }])
  })
})
