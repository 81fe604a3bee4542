import { describe, expect, it } from 'vitest'
import { InvalidInputError } from '../../../src/errors.ts'
import { DEFAULT_LIMITS, LOCAL_ACCOUNT_ID, LOCAL_LIMITS } from '../../../src/identity/accounts.ts'
import { openIdentity } from './identity.ts'

describe('accounts', () => {
  it('begin empty, with the limits that are given and defaults for the rest', async () => {
    const { accounts } = await openIdentity()
    const limits = { subscriptions: 7, dailySpendMicros: 5_000_000 }
    const account = await accounts.create({ name: ' Studio ', billing: 'PREPAID', limits })
    const expected = {
      ...DEFAULT_LIMITS,
      ...limits,
      name: 'Studio',
      billing: 'PREPAID',
      balanceMicros: 0,
      heldMicros: 0,
    }
    expect(account).toMatchObject(expected)
    expect(await accounts.find(account.id)).toMatchObject(expected)
  })

  it('are listed page by page in order of making', async () => {
    const { accounts } = await openIdentity()
    for (const name of ['a', 'b', 'c']) await accounts.create({ name, billing: 'METERED', limits: {} })
    const [first, second] = await accounts.list({ limit: 2 })
    const rest = await accounts.list({ afterId: second?.id ?? '' })
    expect([first?.name, second?.name, ...rest.map(({ name }) => name)]).toEqual(['a', 'b', 'c', 'Local'])
  })

  it('refuse names and limits that make no sense, all at once', async () => {
    const { accounts } = await openIdentity()
    const limits = { requestsPerMinute: 0, subscriptions: 1.5, dailySpendMicros: -1 }
    const made = accounts.create({ name: '', billing: 'PREPAID', limits })
    const error: unknown = await made.catch((cause: unknown) => cause)
    const paths = error instanceof InvalidInputError ? error.fields.map(({ path }) => path) : []
    expect(paths).toEqual(['name', 'requestsPerMinute', 'subscriptions', 'dailySpend'])
  })

  it('have one local account that a later start leaves as it is', async () => {
    const { accounts, database } = await openIdentity()
    expect(await accounts.find(LOCAL_ACCOUNT_ID)).toMatchObject({ billing: 'METERED', ...LOCAL_LIMITS })
    await database.transact((trx) => trx.updateTable('accounts').set({ subscriptions: 3 }).execute())
    await accounts.ensureLocal()
    expect(await accounts.find(LOCAL_ACCOUNT_ID)).toMatchObject({ subscriptions: 3 })
  })

  it('show changed limits within ten seconds', async () => {
    const { accounts, database, clock } = await openIdentity()
    expect(await accounts.limitsOf(LOCAL_ACCOUNT_ID)).toMatchObject(LOCAL_LIMITS)
    await database.transact((trx) => trx.updateTable('accounts').set({ requestsPerMinute: 3 }).execute())
    await clock.advance(9_999)
    expect(await accounts.limitsOf(LOCAL_ACCOUNT_ID)).toMatchObject(LOCAL_LIMITS)
    await clock.advance(1)
    expect(await accounts.limitsOf(LOCAL_ACCOUNT_ID)).toMatchObject({ requestsPerMinute: 3 })
  })
})
