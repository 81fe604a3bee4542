import { beforeEach, describe, expect, it } from 'vitest'
import type { Database } from '../../../src/store/database.ts'
import type { Viewer } from '../../../src/viewer.ts'
import { describeOnEachDatabase } from '../../support/databases.ts'
import { buildHouse, type House, PRICE_MICROS } from '../../support/house.ts'
import { holds, makesAll, type Turn } from '../../support/scripted-provider.ts'

describeOnEachDatabase('cancel', (open) => {
  let database: Database
  let house: House
  let viewer: Viewer

  beforeEach(async () => {
    database = await open()
    house = buildHouse({ database })
    viewer = await house.account()
  })

  const endOf = (id: string) => house.endOf(viewer, id)

  async function hold(before: (turn: Turn) => Promise<void>, input: { count?: number; deadlineSeconds?: number } = {}) {
    await house.start()
    const held = holds(before)
    house.provider.plan(held.plan)
    const id = await house.order(viewer, input)
    await held.begun
    return { id, ...held }
  }

  const cancel = (id: string, who = viewer) => house.domain.generations.cancel(who, id)

  it('is free while it waits', async () => {
    const id = await house.order(viewer)
    expect(await cancel(id)).toMatchObject({ effect: 'FREE', generation: { id, status: 'CANCELED', heldMicros: 0 } })
    const end = await endOf(id)
    expect(end).toMatchObject({ chargedMicros: 0, events: ['QUEUED', 'CANCELED'], error: null })
    expect(end.problems).toMatchObject([{ code: 'CANCELED', providerBilled: false }])
  })

  it('is free before anything was sent, and nothing is', async () => {
    const { id, release } = await hold(async () => {})
    expect(await cancel(id)).toMatchObject({ effect: 'FREE', generation: { status: 'CANCELED' } })
    release(makesAll)
    await house.logger.said('Attempt dropped')
    expect(house.provider.sends).toHaveLength(0)
    expect(await endOf(id)).toMatchObject({ status: 'CANCELED', attempts: [{ outcome: 'CANCELED' }] })
  })

  it('may cost us, and never the account, once it was sent', async () => {
    const { id } = await hold((turn) => turn.send())
    expect(await cancel(id)).toMatchObject({ effect: 'MAY_BE_BILLED', generation: { status: 'CANCELED' } })
    await house.logger.said('Attempt dropped')
    const end = await endOf(id)
    expect(end).toMatchObject({ chargedMicros: 0, heldMicros: 0, imageCount: 0 })
    expect(end.problems).toMatchObject([{ code: 'CANCELED', providerBilled: null, stage: 'PROVIDER' }])
  })

  it('asks the vendor to stop the job that it has', async () => {
    const { id } = await hold((turn) => turn.accept())
    await cancel(id)
    await house.logger.said('Attempt dropped')
    const [attempt] = (await endOf(id)).attempts
    expect(house.provider.canceled).toEqual([{ jobId: `job-of-${attempt?.id}` }])
  })

  it('keeps and charges the images that are there, and lists the rest', async () => {
    const { id, release } = await hold(
      async (turn) => {
        await turn.send()
        await turn.image(0)
        await turn.image(2)
      },
      { count: 4 },
    )
    expect(await cancel(id)).toMatchObject({ effect: 'MAY_BE_BILLED', generation: { status: 'COMPLETED' } })
    release(makesAll)
    await house.logger.said('Attempt dropped')
    const end = await endOf(id)
    expect(end).toMatchObject({ status: 'COMPLETED', imageCount: 2, chargedMicros: 2 * PRICE_MICROS })
    expect(end.problems).toMatchObject([{ code: 'CANCELED' }])
  })

  it('comes too late after the end, and changes nothing', async () => {
    await house.start()
    const id = await house.order(viewer)
    const before = await endOf(id)
    expect(await cancel(id)).toMatchObject({ effect: 'TOO_LATE', generation: { id, status: 'COMPLETED' } })
    expect(await cancel(id)).toMatchObject({ effect: 'TOO_LATE' })
    expect(await endOf(id)).toEqual(before)
  })

  it('finds nothing that is somebody else’s or does not exist', async () => {
    const id = await house.order(viewer)
    const stranger = await house.account()
    await expect(cancel(id, stranger)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(cancel(id, { ...viewer, endUser: 'x' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(cancel('gen_none')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await house.row(id)).toMatchObject({ status: 'QUEUED' })
  })

  describe('by a deadline', () => {
    it('ends what still waits', async () => {
      house.domain.upkeep.start()
      const id = await house.order(viewer, { deadlineSeconds: 60 })
      await house.pass(59_000)
      expect(await house.row(id)).toMatchObject({ status: 'QUEUED' })
      await house.pass(1_250)
      const end = await endOf(id)
      expect(end).toMatchObject({ status: 'FAILED', chargedMicros: 0, events: ['QUEUED', 'FAILED'] })
      expect(end.error).toMatchObject({ code: 'DEADLINE_EXCEEDED', stage: 'QUEUE', providerBilled: false })
    })

    it('ends what runs, stops the call, and charges nothing', async () => {
      const { id } = await hold((turn) => turn.accept(), { deadlineSeconds: 10 })
      await house.pass(10_250)
      await house.logger.said('Attempt dropped')
      const end = await endOf(id)
      expect(end).toMatchObject({ status: 'FAILED', chargedMicros: 0, attempts: [{ outcome: 'FAILED' }] })
      expect(end.error).toMatchObject({ code: 'DEADLINE_EXCEEDED', stage: 'PROVIDER', providerBilled: null })
      expect(house.provider.canceled).toHaveLength(1)
    })

    it('keeps and charges what was made in time', async () => {
      const plan = async (turn: Turn) => {
        await turn.send()
        await turn.image(1)
      }
      const { id } = await hold(plan, { deadlineSeconds: 10, count: 3 })
      await house.pass(10_250)
      const end = await endOf(id)
      expect(end).toMatchObject({ status: 'COMPLETED', imageCount: 1, chargedMicros: PRICE_MICROS })
      expect(end.problems).toMatchObject([{ code: 'DEADLINE_EXCEEDED' }])
    })

    it('leaves alone what ended in time', async () => {
      await house.start()
      const id = await house.order(viewer, { deadlineSeconds: 1 })
      const before = await endOf(id)
      await house.pass(5_000)
      expect(await endOf(id)).toEqual(before)
    })
  })
})
