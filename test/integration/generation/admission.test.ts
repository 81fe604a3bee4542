import { beforeEach, describe, expect, it } from 'vitest'
import {
  CostLimitError,
  IdempotencyConflictError,
  InsufficientCreditsError,
  InvalidInputError,
} from '../../../src/errors.ts'
import type { GenerationInput } from '../../../src/generation/generation-types.ts'
import type { Database } from '../../../src/store/database.ts'
import type { Viewer } from '../../../src/viewer.ts'
import { describeOnEachDatabase } from '../../support/databases.ts'
import { buildHouse, type House, PRICE_MICROS, pricedModel, unpricedModel } from '../../support/house.ts'
import { createScriptedProvider } from '../../support/scripted-provider.ts'

const HOUR_MS = 3_600_000

describeOnEachDatabase('admission', (open) => {
  let database: Database
  let house: House

  beforeEach(async () => {
    database = await open()
    house = buildHouse({ database })
  })

  async function countRows() {
    const tables = ['generations', 'jobs', 'events', 'ledgerEntries', 'idempotencyKeys', 'generationTags'] as const
    const counts = tables.map(async (table) => {
      const { rows } = await database.read
        .selectFrom(table)
        .select((eb) => eb.fn.countAll<number>().as('rows'))
        .executeTakeFirstOrThrow()
      return [table, Number(rows)] as const
    })
    return Object.fromEntries(await Promise.all(counts))
  }

  /** How many of so many at once are accepted; the others must all fail with this error. */
  async function acceptedOf(
    count: number,
    kind: abstract new (...args: never[]) => Error,
    order: () => Promise<unknown>,
  ) {
    const settled = await Promise.allSettled(Array.from({ length: count }, order))
    const failed = settled.filter((each) => each.status === 'rejected')
    for (const { reason } of failed) expect(reason).toBeInstanceOf(kind)
    return count - failed.length
  }

  describe('with an idempotency key', () => {
    it('makes one generation and one hold of fifty identical requests at once', async () => {
      const viewer = await house.account({ billing: 'PREPAID', creditMicros: 100 * PRICE_MICROS })
      const made = await Promise.all(
        Array.from({ length: 50 }, () => house.create(viewer, { idempotencyKey: 'one', count: 2 })),
      )
      expect(new Set(made.map(({ generation }) => generation.id)).size).toBe(1)
      expect(made.filter(({ replayed }) => replayed)).toHaveLength(49)
      expect(await countRows()).toMatchObject({ generations: 1, jobs: 1, events: 1, idempotencyKeys: 1 })
      const holds = await database.read.selectFrom('ledgerEntries').selectAll().where('kind', '=', 'HOLD').execute()
      expect(holds.map(({ heldMicros }) => heldMicros)).toEqual([2 * PRICE_MICROS])
      await house.assertInvariants()
    })

    it('refuses another request and makes nothing of it, also when both come at once', async () => {
      const viewer = await house.account()
      const settled = await Promise.allSettled(
        ['a fox', 'a bear'].map((prompt) => house.create(viewer, { idempotencyKey: 'one', prompt })),
      )
      const made = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value.generation.id] : []))
      const refused = settled.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []))
      expect(made).toHaveLength(1)
      expect(refused).toEqual([expect.any(IdempotencyConflictError)])
      expect(refused[0].generationId).toBe(made[0])
      await expect(house.create(viewer, { idempotencyKey: 'one', prompt: 'an owl' })).rejects.toThrow(
        IdempotencyConflictError,
      )
      expect(await countRows()).toMatchObject({ generations: 1, jobs: 1, events: 1 })
    })

    it('replays whatever the state, and after the model has gone', async () => {
      const viewer = await house.account()
      await house.start()
      const id = await house.order(viewer, { idempotencyKey: 'one' })
      await house.story(viewer, id)
      const later = buildHouse({ database, ids: house.ids, models: [pricedModel({ id: 'test/other' })] })
      const { generation, replayed } = await later.create(viewer, { idempotencyKey: 'one' })
      expect(replayed).toBe(true)
      expect(generation).toMatchObject({ id, status: 'COMPLETED', model: 'test/easel' })
    })

    it('lets a key go after 24 hours, and not before', async () => {
      const viewer = await house.account()
      const id = await house.order(viewer, { idempotencyKey: 'one' })
      await house.clock.advance(24 * HOUR_MS)
      expect((await house.create(viewer, { idempotencyKey: 'one' })).generation.id).toBe(id)
      await house.clock.advance(1)
      const again = await house.create(viewer, { idempotencyKey: 'one', prompt: 'an owl' })
      expect(again.replayed).toBe(false)
      expect(again.generation.id).not.toBe(id)
      expect((await house.create(viewer, { idempotencyKey: 'one', prompt: 'an owl' })).replayed).toBe(true)
    })

    it('says so when what the key made has been deleted', async () => {
      const viewer = await house.account()
      const id = await house.order(viewer, { idempotencyKey: 'one' })
      await house.domain.generations.cancel(viewer, id)
      await house.domain.generations.delete(viewer, id)
      await expect(house.create(viewer, { idempotencyKey: 'one' })).rejects.toMatchObject({
        code: 'INVALID_INPUT',
        fields: [{ path: 'idempotencyKey' }],
      })
    })

    it('keeps the keys of accounts and of end users apart', async () => {
      const [ada, bob] = [await house.account(), await house.account()]
      const viewers = [ada, bob, { ...ada, endUser: 'x' }, { ...ada, endUser: 'y' }]
      const made = await Promise.all(viewers.map((viewer) => house.create(viewer, { idempotencyKey: 'one' })))
      expect(new Set(made.map(({ generation }) => generation.id)).size).toBe(4)
      expect(made.every(({ replayed }) => !replayed)).toBe(true)
    })

    it('leaves the key free when the request it came with was refused', async () => {
      const viewer = await house.account({ billing: 'PREPAID' })
      const refused = house.create(viewer, { idempotencyKey: 'one' })
      await expect(refused).rejects.toThrow(InsufficientCreditsError)
      const grant = { accountId: viewer.accountId, amountMicros: PRICE_MICROS, note: null, now: 0 }
      await database.transact((trx) => house.domain.ledger.grant(trx, grant))
      expect((await house.create(viewer, { idempotencyKey: 'one' })).replayed).toBe(false)
    })
  })

  describe('with too little money', () => {
    it('accepts one of a hundred at once with credit for one', async () => {
      const viewer = await house.account({ billing: 'PREPAID', creditMicros: PRICE_MICROS })
      expect(await acceptedOf(100, InsufficientCreditsError, () => house.create(viewer))).toBe(1)
      expect(await countRows()).toMatchObject({ generations: 1, jobs: 1, events: 1, ledgerEntries: 2 })
      await house.assertInvariants()
    })

    it('tells what is needed and what is left, open holds taken off', async () => {
      const viewer = await house.account({ billing: 'PREPAID', creditMicros: 3 * PRICE_MICROS })
      await house.create(viewer, { count: 2 })
      await expect(house.create(viewer, { count: 2 })).rejects.toMatchObject({
        requiredMicros: 2 * PRICE_MICROS,
        balanceMicros: PRICE_MICROS,
      })
    })

    it('refuses above the cap of the request, and accepts at the cap', async () => {
      const viewer = await house.account()
      await expect(house.create(viewer, { maxCost: '0.039999' })).rejects.toMatchObject({
        code: 'COST_LIMIT',
        estimateMicros: PRICE_MICROS,
        limitMicros: 39_999,
      })
      expect(await countRows()).toMatchObject({ generations: 0, ledgerEntries: 0 })
      await house.create(viewer, { maxCost: '0.04' })
    })

    it.each<[string, (viewer: Viewer) => Viewer]>([
      ['a key in a day', (viewer) => ({ ...viewer, apiKeyId: 'key_1', keyDailySpendMicros: 3 * PRICE_MICROS })],
      ['a token in its life', (viewer) => ({ ...viewer, tokenId: 'tok_1', tokenMaxSpendMicros: 3 * PRICE_MICROS })],
    ])('accepts no more at once than %s may spend', async (_, cap) => {
      const viewer = cap(await house.account())
      expect(await acceptedOf(40, CostLimitError, () => house.create(viewer))).toBe(3)
      expect(await countRows()).toMatchObject({ generations: 3, ledgerEntries: 3 })
      await house.assertInvariants()
    })

    it('accepts no more at once than an account may spend in a day', async () => {
      const viewer = await house.account({ limits: { dailySpendMicros: 3 * PRICE_MICROS } })
      expect(await acceptedOf(40, CostLimitError, () => house.create(viewer))).toBe(3)
      await house.assertInvariants()
    })

    it('counts a key and an account by the UTC day, and a token for its life', async () => {
      const limits = { dailySpendMicros: PRICE_MICROS }
      const account = await house.account({ limits })
      const keyed = { ...(await house.account()), apiKeyId: 'key_1', keyDailySpendMicros: PRICE_MICROS }
      const token = { ...(await house.account()), tokenId: 'tok_1', tokenMaxSpendMicros: PRICE_MICROS }
      for (const viewer of [account, keyed, token]) await house.create(viewer)
      await house.clock.advance(24 * HOUR_MS - 1)
      for (const viewer of [account, keyed, token]) await expect(house.create(viewer)).rejects.toThrow(CostLimitError)
      await house.clock.advance(1)
      for (const viewer of [account, keyed]) await house.create(viewer)
      await expect(house.create(token)).rejects.toThrow(CostLimitError)
      await house.assertInvariants()
    })

    it('gives back to the caps what was held and not spent', async () => {
      const capped = {
        apiKeyId: 'key_1',
        keyDailySpendMicros: PRICE_MICROS,
        tokenId: 'tok_1',
        tokenMaxSpendMicros: PRICE_MICROS,
      }
      const viewer = { ...(await house.account({ limits: { dailySpendMicros: PRICE_MICROS } })), ...capped }
      const id = await house.order(viewer)
      await house.domain.generations.cancel(viewer, id)
      await house.create(viewer)
      await expect(house.create(viewer)).rejects.toThrow(CostLimitError)
      await house.assertInvariants()
    })

    it('counts a hold of yesterday that ends today in neither day twice', async () => {
      const viewer = await house.account({ limits: { dailySpendMicros: 2 * PRICE_MICROS } })
      const yesterday = await house.order(viewer)
      await house.clock.advance(24 * HOUR_MS)
      await house.order(viewer)
      await house.domain.generations.cancel(viewer, yesterday)
      await house.order(viewer)
      await expect(house.create(viewer)).rejects.toThrow(CostLimitError)
      await house.assertInvariants()
    })
  })

  describe('of a price that nobody knows', () => {
    beforeEach(() => {
      house = buildHouse({ database, models: [unpricedModel()] })
    })

    it('accepts without a cap, warns, and charges nothing', async () => {
      const viewer = await house.account()
      await house.start()
      const { generation } = await house.create(viewer)
      expect(generation).toMatchObject({ estimateMaxMicros: null, heldMicros: 0 })
      expect(generation.warnings.map(({ code }) => code)).toEqual(['UNKNOWN_PRICE'])
      await house.story(viewer, generation.id)
      expect(await house.row(generation.id)).toMatchObject({ status: 'COMPLETED', chargedMicros: 0 })
      await house.assertInvariants()
    })

    it.each<[string, Partial<GenerationInput>, Partial<Viewer>]>([
      ['the request', { maxCost: '100' }, {}],
      ['the key', {}, { apiKeyId: 'key_1', keyDailySpendMicros: 1_000_000 }],
      ['the token', {}, { tokenId: 'tok_1', tokenMaxSpendMicros: 1_000_000 }],
    ])('refuses where %s is capped', async (_, input, more) => {
      const viewer = { ...(await house.account()), ...more }
      await expect(house.create(viewer, input)).rejects.toMatchObject({ code: 'COST_LIMIT', estimateMicros: null })
    })

    it('refuses where the account is capped or prepaid', async () => {
      const capped = await house.account({ limits: { dailySpendMicros: 1_000_000 } })
      const prepaid = await house.account({ billing: 'PREPAID', creditMicros: 1_000_000 })
      for (const viewer of [capped, prepaid]) await expect(house.create(viewer)).rejects.toThrow(CostLimitError)
    })
  })

  it('leaves nothing behind when a part of the transaction fails', async () => {
    const viewer = await house.account({ billing: 'PREPAID', creditMicros: PRICE_MICROS })
    const before = await countRows()
    const failing: Database = {
      ...database,
      transact: (work) =>
        database.transact(async (trx) => {
          await work(trx)
          throw new Error('The disk is full.')
        }),
    }
    const broken = buildHouse({ database: failing, ids: house.ids })
    const order = broken.create(viewer, { idempotencyKey: 'one', tags: ['red'] })
    await expect(order).rejects.toThrow('The disk is full.')
    expect(await countRows()).toEqual(before)
    await house.create(viewer, { idempotencyKey: 'one', tags: ['red'] })
    await house.assertInvariants()
  })

  it('refuses malformed input before anything is looked at, every field at once', async () => {
    const viewer = await house.account()
    const order = house.create(viewer, { prompt: ' ', count: 0 })
    await expect(order).rejects.toBeInstanceOf(InvalidInputError)
    await expect(order).rejects.toMatchObject({ fields: [{ path: 'prompt' }, { path: 'count' }] })
  })

  it('stops an account at its requests a minute', async () => {
    const viewer = await house.account({ limits: { requestsPerMinute: 2 } })
    await house.create(viewer)
    await house.create(viewer)
    await expect(house.create(viewer)).rejects.toMatchObject({ code: 'RATE_LIMITED', limitPerMinute: 2 })
    expect(await countRows()).toMatchObject({ generations: 2 })
  })

  it('holds for the dearest of the models that may answer', async () => {
    const dear = pricedModel({ id: 'dear/easel', provider: 'dear' }, '0.10')
    const providers = [createScriptedProvider(), createScriptedProvider({ id: 'dear' })]
    house = buildHouse({ database, providers, models: [pricedModel(), dear] })
    const viewer = await house.account({ billing: 'PREPAID', creditMicros: 250_000 })
    const { generation } = await house.create(viewer, { fallbackModels: ['dear/easel'], count: 2 })
    expect(generation).toMatchObject({ heldMicros: 200_000, estimateMinMicros: 80_000, estimateMaxMicros: 200_000 })
    await house.assertInvariants()
  })
})
