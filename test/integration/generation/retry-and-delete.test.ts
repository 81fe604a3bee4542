import { beforeEach, describe, expect, it } from 'vitest'
import type { RetryOverrides } from '../../../src/generation/services.ts'
import { generationPrefix } from '../../../src/storage/blob-keys.ts'
import type { Database } from '../../../src/store/database.ts'
import type { Viewer } from '../../../src/viewer.ts'
import { describeOnEachDatabase } from '../../support/databases.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { buildHouse, type House, PRICE_MICROS, pricedModel } from '../../support/house.ts'
import { holds } from '../../support/scripted-provider.ts'

const DAY_MS = 24 * 3_600_000

const NONE: RetryOverrides = {
  prompt: null,
  model: null,
  seed: null,
  count: null,
  strict: null,
  providerOptions: null,
}

describeOnEachDatabase('an ended generation', (open) => {
  let database: Database
  let house: House
  let viewer: Viewer

  beforeEach(async () => {
    database = await open()
    house = buildHouse({ database, models: [pricedModel(), pricedModel({ id: 'test/ink' }, '0.02')] })
    viewer = await house.account({ billing: 'PREPAID', creditMicros: 100 * PRICE_MICROS })
    await house.start()
  })

  async function ended(input: Parameters<House['order']>[1] = {}, who = viewer): Promise<string> {
    const id = await house.order(who, input)
    await house.story(who, id)
    return id
  }

  describe('is retried', () => {
    const retry = (id: string, overrides: Partial<RetryOverrides> = {}, key: string | null = null, who = viewer) =>
      house.domain.generations.retry(who, id, { ...NONE, ...overrides }, key)

    it('as it was asked, and points to where it came from', async () => {
      const asked = { prompt: 'a fox', tags: ['red'], metadata: { shot: 1 }, seed: 7, count: 2, endUser: 'x' }
      const id = await ended({ ...asked, idempotencyKey: 'first' })
      const { generation, replayed } = await retry(id)
      expect(replayed).toBe(false)
      expect(generation).toMatchObject({
        parentId: id,
        prompt: 'a fox',
        tags: ['red'],
        metadata: { shot: 1 },
        count: 2,
        endUser: 'x',
        parameters: { seed: 7 },
      })
      expect(generation.id).not.toBe(id)
      await house.story(viewer, generation.id)
      await house.assertInvariants()
    })

    it('with what is asked differently, priced anew', async () => {
      const id = await ended({ count: 1 })
      const { generation } = await retry(id, { prompt: 'an owl', model: 'test/ink', seed: 3, count: 2 })
      expect(generation).toMatchObject({
        prompt: 'an owl',
        model: 'test/ink',
        count: 2,
        parameters: { seed: 3 },
        heldMicros: 40_000,
      })
    })

    it('once under one key, and refuses the key for another retry', async () => {
      const id = await ended()
      const first = await retry(id, {}, 'again')
      const second = await retry(id, {}, 'again')
      expect(second).toMatchObject({ replayed: true, generation: { id: first.generation.id } })
      await expect(retry(id, { prompt: 'an owl' }, 'again')).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' })
      await expect(retry(await ended(), {}, 'again')).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' })
    })

    it('only by whoever may see it', async () => {
      const id = await ended()
      const stranger = await house.account()
      for (const who of [stranger, { ...viewer, endUser: 'x' }]) {
        await expect(retry(id, {}, null, who)).rejects.toMatchObject({ code: 'NOT_FOUND' })
      }
    })

    it('not before its end, nor after it was deleted', async () => {
      const held = holds()
      house.provider.plan(held.plan)
      const id = await house.order(viewer)
      await held.begun
      await expect(retry(id)).rejects.toMatchObject({ code: 'INVALID_INPUT', fields: [{ path: 'id' }] })
      held.release()
      await house.story(viewer, id)
      await house.domain.generations.delete(viewer, id)
      await expect(retry(id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    })
  })

  describe('is deleted', () => {
    const remove = (id: string, who = viewer) => house.domain.generations.delete(who, id)

    async function listKeys(id: string): Promise<string[]> {
      const keys: string[] = []
      for await (const { key } of house.storage.list(generationPrefix(id))) keys.push(key)
      return keys
    }

    it('with prompt, tags, events, images and bytes, and without the money’s trace', async () => {
      const id = await ended({ prompt: 'a secret fox', tags: ['red'], metadata: { name: 'secret' }, count: 2 })
      expect(await listKeys(id)).toHaveLength(2)
      await remove(id)
      await house.pass(1_000)
      expect(await listKeys(id)).toEqual([])
      expect(await database.read.selectFrom('doomedBlobs').selectAll().execute()).toEqual([])
      expect(JSON.stringify([await house.row(id), await attemptsAndEntries(id)])).not.toContain('secret')
      expect(await house.row(id)).toMatchObject({ chargedMicros: 2 * PRICE_MICROS, imageCount: 2, status: 'COMPLETED' })
      const { entries } = await attemptsAndEntries(id)
      expect(entries.map(({ kind }) => kind).sort()).toEqual(['CAPTURE', 'CAPTURE', 'HOLD'])
      await house.assertInvariants()
    })

    async function attemptsAndEntries(id: string) {
      const of = (table: 'attempts' | 'ledgerEntries') =>
        database.read.selectFrom(table).selectAll().where('generationId', '=', id).execute()
      return {
        attempts: await of('attempts'),
        entries: await database.read.selectFrom('ledgerEntries').selectAll().where('generationId', '=', id).execute(),
      }
    }

    it('and is nowhere to be found', async () => {
      const id = await ended({ tags: ['red'] })
      const [image] = await house.domain.reader.imagesOf([id])
      await remove(id)
      const { reader } = house.domain
      const filter = { status: null, model: null, provider: null, tag: null, endUser: null } as const
      const page = { limit: 10, direction: 'forward', after: null, before: null } as const
      const all = { ...filter, createdAfter: null, createdBefore: null, search: null }
      expect(await reader.find(viewer, id)).toBeUndefined()
      expect(await reader.findMany(viewer, [id])).toEqual([])
      expect(await reader.findAtLeast(id, 0)).toBeUndefined()
      expect(await reader.imagesOf([id])).toEqual([])
      expect(await reader.findImages(viewer, [image?.id ?? ''])).toEqual([])
      expect(await reader.history(viewer, { ...page, filter: all })).toMatchObject({ items: [] })
      expect(await reader.countHistory(viewer, all)).toBe(0)
      await expect(remove(id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
      await expect(house.domain.generations.cancel(viewer, id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
      await expect(house.domain.watcher.watch(viewer, id, null)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    })

    it('only after its end', async () => {
      const held = holds()
      house.provider.plan(held.plan)
      const id = await house.order(viewer)
      await held.begun
      await expect(remove(id)).rejects.toMatchObject({ code: 'NOT_FINISHED', generationId: id })
      held.release()
      await house.story(viewer, id)
      await remove(id)
    })

    it('only by whoever may see it', async () => {
      const id = await ended()
      for (const who of [await house.account(), { ...viewer, endUser: 'x' }]) {
        await expect(remove(id, who)).rejects.toMatchObject({ code: 'NOT_FOUND' })
      }
      expect(await house.domain.reader.find(viewer, id)).toMatchObject({ id })
    })

    it('with bytes that a dropped attempt writes afterwards', async () => {
      const held = holds((turn) => turn.send())
      house.provider.plan(held.plan)
      const id = await house.order(viewer)
      const turn = await held.begun
      await house.domain.generations.cancel(viewer, id)
      await remove(id)
      await house.pass(1_000)
      await expect(turn.image(0)).rejects.toThrow()
      expect(await listKeys(id)).toHaveLength(1)
      await house.pass(60_000)
      expect(await listKeys(id)).toEqual([])
    })

    it('by trying again until the bytes are gone, one that fails not keeping the others', async () => {
      const ids = [await ended(), await ended()]
      const clock = createFakeClock(house.clock.now())
      let failures = 3
      const storage: typeof house.storage = {
        ...house.storage,
        async deletePrefix(prefix) {
          if (prefix === generationPrefix(ids[0] ?? '') && failures-- > 0) throw new Error('EIO')
          await house.storage.deletePrefix(prefix)
        },
      }
      const other = buildHouse({ database, ids: house.ids, clock, storage })
      for (const id of ids) await other.domain.generations.delete(viewer, id)
      other.domain.upkeep.start()
      await other.pass(1_000)
      expect([await listKeys(ids[0] ?? ''), await listKeys(ids[1] ?? '')]).toEqual([[expect.any(String)], []])
      await other.pass(180_000)
      expect(await listKeys(ids[0] ?? '')).toEqual([])
      expect(await database.read.selectFrom('doomedBlobs').selectAll().execute()).toEqual([])
    })
  })

  it('has its idempotency key forgotten after a day, and not before', async () => {
    await ended({ idempotencyKey: 'one' })
    const count = async () => (await database.read.selectFrom('idempotencyKeys').selectAll().execute()).length
    for (const [laterMs, left] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const clock = createFakeClock(house.clock.now() + DAY_MS + laterMs)
      const later = buildHouse({ database, ids: house.ids, clock })
      later.domain.upkeep.start()
      await later.pass(1)
      later.kill()
      expect(await count()).toBe(left)
    }
  })
})
