import { beforeEach, expect, it } from 'vitest'
import type { Database } from '../../../src/store/database.ts'
import type { Viewer } from '../../../src/viewer.ts'
import { describeOnEachDatabase } from '../../support/databases.ts'
import { buildHouse, type House } from '../../support/house.ts'
import { holds, type Turn } from '../../support/scripted-provider.ts'

describeOnEachDatabase('a drain', (open) => {
  let database: Database
  let house: House
  let viewer: Viewer

  beforeEach(async () => {
    database = await open()
    house = buildHouse({ database })
    viewer = await house.account()
    await house.start()
  })

  async function hold(before: (turn: Turn) => Promise<void>) {
    const held = holds(before)
    house.provider.plan(held.plan)
    const id = await house.order(viewer)
    await held.begun
    return { id, ...held }
  }

  it('lets what runs finish and claims nothing more', async () => {
    const { id, release } = await hold((turn) => turn.send())
    const drained = house.domain.worker.drain(60_000)
    const waiting = await house.order(viewer)
    await house.pass(1_000)
    expect(house.provider.turns).toHaveLength(1)
    release()
    await drained
    expect(await house.row(id)).toMatchObject({ status: 'COMPLETED' })
    expect(await house.row(waiting)).toMatchObject({ status: 'QUEUED' })
    await house.assertInvariants()
  })

  it('drops what is not finished in time, without asking the vendor to stop, and the next start goes on', async () => {
    const { id } = await hold((turn) => turn.accept())
    const drained = house.domain.worker.drain(5_000)
    await house.pass(5_000)
    await drained
    expect(house.domain.worker.running()).toBe(0)
    expect(house.provider.canceled).toEqual([])
    expect(await house.row(id)).toMatchObject({ status: 'RUNNING' })
    const second = buildHouse({ database, storage: house.storage, ids: house.ids, clock: house.clock })
    expect(await second.domain.queue.recover()).toBe(1)
    await second.start()
    expect(await second.endOf(viewer, id)).toMatchObject({ status: 'COMPLETED' })
    expect(second.provider.turns).toMatchObject([{ kind: 'resume' }])
  })

  it('does not wait for ever for an adapter that does not listen', async () => {
    const { promise: never } = Promise.withResolvers<never>()
    await hold((turn) => turn.send()).then(({ release }) => release(() => never))
    const drained = house.domain.worker.drain(1_000)
    await house.pass(5_000)
    await drained
    expect(house.domain.worker.running()).toBe(1)
  })
})
