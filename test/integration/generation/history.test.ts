import { beforeEach, describe, expect, it } from 'vitest'
import type { GenerationInput } from '../../../src/generation/generation-types.ts'
import type { HistoryFilter, HistoryPage, UsageGroup } from '../../../src/generation/services.ts'
import type { Database } from '../../../src/store/database.ts'
import type { Viewer } from '../../../src/viewer.ts'
import { describeOnEachDatabase } from '../../support/databases.ts'
import { createFakeClock, FAKE_START } from '../../support/fake-clock.ts'
import { buildHouse, type House, type HouseOptions, PRICE_MICROS, pricedModel } from '../../support/house.ts'
import { createScriptedProvider, fails, failure, makes } from '../../support/scripted-provider.ts'

const DAY_MS = 86_400_000
const NO_FILTER: HistoryFilter = {
  status: null,
  model: null,
  provider: null,
  tag: null,
  endUser: null,
  createdAfter: null,
  createdBefore: null,
  search: null,
}

describeOnEachDatabase('looking back', (open) => {
  let database: Database
  let house: House
  let viewer: Viewer

  beforeEach(async () => {
    database = await open()
    house = build({})
    viewer = await house.account()
  })

  function build(options: Partial<HouseOptions>): House {
    const other = pricedModel({ id: 'other/brush', provider: 'other' })
    const providers = [createScriptedProvider(), createScriptedProvider({ id: 'other' })]
    return buildHouse({ database, providers, models: [pricedModel(), other], ...options })
  }

  const page = (given: Partial<HistoryPage>, filter: Partial<HistoryFilter> = {}, who = viewer) =>
    house.domain.reader.history(who, {
      limit: 100,
      direction: 'forward',
      after: null,
      before: null,
      ...given,
      filter: { ...NO_FILTER, ...filter },
    })

  async function find(filter: Partial<HistoryFilter>, who = viewer): Promise<string[]> {
    const { items } = await page({}, filter, who)
    expect(await house.domain.reader.countHistory(who, { ...NO_FILTER, ...filter })).toBe(items.length)
    return items.map(({ id }) => id)
  }

  async function orderMany(count: number, input: Partial<GenerationInput> = {}): Promise<string[]> {
    const ids: string[] = []
    for (let made = 0; made < count; made++) ids.push(await house.order(viewer, input))
    return ids
  }

  describe('through pages', () => {
    it.each([1, 2, 3, 7, 8])('forwards, newest first, %i at a time', async (limit) => {
      const ids = await orderMany(7)
      const seen: string[] = []
      let after: string | null = null
      for (;;) {
        const { items, hasNextPage, hasPreviousPage } = await page({ limit, after })
        seen.push(...items.map(({ id }) => id))
        expect(hasPreviousPage).toBe(after !== null)
        expect(hasNextPage).toBe(seen.length < ids.length)
        if (!hasNextPage) break
        after = seen.at(-1) ?? null
      }
      expect(seen).toEqual(ids.toReversed())
    })

    it.each([1, 2, 3, 7, 8])('backwards, in the same order, %i at a time', async (limit) => {
      const ids = await orderMany(7)
      let seen: string[] = []
      let before: string | null = null
      for (;;) {
        const { items, hasNextPage, hasPreviousPage } = await page({ limit, before, direction: 'backward' })
        seen = [...items.map(({ id }) => id), ...seen]
        expect(hasNextPage).toBe(before !== null)
        expect(hasPreviousPage).toBe(seen.length < ids.length)
        if (!hasPreviousPage) break
        before = seen[0] ?? null
      }
      expect(seen).toEqual(ids.toReversed())
    })

    it('between two cursors', async () => {
      const ids = await orderMany(5)
      const { items } = await page({ after: ids[4] ?? null, before: ids[1] ?? null })
      expect(items.map(({ id }) => id)).toEqual([ids[3], ids[2]])
    })

    it('of a filter, all made in one millisecond', async () => {
      const [red, blue] = [await orderMany(3, { tags: ['red'] }), await orderMany(3, { tags: ['blue'] })]
      const first = await page({ limit: 2 }, { tag: 'red' })
      expect(first.items.map(({ id }) => id)).toEqual([red[2], red[1]])
      const second = await page({ limit: 2, after: red[1] ?? null }, { tag: 'red' })
      expect(second.items.map(({ id }) => id)).toEqual([red[0]])
      expect(second.hasNextPage).toBe(false)
      const back = await page({ limit: 2, before: red[0] ?? null, direction: 'backward' }, { tag: 'red' })
      expect(back.items.map(({ id }) => id)).toEqual([red[2], red[1]])
      expect(back.hasPreviousPage).toBe(false)
      expect(blue).toHaveLength(3)
    })

    it('of nothing', async () => {
      expect(await page({})).toEqual({ items: [], hasNextPage: false, hasPreviousPage: false })
    })
  })

  describe('by a filter', () => {
    it('of status, model, provider, tag, end user and time', async () => {
      const ids = {
        canceled: await house.order(viewer, { prompt: 'one', tags: ['red', 'big'] }),
        brush: await house.order(viewer, { model: 'other/brush', tags: ['red'] }),
      }
      await house.domain.generations.cancel(viewer, ids.canceled)
      await house.clock.advance(1_000)
      const later = await house.order(viewer, { endUser: 'ann' })
      expect(await find({})).toEqual([later, ids.brush, ids.canceled])
      expect(await find({ status: ['CANCELED'] })).toEqual([ids.canceled])
      expect(await find({ status: ['QUEUED', 'CANCELED'] })).toEqual([later, ids.brush, ids.canceled])
      expect(await find({ status: [] })).toEqual([])
      expect(await find({ model: 'other/brush' })).toEqual([ids.brush])
      expect(await find({ provider: 'other' })).toEqual([ids.brush])
      expect(await find({ tag: 'red' })).toEqual([ids.brush, ids.canceled])
      expect(await find({ tag: 'red', status: ['QUEUED'] })).toEqual([ids.brush])
      expect(await find({ tag: 'none' })).toEqual([])
      expect(await find({ endUser: 'ann' })).toEqual([later])
      expect(await find({ createdAfter: FAKE_START + 1_000 })).toEqual([later])
      expect(await find({ createdAfter: FAKE_START + 1_001 })).toEqual([])
      expect(await find({ createdBefore: FAKE_START + 1_000 })).toEqual([ids.brush, ids.canceled])
    })

    it('shows neither another account’s nor another end user’s, whatever is asked for', async () => {
      const ann = { ...viewer, endUser: 'ann' }
      const id = await house.order(ann, { tags: ['red'] })
      const stranger = await house.account()
      const ben = { ...viewer, endUser: 'ben' }
      for (const who of [stranger, ben]) {
        expect(await find({}, who)).toEqual([])
        expect(await find({ tag: 'red' }, who)).toEqual([])
        expect(await find({ endUser: 'ann' }, who)).toEqual([])
        expect(await house.domain.reader.find(who, id)).toBeUndefined()
        expect(await house.domain.reader.findMany(who, [id])).toEqual([])
      }
      expect(await find({}, ann)).toEqual([id])
    })
  })

  describe('by words of the prompt', () => {
    it.each<[string, string, boolean]>([
      ['a red FOX in snow', 'fox', true],
      ['a red fox in snow', 'SNOW red', true],
      ['a red fox in snow', 'fox owl', false],
      ['a red fox in snow', '  ', true],
      ['100% wool', '100%', true],
      ['100 wool', '100%', false],
      ['a snake_case name', 'e_c', true],
      ['a snakeXcase name', 'e_c', false],
      ['a \\ in a path', '\\', true],
      ['no such thing', '\\', false],
      ['C:\\temp\\%x', '\\temp\\%', true],
      ["it's a 'quoted' word", "'quoted'", true],
      ['Über den Wolken', 'Über', true],
      ['ein Baum über dem Fluß', 'über fluß', true],
      ['画像 of a 犬', '犬', true],
    ])('%j has %j: %s', async (prompt, search, found) => {
      const id = await house.order(viewer, { prompt })
      expect(await find({ search })).toEqual(found ? [id] : [])
    })
  })

  describe('at what was used', () => {
    const usage = (groupBy: UsageGroup, who = viewer, span: { from?: number; to?: number } = {}) =>
      house.domain.reader.usage(who, { from: FAKE_START - DAY_MS, to: FAKE_START + 10 * DAY_MS, groupBy, ...span })

    beforeEach(async () => {
      await house.start()
      const run = async (input: Partial<GenerationInput>, who = viewer) => {
        const id = await house.order(who, input)
        await house.story(who, id)
        return id
      }
      await run({ count: 2, tags: ['red', 'big'], endUser: 'ann' })
      house.provider.plan(makes([0]))
      await run({ count: 3, tags: ['red'] })
      house.provider.plan(fails(failure('REFUSED', 'ANSWERED')))
      await run({ endUser: 'ben' })
      house.kill()
      house = build({ ids: house.ids, clock: createFakeClock(FAKE_START + DAY_MS) })
      await house.start()
      const deleted = await run({ model: 'other/brush', tags: ['big'] })
      await house.domain.generations.delete(viewer, deleted)
      await run({}, await house.account())
    })

    const bucket = (key: string, generations: number, images: number, failed = 0) => ({
      key,
      generations,
      images,
      failed,
      chargedMicros: images * PRICE_MICROS,
    })

    it('by day, in UTC, what was deleted counted too', async () => {
      expect(await usage('DAY')).toEqual([bucket('2026-01-01', 3, 3, 1), bucket('2026-01-02', 1, 1)])
    })

    it('by model and by provider', async () => {
      expect(await usage('MODEL')).toEqual([bucket('other/brush', 1, 1), bucket('test/easel', 3, 3, 1)])
      expect(await usage('PROVIDER')).toEqual([bucket('other', 1, 1), bucket('test', 3, 3, 1)])
    })

    it('by tag, each of several, and under no name what has none or lost it by deletion', async () => {
      expect(await usage('TAG')).toEqual([bucket('', 2, 1, 1), bucket('big', 1, 2), bucket('red', 2, 3)])
    })

    it('by end user', async () => {
      expect(await usage('END_USER')).toEqual([bucket('', 2, 2), bucket('ann', 1, 2), bucket('ben', 1, 0, 1)])
    })

    it('of an end user alone for a token of that end user', async () => {
      expect(await usage('MODEL', { ...viewer, endUser: 'ann' })).toEqual([bucket('test/easel', 1, 2)])
    })

    it('from a moment on and before another', async () => {
      const [from, to] = [FAKE_START, FAKE_START + DAY_MS]
      expect(await usage('MODEL', viewer, { from, to })).toEqual([bucket('test/easel', 3, 3, 1)])
      expect(await usage('MODEL', viewer, { from: to })).toEqual([bucket('other/brush', 1, 1)])
      expect(await usage('MODEL', viewer, { from: to + 1 })).toEqual([])
    })
  })

  it('tells the place of what waits, and how long that may take by the latest runs', async () => {
    const { reader, models } = house.domain
    const [first, second] = await orderMany(2)
    const place = async (id: string | undefined) => {
      const generation = await reader.find(viewer, id ?? '')
      return generation && reader.queuePlace(generation)
    }
    expect(await place(first)).toEqual({ position: 1, expectedWaitMs: null })
    expect(await place(second)).toEqual({ position: 2, expectedWaitMs: null })
    expect(await models.statistics('test/easel')).toBeNull()
    await house.start()
    for (const id of [...(await orderMany(4)), second ?? '']) await house.story(viewer, id)
    await house.clock.advance(5_000)
    expect(await models.statistics('test/easel')).toEqual({ latencyMs: { p50: 0, p90: 0 }, successRate: 1 })
    expect(await place(first)).toBeNull()
  })
})
