import { beforeEach, describe, expect, it } from 'vitest'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import type { Database } from '../../../src/store/database.ts'
import type { Viewer } from '../../../src/viewer.ts'
import { describeOnEachDatabase } from '../../support/databases.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { buildHouse, type House, type HouseOptions, PRICE_MICROS, pricedModel } from '../../support/house.ts'
import { createScriptedProvider, fails, failure, holds, makesAll, type Turn } from '../../support/scripted-provider.ts'

const LEASE_MS = 15_000

describeOnEachDatabase('recovery', (open) => {
  let database: Database
  let storage: HouseOptions['storage']
  let first: House
  let viewer: Viewer

  beforeEach(async () => {
    database = await open()
    storage = createMemoryStorage({ clock: createFakeClock() })
    first = build()
    viewer = await first.account({ billing: 'PREPAID', creditMicros: 100 * PRICE_MICROS })
    await first.start()
  })

  /** A process with a clock of its own: one that stands still knows nothing of leases that run out. */
  function build(options: Partial<HouseOptions> = {}): House {
    const ids = options.ids ?? first?.ids
    return buildHouse({ database, ...(storage && { storage }), ...(ids && { ids }), ...options })
  }

  /** Another process, some time later. */
  async function takeOver(options: Partial<HouseOptions> = {}): Promise<House> {
    const house = build({ clock: createFakeClock(first.clock.now() + LEASE_MS + 1), ...options })
    house.domain.worker.start()
    house.domain.upkeep.start()
    return house
  }

  const endOf = (house: House, id: string) => house.endOf(viewer, id)

  /** Brings an order of the first process to the place of `before` and holds it there. */
  async function hold(before: (turn: Turn) => Promise<void>, count = 1) {
    const held = holds(before)
    first.provider.plan(held.plan)
    const id = await first.order(viewer, { count })
    const turn = await held.begun
    return { id, turn, ...held }
  }

  describe('of an attempt whose process is gone', () => {
    it('makes a new one where nothing was sent', async () => {
      const { id } = await hold(async () => {})
      first.kill()
      const second = await takeOver()
      const end = await endOf(second, id)
      expect(end).toMatchObject({ status: 'COMPLETED', chargedMicros: PRICE_MICROS })
      expect(end.attempts).toMatchObject([
        { number: 1, phase: 'NOT_SENT', outcome: 'ABANDONED', problem: null },
        { number: 2, phase: 'DONE', outcome: 'SUCCEEDED' },
      ])
      expect(end.events).toEqual(['QUEUED', 'STARTED', 'IMAGE_READY', 'COMPLETED'])
      expect(first.provider.sends).toHaveLength(0)
      expect(second.provider.sends).toHaveLength(1)
    })

    it('goes on with the job that the vendor has, and submits nothing', async () => {
      const { id } = await hold((turn) => turn.accept(), 2)
      first.kill()
      const second = await takeOver()
      const end = await endOf(second, id)
      expect(end).toMatchObject({ status: 'COMPLETED', imageCount: 2, chargedMicros: 2 * PRICE_MICROS })
      const [attempt] = end.attempts
      expect(end.attempts).toMatchObject([{ number: 1, outcome: 'SUCCEEDED' }])
      expect(second.provider.turns).toMatchObject([
        { kind: 'resume', reference: { jobId: `job-of-${attempt?.id}` }, call: { attemptNumber: 1 } },
      ])
      expect(second.provider.sends).toHaveLength(0)
    })

    it('goes on with a job whose model the catalogue has lost meanwhile, and sends nothing more of it', async () => {
      const { id } = await hold((turn) => turn.accept(), 2)
      first.kill()
      const second = await takeOver({ models: [pricedModel({ id: 'test/other' })] })
      const end = await endOf(second, id)
      expect(end).toMatchObject({ status: 'COMPLETED', imageCount: 2, chargedMicros: 2 * PRICE_MICROS })
      expect(second.provider.turns).toMatchObject([
        { kind: 'resume', request: { modelName: 'easel' }, call: { unsendable: { kind: 'MODEL_RETIRED' } } },
      ])
      expect(second.provider.sends).toHaveLength(0)
    })

    it('keeps the image that came before, and takes those that the vendor hands over again once', async () => {
      const { id } = await hold(async (turn) => {
        await turn.accept()
        await turn.image(0)
      }, 3)
      first.kill()
      const end = await endOf(await takeOver(), id)
      expect(end).toMatchObject({ status: 'COMPLETED', imageCount: 3, chargedMicros: 3 * PRICE_MICROS, problems: [] })
      expect(end.events.filter((kind) => kind === 'IMAGE_READY')).toHaveLength(3)
    })

    it('tells of an outcome that nobody can know, charges nothing and sends nothing', async () => {
      const { id } = await hold((turn) => turn.send())
      first.kill()
      const second = await takeOver()
      const end = await endOf(second, id)
      expect(end).toMatchObject({ status: 'FAILED', chargedMicros: 0 })
      expect(end.error).toMatchObject({ code: 'UNKNOWN_OUTCOME', retryable: true, providerBilled: null, billed: false })
      expect(end.attempts).toMatchObject([{ phase: 'SENT_UNKNOWN', outcome: 'ABANDONED' }])
      expect(second.provider.turns).toHaveLength(0)
    })

    it('keeps and charges the images that came before the outcome was lost', async () => {
      const { id } = await hold(async (turn) => {
        await turn.send()
        await turn.image(1)
      }, 3)
      first.kill()
      const end = await endOf(await takeOver(), id)
      expect(end).toMatchObject({ status: 'COMPLETED', imageCount: 1, chargedMicros: PRICE_MICROS })
      expect(end.problems).toMatchObject([{ code: 'UNKNOWN_OUTCOME' }])
      expect(end.problems[0]?.message).toContain('2 of 3')
    })

    it('does not resume where the provider cannot', async () => {
      const { id } = await hold((turn) => turn.accept())
      first.kill()
      const second = await takeOver({ providers: [createScriptedProvider({ canResume: false })] })
      expect(await endOf(second, id)).toMatchObject({ status: 'FAILED', error: { code: 'UNKNOWN_OUTCOME' } })
      expect(second.provider.sends).toHaveLength(0)
    })
  })

  describe('where the operator has chosen to send an unknown outcome once more', () => {
    const config = { unknownOutcome: 'retry-once' } as const

    it('sends it once more after a crash', async () => {
      const { id } = await hold((turn) => turn.send())
      first.kill()
      const second = await takeOver({ config })
      const end = await endOf(second, id)
      expect(end).toMatchObject({ status: 'COMPLETED', chargedMicros: PRICE_MICROS })
      expect(end.attempts).toMatchObject([
        { outcome: 'ABANDONED', problem: { code: 'UNKNOWN_OUTCOME' } },
        { outcome: 'SUCCEEDED' },
      ])
    })

    it('never sends it a third time, whether it crashed or answered with nothing', async () => {
      const { id } = await hold((turn) => turn.send())
      first.kill()
      const providers = [createScriptedProvider()]
      providers[0]?.setDefault(fails(failure('TIMEOUT', 'UNKNOWN')))
      const second = await takeOver({ config, providers })
      const end = await endOf(second, id)
      expect(end).toMatchObject({ status: 'FAILED', error: { code: 'UNKNOWN_OUTCOME' } })
      expect(second.provider.sends).toHaveLength(1)
    })

    it('sends it once more after a lost connection, and says so', async () => {
      const house = await takeOver({ config })
      first.kill()
      house.provider.plan(fails(failure('TIMEOUT', 'UNKNOWN')))
      const id = await house.order(viewer)
      const events = await house.until(viewer, id, 'RETRYING')
      expect(events.at(-1)?.event).toMatchObject({ message: expect.stringContaining('sent once more') })
      await house.pass(1_000)
      expect(await endOf(house, id)).toMatchObject({ status: 'COMPLETED' })
      expect(house.provider.sends).toHaveLength(2)
    })

    it('sends nothing again of which images have come', async () => {
      const { id } = await hold(async (turn) => {
        await turn.send()
        await turn.image(0)
      }, 2)
      first.kill()
      const second = await takeOver({ config })
      expect(await endOf(second, id)).toMatchObject({ status: 'COMPLETED', imageCount: 1 })
      expect(second.provider.sends).toHaveLength(0)
    })
  })

  describe('of an attempt whose process only stood still', () => {
    async function overtaken(before: (turn: Turn) => Promise<void>, count = 1) {
      const held = await hold(before, count)
      const second = await takeOver()
      await endOf(second, held.id)
      const after = await rowsOf(held.id)
      return { ...held, second, after }
    }

    async function rowsOf(id: string) {
      const of = (table: 'attempts' | 'images' | 'events' | 'ledgerEntries') =>
        database.read.selectFrom(table).selectAll().where('generationId', '=', id).execute()
      return Promise.all([first.row(id), of('attempts'), of('images'), of('events'), of('ledgerEntries')])
    }

    it('changes nothing with an image that comes late', async () => {
      const { id, after, release } = await overtaken((turn) => turn.accept(), 2)
      release(makesAll)
      await first.logger.said('Attempt dropped')
      expect(await rowsOf(id)).toEqual(after)
    })

    it('sends nothing once the fence is lost', async () => {
      const { id, after, release } = await overtaken(async () => {})
      release(makesAll)
      await first.logger.said('Attempt dropped')
      expect(first.provider.sends).toHaveLength(0)
      expect(await rowsOf(id)).toEqual(after)
    })

    it('changes nothing by being accepted late', async () => {
      const { id, after, release } = await overtaken((turn) => turn.send())
      release(async (turn) => {
        await turn.call.onAccepted({ jobId: 'late' })
        return makesAll(turn)
      })
      await first.logger.said('Attempt dropped')
      expect(await rowsOf(id)).toEqual(after)
    })

    it('changes nothing by failing or answering late', async () => {
      for (const plan of [fails(failure('REFUSED', 'ANSWERED')), async () => ({ ...EMPTY })]) {
        first.kill()
        first = build()
        await first.start()
        const { id, after, release } = await overtaken((turn) => turn.send())
        release(async (turn) => plan({ ...turn, send: async () => {} }))
        await first.logger.said('Attempt dropped')
        expect(await rowsOf(id)).toEqual(after)
      }
    })

    it('keeps its leases when it wakes before anybody has taken them', async () => {
      // The machine slept: the time has jumped, and which of the worker's timers comes first is chance.
      const clock = createFakeClock()
      let sleptMs = 0
      first.kill()
      first = build({ clock: { ...clock, now: () => clock.now() + sleptMs } })
      await first.start()
      const { id, release } = await hold((turn) => turn.send())
      await first.pass(LEASE_MS / 3)
      sleptMs = 10 * LEASE_MS
      await first.pass(LEASE_MS)
      release()
      const end = await endOf(first, id)
      expect(end).toMatchObject({ status: 'COMPLETED' })
      expect(end.attempts).toHaveLength(1)
    })
  })

  it('asks the vendor to stop, within a heartbeat, what another process has canceled', async () => {
    const { id } = await hold((turn) => turn.accept())
    const other = build({ clock: first.clock })
    await other.domain.generations.cancel(viewer, id)
    expect(first.provider.canceled).toEqual([])
    await first.pass(LEASE_MS / 3)
    await first.logger.said('Attempt dropped')
    expect(first.provider.canceled).toMatchObject([{ jobId: expect.stringContaining('job-of-') }])
  })

  it('leaves the job at the vendor where another process has taken it over', async () => {
    await hold((turn) => turn.accept())
    const provider = createScriptedProvider()
    const held = holds(async () => {})
    provider.plan(held.plan)
    await takeOver({ providers: [provider] })
    await held.begun
    await first.pass(LEASE_MS / 3)
    await first.logger.said('Attempt dropped')
    expect(first.provider.canceled).toEqual([])
  })

  it('does not reap a job whose worker lives', async () => {
    const { id, release } = await hold((turn) => turn.send())
    const other = build({ clock: first.clock })
    other.domain.worker.start()
    await first.pass(4 * LEASE_MS)
    expect(other.provider.turns).toHaveLength(0)
    release()
    expect(await endOf(first, id)).toMatchObject({ status: 'COMPLETED' })
  })

  it('gives up a job that takes every worker down with it', async () => {
    const { id } = await hold(async () => {})
    await database.transact((trx) => trx.updateTable('jobs').set({ claims: 30 }).execute())
    first.kill()
    const second = await takeOver()
    const end = await endOf(second, id)
    expect(end).toMatchObject({ status: 'FAILED', chargedMicros: 0 })
    expect(end.error).toMatchObject({ code: 'INTERNAL', stage: 'QUEUE', retryable: true, providerBilled: false })
    expect(second.provider.turns).toHaveLength(0)
  })
})

const EMPTY = { failures: [], usage: null, reportedUsdMicros: null, requestId: null }
