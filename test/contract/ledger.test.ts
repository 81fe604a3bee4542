import { beforeEach, describe, expect, it } from 'vitest'
import { CostLimitError, InsufficientCreditsError } from '../../src/errors.ts'
import { createLedger, type Hold, type Ledger, spendScopes, utcDay } from '../../src/ledger/ledger.ts'
import { getAccount } from '../../src/store/account-store.ts'
import type { Database, Trx } from '../../src/store/database.ts'
import { listEntriesOfGeneration } from '../../src/store/ledger-store.ts'
import { insertAccount } from '../support/account-rows.ts'
import { describeOnEachDatabase } from '../support/databases.ts'
import { createFakeIds } from '../support/fake-ids.ts'

const DAY_MS = 86_400_000
const NOW = 20_000 * DAY_MS

describeOnEachDatabase('ledger', (open) => {
  let database: Database
  let ledger: Ledger

  beforeEach(async () => {
    database = await open()
    ledger = createLedger({ ids: createFakeIds() })
    await database.transact((trx) => insertAccount(trx, { id: 'acc', dailySpendMicros: 1_000 }))
    await run((trx) => ledger.grant(trx, { accountId: 'acc', amountMicros: 900, note: 'a gift', now: NOW }))
  })

  const run = <T>(work: (trx: Trx) => Promise<T>) => database.transact(work)
  const hold = (more: Partial<Hold> = {}) =>
    run((trx) =>
      ledger.hold(trx, { accountId: 'acc', generationId: 'gen', amountMicros: 400, caps: [], now: NOW, ...more }),
    )
  const settle = (captures: readonly number[], more: { heldMicros?: number; now?: number } = {}) =>
    run((trx) =>
      ledger.settle(trx, {
        accountId: 'acc',
        generationId: 'gen',
        heldMicros: 400,
        captures: captures.map((amountMicros, imageIndex) => ({ imageIndex, amountMicros })),
        day: utcDay(NOW),
        scopes: [],
        now: NOW,
        ...more,
      }),
    )
  const refund = (amountMicros: number, imageIndex = 0) =>
    run((trx) =>
      ledger.refund(trx, { accountId: 'acc', generationId: 'gen', imageIndex, amountMicros, note: 'sorry', now: NOW }),
    )
  const account = () => getAccount(database.read, 'acc')
  const kinds = async () => {
    const entries = await listEntriesOfGeneration(database.read, 'gen')
    return entries.map(({ kind, amountMicros, heldMicros }) => [kind, amountMicros, heldMicros])
  }

  it('grants', async () => {
    expect(await account()).toMatchObject({ balanceMicros: 900, heldMicros: 0, spentMicros: 0 })
  })

  it('holds, captures for each image, and releases the rest', async () => {
    await hold()
    expect(await account()).toMatchObject({ balanceMicros: 900, heldMicros: 400, spentMicros: 400 })
    await settle([100, 150])
    expect(await account()).toMatchObject({ balanceMicros: 650, heldMicros: 0, spentMicros: 250 })
    expect(await kinds()).toEqual([
      ['HOLD', 0, 400],
      ['CAPTURE', -100, -100],
      ['CAPTURE', -150, -150],
      ['RELEASE', 0, -150],
    ])
  })

  it('writes no release where nothing is left', async () => {
    await hold()
    await settle([400])
    expect((await kinds()).map(([kind]) => kind)).toEqual(['HOLD', 'CAPTURE'])
  })

  it('keeps a trace of what cost nothing', async () => {
    await hold({ amountMicros: 0 })
    await settle([0, 0], { heldMicros: 0 })
    expect(await kinds()).toEqual([
      ['HOLD', 0, 0],
      ['CAPTURE', 0, 0],
      ['CAPTURE', 0, 0],
    ])
    expect(await account()).toMatchObject({ balanceMicros: 900, spentMicros: 0 })
  })

  it('refuses to capture more than was held, and changes nothing', async () => {
    await hold()
    await expect(settle([300, 101])).rejects.toThrow('above the hold')
    expect(await account()).toMatchObject({ balanceMicros: 900, heldMicros: 400 })
  })

  it.each<[string, () => Promise<unknown>]>([
    ['hold a generation twice', () => hold()],
    ['settle it twice', () => settle([100]).then(() => settle([100]))],
    ['release it twice', () => settle([]).then(() => settle([]))],
  ])('does not %s, whoever asks', async (_, twice) => {
    await hold({ amountMicros: 400 })
    await expect(twice()).rejects.toThrow(/unique/i)
  })

  it('tells a prepaid account what it lacks', async () => {
    await hold({ generationId: 'other', amountMicros: 600 })
    const refused = hold({ amountMicros: 301 })
    await expect(refused).rejects.toBeInstanceOf(InsufficientCreditsError)
    await expect(refused).rejects.toMatchObject({ requiredMicros: 301, balanceMicros: 300 })
    await hold({ amountMicros: 300 })
  })

  it('tells a capped account its cap', async () => {
    await run((trx) => ledger.grant(trx, { accountId: 'acc', amountMicros: 9_000, note: null, now: NOW }))
    const refused = hold({ amountMicros: 1_001 })
    await expect(refused).rejects.toBeInstanceOf(CostLimitError)
    await expect(refused).rejects.toMatchObject({ estimateMicros: 1_001, limitMicros: 1_000 })
    await hold({ amountMicros: 1_000 })
  })

  it('takes back the hold when a further cap refuses', async () => {
    const caps = [
      { scope: 'key:k', day: utcDay(NOW), limitMicros: 500 },
      { scope: 'token:t', day: 0, limitMicros: 399 },
    ]
    await expect(hold({ caps })).rejects.toMatchObject({ limitMicros: 399 })
    expect(await account()).toMatchObject({ heldMicros: 0, spentMicros: 0 })
    expect(await database.read.selectFrom('spendCounters').selectAll().execute()).toEqual([])
    expect(await kinds()).toEqual([])
  })

  it('counts under the caps of key and token', () => {
    expect(spendScopes({ apiKeyId: 'k', tokenId: 't' }, 7)).toEqual([
      { scope: 'key:k', day: 7 },
      { scope: 'token:t', day: 0 },
    ])
    expect(spendScopes({ apiKeyId: null, tokenId: null }, 7)).toEqual([])
  })

  it('does not give back to today what was held yesterday', async () => {
    await hold()
    await hold({ generationId: 'today', amountMicros: 300, now: NOW + DAY_MS })
    expect(await account()).toMatchObject({ spentMicros: 300 })
    await settle([], { now: NOW + DAY_MS })
    expect(await account()).toMatchObject({ spentMicros: 300, heldMicros: 300 })
  })

  describe('refunds', () => {
    beforeEach(async () => {
      await hold()
      await settle([100, 150])
    })

    it('what an image cost, in parts if need be, and never more', async () => {
      await refund(60)
      await expect(refund(41)).rejects.toThrow('not covered')
      await refund(40)
      await expect(refund(1)).rejects.toThrow('not covered')
      expect(await account()).toMatchObject({ balanceMicros: 750 })
      await refund(150, 1)
      expect(await account()).toMatchObject({ balanceMicros: 900 })
    })

    it.each([0, -5])('nothing of %i', async (amountMicros) => {
      await expect(refund(amountMicros)).rejects.toThrow('not covered')
    })

    it('nothing for an image that was not charged', async () => {
      await expect(refund(1, 2)).rejects.toThrow('not covered')
      expect(await account()).toMatchObject({ balanceMicros: 650 })
    })

    it('once of many at once', async () => {
      const settled = await Promise.allSettled(Array.from({ length: 8 }, () => refund(100)))
      expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      expect(await account()).toMatchObject({ balanceMicros: 750 })
    })
  })
})
