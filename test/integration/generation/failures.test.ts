import { beforeEach, describe, expect, it } from 'vitest'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import type { Database } from '../../../src/store/database.ts'
import type { Viewer } from '../../../src/viewer.ts'
import { describeOnEachDatabase } from '../../support/databases.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { buildHouse, type House, PRICE_MICROS, pricedModel } from '../../support/house.ts'
import { createScriptedProvider, fails, failure, makes, type Plan } from '../../support/scripted-provider.ts'

const BUSY = failure('RATE_LIMITED', 'NOT_ACCEPTED', { retryAfterMs: 5_000 })

describeOnEachDatabase('a failure', (open) => {
  let database: Database
  let house: House
  let viewer: Viewer

  beforeEach(async () => {
    database = await open()
    house = buildHouse({ database })
    viewer = await house.account({ billing: 'PREPAID', creditMicros: 100 * PRICE_MICROS })
    await house.start()
  })

  const endOf = (id: string) => house.endOf(viewer, id)

  async function run(plan: Plan, count = 1) {
    house.provider.plan(plan)
    return endOf(await house.order(viewer, { count }))
  }

  async function balance() {
    const { balanceMicros, heldMicros } = await house.domain.accountService.account(viewer)
    return { balanceMicros, heldMicros }
  }

  describe('of the database at a step of a call', () => {
    let refused = 0

    beforeEach(async () => {
      house.kill()
      const transact: Database['transact'] = (work) => {
        if (refused === 0) return database.transact(work)
        refused -= 1
        return Promise.reject(new Error('The database is away.'))
      }
      house = buildHouse({ database: { ...database, transact }, clock: house.clock, ids: house.ids })
      await house.start()
    })

    it('keeps it from being sent, and tries again', async () => {
      house.provider.plan(async (turn) => {
        refused = 1
        return makes([0])(turn)
      })
      const id = await house.order(viewer)
      const retrying = await house.until(viewer, id, 'RETRYING')
      expect(retrying.at(-1)?.event).toMatchObject({ problem: { code: 'UNAVAILABLE', providerBilled: false } })
      await house.pass(2_000)
      expect(await endOf(id)).toMatchObject({ status: 'COMPLETED', chargedMicros: PRICE_MICROS })
      expect(house.provider.sends).toHaveLength(1)
    })
  })

  describe('of the provider', () => {
    it('ends with a refusal, whatever fallbacks there are', async () => {
      house = withFallback()
      await house.start()
      house.provider.plan(fails(failure('REFUSED', 'ANSWERED')))
      const end = await endOf(await house.order(viewer, { fallbackModels: ['other/easel'] }))
      expect(end).toMatchObject({
        status: 'FAILED',
        chargedMicros: 0,
        error: { code: 'REFUSED', retryable: false, providerBilled: false, billed: false },
      })
      expect(end.attempts).toHaveLength(1)
    })

    it('waits as long as a rate limit asks, and tries again', async () => {
      house.provider.plan(fails(BUSY))
      const id = await house.order(viewer)
      const [, , retrying] = await house.until(viewer, id, 'RETRYING')
      expect(retrying?.event).toMatchObject({ status: 'QUEUED', problem: { code: 'RATE_LIMITED' } })
      expect(await house.row(id)).toMatchObject({ status: 'QUEUED', heldMicros: PRICE_MICROS })
      await house.assertInvariants()
      await house.pass(4_000)
      expect(house.provider.turns).toHaveLength(1)
      await house.pass(1_000)
      const end = await endOf(id)
      expect(end.events).toEqual(['QUEUED', 'STARTED', 'RETRYING', 'STARTED', 'IMAGE_READY', 'COMPLETED'])
      expect(end.attempts).toMatchObject([
        { number: 1, outcome: 'FAILED', problem: { code: 'RATE_LIMITED' } },
        { number: 2, outcome: 'SUCCEEDED' },
      ])
      expect(end).toMatchObject({ chargedMicros: PRICE_MICROS, problems: [] })
    })

    it('fails when the attempts are used up', async () => {
      house.provider.setDefault(fails(failure('UNAVAILABLE', 'NOT_ACCEPTED', { retryAfterMs: 0 })))
      const end = await endOf(await house.order(viewer))
      expect(end).toMatchObject({ status: 'FAILED', chargedMicros: 0, error: { code: 'UNAVAILABLE', retryable: true } })
      expect(end.attempts.map(({ outcome }) => outcome)).toEqual(['FAILED', 'FAILED', 'FAILED'])
      expect(await balance()).toEqual({ balanceMicros: 100 * PRICE_MICROS, heldMicros: 0 })
    })

    it('sends nothing twice whose outcome nobody knows', async () => {
      const end = await run(fails(failure('TIMEOUT', 'UNKNOWN')))
      expect(end).toMatchObject({ status: 'FAILED', chargedMicros: 0 })
      expect(end.error).toMatchObject({ code: 'UNKNOWN_OUTCOME', retryable: true, providerBilled: null })
      expect(house.provider.sends).toHaveLength(1)
    })

    it('takes an error that no adapter may throw for an unknown outcome, and logs it', async () => {
      const end = await run(fails(new TypeError('undefined is not a function')))
      expect(end.error).toMatchObject({ code: 'UNKNOWN_OUTCOME', providerBilled: null })
      expect(end.error?.message).not.toContain('undefined')
      expect(house.logger.lines).toContainEqual(
        expect.objectContaining({ level: 'error', message: 'A provider failed' }),
      )
    })

    it('lets the gravest of several failures decide', async () => {
      const failures = [
        { imageIndex: 0, error: BUSY },
        { imageIndex: 1, error: failure('TIMEOUT', 'UNKNOWN') },
      ]
      const end = await run(makes([], { failures }), 2)
      expect(end).toMatchObject({ status: 'FAILED', error: { code: 'UNKNOWN_OUTCOME', imageIndex: 1 } })
      expect(end.problems.map(({ imageIndex }) => imageIndex)).toEqual([1, 0])
      expect(house.provider.sends).toHaveLength(1)
    })

    it('tries again when every image failed in a way that passes', async () => {
      const failures = [0, 1].map((imageIndex) => ({ imageIndex, error: BUSY }))
      house.provider.plan(makes([], { failures }))
      const id = await house.order(viewer, { count: 2 })
      await house.until(viewer, id, 'RETRYING')
      await house.pass(5_000)
      expect(await endOf(id)).toMatchObject({ status: 'COMPLETED', imageCount: 2 })
    })

    it('does not try again when one image failed and nobody said what became of the other', async () => {
      const end = await run(makes([], { failures: [{ imageIndex: 0, error: BUSY }] }), 2)
      expect(end).toMatchObject({ status: 'FAILED' })
      expect(end.problems.map(({ code }) => code)).toEqual(['RATE_LIMITED', 'TOO_FEW_IMAGES'])
      expect(house.provider.sends).toHaveLength(1)
    })
  })

  function withFallback(): House {
    const dear = pricedModel({ id: 'other/easel', provider: 'other' }, '0.10')
    const providers = [createScriptedProvider(), createScriptedProvider({ id: 'other' })]
    return buildHouse({ database, clock: house.clock, ids: house.ids, providers, models: [pricedModel(), dear] })
  }

  describe('where there is a fallback', () => {
    it.each([
      ['not to be had', failure('QUOTA_EXHAUSTED', 'ANSWERED')],
      ['not allowed', failure('UNAUTHORIZED', 'ANSWERED')],
      ['gone', failure('MODEL_RETIRED', 'ANSWERED')],
    ])('goes on with the other model and its price when the first is %s', async (_, error) => {
      house = withFallback()
      await house.start()
      house.provider.plan(fails(error))
      const id = await house.order(viewer, { fallbackModels: ['other/easel'], count: 2 })
      const end = await endOf(id)
      expect(end).toMatchObject({
        status: 'COMPLETED',
        model: 'other/easel',
        provider: 'other',
        requestedModel: 'test/easel',
        chargedMicros: 200_000,
        estimateMaxMicros: 200_000,
      })
      expect(JSON.parse(end.warnings)).toMatchObject([
        { code: 'FALLBACK_USED', requested: 'test/easel', used: 'other/easel' },
      ])
      expect(end.attempts).toMatchObject([
        { model: 'test/easel', outcome: 'FAILED' },
        { model: 'other/easel', outcome: 'SUCCEEDED' },
      ])
      expect(end.events).toContain('RETRYING')
    })

    it('goes on with the other only when the attempts at the first are used up', async () => {
      house = withFallback()
      await house.start()
      house.provider.setDefault(fails(failure('UNAVAILABLE', 'NOT_ACCEPTED', { retryAfterMs: 0 })))
      const end = await endOf(await house.order(viewer, { fallbackModels: ['other/easel'] }))
      expect(end.attempts.map(({ model }) => model)).toEqual(['test/easel', 'test/easel', 'test/easel', 'other/easel'])
    })

    it('goes on at once where the first wants to be left alone for longer than somebody who named another will wait', async () => {
      house = withFallback()
      await house.start()
      house.provider.setDefault(fails(failure('RATE_LIMITED', 'NOT_ACCEPTED', { retryAfterMs: 20_000 })))
      const end = await endOf(await house.order(viewer, { fallbackModels: ['other/easel'] }))
      expect(end.attempts.map(({ model }) => model)).toEqual(['test/easel', 'other/easel'])
      expect((end.finishedAt ?? 0) - end.createdAt).toBeLessThan(5_000)
    })

    it('asks nobody else where the first may have billed', async () => {
      house = withFallback()
      await house.start()
      house.provider.plan(fails(failure('UNAVAILABLE', 'ANSWERED', { providerBilled: true })))
      const end = await endOf(await house.order(viewer, { fallbackModels: ['other/easel'] }))
      expect(end).toMatchObject({ status: 'FAILED', model: 'test/easel' })
    })

    it('charges the first model’s own price where it answers, and releases the rest', async () => {
      house = withFallback()
      await house.start()
      const end = await endOf(await house.order(viewer, { fallbackModels: ['other/easel'] }))
      expect(end).toMatchObject({ estimateMaxMicros: 100_000, chargedMicros: PRICE_MICROS })
    })
  })

  describe('of the storage', () => {
    function withStorage(refuses: (put: number) => boolean): House {
      const clock = createFakeClock()
      const storage = createMemoryStorage({ clock })
      let puts = 0
      const failing: typeof storage = {
        ...storage,
        put: async (key, bytes) => {
          if (refuses(++puts)) throw new Error('ENOSPC: no space left on device')
          await storage.put(key, bytes)
        },
      }
      return buildHouse({ database, clock, ids: house.ids, storage: failing })
    }

    it('fails at that stage, charges nothing and does not pay the vendor again', async () => {
      house = withStorage(() => true)
      await house.start()
      const end = await endOfPatient(await house.order(viewer, { count: 2 }))
      expect(end).toMatchObject({
        status: 'FAILED',
        chargedMicros: 0,
        error: { code: 'INTERNAL', stage: 'STORAGE', retryable: true, providerBilled: true },
      })
      expect(house.provider.sends).toHaveLength(1)
      expect(await balance()).toEqual({ balanceMicros: 100 * PRICE_MICROS, heldMicros: 0 })
    })

    it('keeps the pictures that it could store', async () => {
      house = withStorage((put) => put >= 2 && put <= 6)
      await house.start()
      const end = await endOfPatient(await house.order(viewer, { count: 3 }))
      expect(end).toMatchObject({ status: 'COMPLETED', imageCount: 2, chargedMicros: 2 * PRICE_MICROS })
      expect(end.problems).toMatchObject([{ stage: 'STORAGE', imageIndex: 1 }])
    })

    it('does not send again for a failure behind it that would pass', async () => {
      house = withStorage(() => true)
      await house.start()
      house.provider.plan(async (turn) => {
        await turn.send()
        await turn.images()
        throw failure('UNAVAILABLE', 'NOT_ACCEPTED')
      })
      const end = await endOfPatient(await house.order(viewer))
      expect(end).toMatchObject({ status: 'FAILED', error: { stage: 'STORAGE' } })
    })

    it('waits for a storage that comes back, and loses nothing', async () => {
      house = withStorage((put) => put <= 4)
      await house.start()
      const end = await endOfPatient(await house.order(viewer, { count: 2 }))
      expect(end).toMatchObject({ status: 'COMPLETED', imageCount: 2, problems: [] })
      expect(house.provider.sends).toHaveLength(1)
    })

    /** Time goes on while it waits. */
    async function endOfPatient(id: string) {
      const [end] = await Promise.all([endOf(id), house.pass(40_000)])
      return end
    }
  })
})
