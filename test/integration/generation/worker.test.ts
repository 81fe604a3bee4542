import { beforeEach, expect, it } from 'vitest'
import type { Database } from '../../../src/store/database.ts'
import type { Viewer } from '../../../src/viewer.ts'
import { describeOnEachDatabase } from '../../support/databases.ts'
import { buildHouse, type House, type HouseOptions, pricedModel } from '../../support/house.ts'
import { createMoment } from '../../support/moment.ts'
import {
  answer,
  createScriptedProvider,
  fails,
  failure,
  makesAll,
  type ScriptedProvider,
} from '../../support/scripted-provider.ts'

describeOnEachDatabase('the worker', (open) => {
  let database: Database

  beforeEach(async () => {
    database = await open()
  })

  /** Counts the calls that run at a time; each goes on when the test says so. */
  function countCalls(provider: ScriptedProvider) {
    const running = new Map<string, () => void>()
    const order: string[] = []
    let most = 0
    provider.setDefault(async (turn) => {
      const moment = createMoment()
      const { prompt } = turn.request
      running.set(prompt, moment.reach)
      order.push(prompt)
      most = Math.max(most, running.size)
      await moment.reached
      running.delete(prompt)
      return makesAll(turn)
    })
    return { running, order, most: () => most, release: (prompt: string) => running.get(prompt)?.() }
  }

  async function finishAll(house: House, calls: ReturnType<typeof countCalls>, ids: readonly string[], viewer: Viewer) {
    let left = ids.length
    const stories = ids.map((id) => house.story(viewer, id).then(() => left--))
    while (left > 0) {
      for (const release of calls.running.values()) release()
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
    await Promise.all(stories)
  }

  const orderMany = async (house: House, viewer: Viewer, names: readonly string[], model?: string) => {
    const ids: string[] = []
    for (const prompt of names) ids.push(await house.order(viewer, { prompt, ...(model && { model }) }))
    return ids
  }

  const names = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix}${index}`)

  async function begin(options: Partial<HouseOptions> = {}) {
    const house = buildHouse({ database, ...options })
    return { house, calls: countCalls(house.provider) }
  }

  it('runs as many at a time as it may, and not one more', async () => {
    const { house, calls } = await begin({ config: { concurrency: 3 } })
    const viewer = await house.account()
    const ids = await orderMany(house, viewer, names('a', 8))
    await house.start()
    await house.pass(250)
    expect(calls.running.size).toBe(3)
    expect(house.domain.worker.running()).toBe(3)
    await finishAll(house, calls, ids, viewer)
    expect(calls.most()).toBe(3)
    await house.assertInvariants()
  })

  it('runs as many of an account as that may, and others beside it', async () => {
    const { house, calls } = await begin()
    const [small, other] = [await house.account({ limits: { concurrentGenerations: 2 } }), await house.account()]
    const ids = await orderMany(house, small, names('small', 6))
    const [otherId] = await orderMany(house, other, ['other'])
    await house.start()
    await house.pass(250)
    expect([...calls.running.keys()].sort()).toEqual(['other', 'small0', 'small1'])
    calls.release('other')
    await house.story(other, otherId ?? '')
    await finishAll(house, calls, ids, small)
    expect(calls.most()).toBe(3)
  })

  it('runs as many at a provider as that takes, and those of others beside them', async () => {
    const other = createScriptedProvider({ id: 'other' })
    const providers = [createScriptedProvider(), other]
    const models = [pricedModel(), pricedModel({ id: 'other/brush', provider: 'other' })]
    const { house, calls } = await begin({ providers, models, config: { providerConcurrency: 2 } })
    const viewer = await house.account()
    const ids = await orderMany(house, viewer, names('a', 5))
    const [otherId] = await orderMany(house, viewer, ['brush'], 'other/brush')
    await house.start()
    await house.story(viewer, otherId ?? '')
    expect([...calls.running.keys()].sort()).toEqual(['a0', 'a1'])
    await finishAll(house, calls, ids, viewer)
    expect(calls.most()).toBe(2)
  })

  it('takes the accounts in turns', async () => {
    const { house, calls } = await begin({ config: { concurrency: 1 } })
    const [crowd, single] = [await house.account(), await house.account()]
    const ids = await orderMany(house, crowd, names('crowd', 20))
    const [singleId] = await orderMany(house, single, ['single'])
    await house.start()
    const done = finishAll(house, calls, ids, crowd)
    await house.story(single, singleId ?? '')
    await done
    expect(calls.order.indexOf('single')).toBeLessThanOrEqual(1)
  })

  it('claims what comes in while it looks, without waiting for the next look', async () => {
    const house = buildHouse({ database })
    const viewer = await house.account()
    await house.start()
    const ids = await Promise.all(names('a', 30).map((prompt) => house.order(viewer, { prompt })))
    await Promise.all(ids.map((id) => house.story(viewer, id)))
    expect(house.provider.sends).toHaveLength(30)
  })

  it('stops asking a provider that fails again and again, and looks now and then', async () => {
    const house = buildHouse({ database, config: { concurrency: 1 } })
    const viewer = await house.account()
    const outage = failure('UNAVAILABLE', 'ANSWERED')
    house.provider.setDefault(fails(outage))
    await house.start()
    for (const id of await orderMany(house, viewer, names('a', 6))) await house.story(viewer, id)
    const health = () => house.domain.models.providers()[0]?.health
    expect(health()).toMatchObject({ state: 'DOWN', message: outage.message })
    await expect(house.create(viewer)).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE', reason: 'DOWN' })
    await house.pass(30_000)
    house.provider.setDefault(makesAll)
    const id = await house.order(viewer)
    await house.story(viewer, id)
    await house.pass(250)
    expect(health()).toMatchObject({ state: 'UP', message: null })
  })

  it('takes an answer of nothing but failures for a failure of the provider', async () => {
    const house = buildHouse({ database })
    const viewer = await house.account()
    const failures = [{ imageIndex: 0, error: failure('UNAVAILABLE', 'ANSWERED') }]
    house.provider.setDefault(async (turn) => {
      await turn.send()
      return answer({ failures })
    })
    await house.start()
    for (const id of await orderMany(house, viewer, names('a', 3))) await house.story(viewer, id)
    await house.pass(250)
    expect(house.domain.models.providers()[0]?.health.state).toBe('DEGRADED')
  })

  it('puts off what it cannot begin, and goes on with the rest', async () => {
    const house = buildHouse({ database })
    const viewer = await house.account()
    const [bad, good] = await orderMany(house, viewer, ['bad', 'good'])
    await database.transact((trx) =>
      trx.updateTable('generations').set({ parameters: 'no json' }).where('prompt', '=', 'bad').execute(),
    )
    await house.start()
    await house.logger.said('Claiming failed')
    await house.pass(1_000)
    await house.story(viewer, good ?? '')
    expect(await house.row(bad ?? '')).toMatchObject({ status: 'QUEUED' })
    await database.transact((trx) =>
      trx.updateTable('generations').set({ parameters: '{}' }).where('prompt', '=', 'bad').execute(),
    )
    await house.pass(10_000)
    await house.story(viewer, bad ?? '')
    await house.assertInvariants()
  })
})
