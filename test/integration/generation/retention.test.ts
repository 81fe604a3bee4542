import { beforeEach, expect, it } from 'vitest'
import { generationPrefix } from '../../../src/storage/blob-keys.ts'
import type { Database } from '../../../src/store/database.ts'
import type { Viewer } from '../../../src/viewer.ts'
import { describeOnEachDatabase } from '../../support/databases.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { buildHouse, type House, type HouseOptions, PRICE_MICROS } from '../../support/house.ts'
import { holds } from '../../support/scripted-provider.ts'

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000

describeOnEachDatabase('generations are kept', (open) => {
  let database: Database
  let house: House
  let viewer: Viewer

  beforeEach(async () => {
    database = await open()
    house = buildHouse({ database })
    viewer = await house.account({ billing: 'PREPAID', creditMicros: 100 * PRICE_MICROS })
    await house.start()
  })

  async function ended(): Promise<string> {
    const id = await house.order(viewer, { prompt: 'a secret fox', tags: ['red'] })
    await house.story(viewer, id)
    return id
  }

  /** The same house after a restart, so much later. */
  function later(ms: number, options: Partial<HouseOptions> = {}): House {
    house.kill()
    const clock = createFakeClock(house.clock.now() + ms)
    return buildHouse({ database, storage: house.storage, ids: house.ids, clock, ...options })
  }

  async function listBytes(id: string): Promise<string[]> {
    const keys: string[] = []
    for await (const { key } of house.storage.list(generationPrefix(id))) keys.push(key)
    return keys
  }

  it('for ever unless the operator says otherwise', async () => {
    const id = await ended()
    const next = later(1000 * DAY_MS)
    next.domain.upkeep.start()
    await next.pass(MINUTE_MS)
    const generation = await next.domain.reader.find(viewer, id)
    expect(generation && next.domain.retention.expiresAt(generation)).toBeNull()
    expect(await listBytes(id)).toHaveLength(1)
  })

  it('until their time is over, counted from their end, and then go with prompt, events, images and bytes', async () => {
    const id = await ended()
    const { finishedAt } = await house.row(id)
    const next = later(DAY_MS - 10 * MINUTE_MS, { config: { retentionMs: DAY_MS } })
    const generation = await next.domain.reader.find(viewer, id)
    const expiresAt = generation && next.domain.retention.expiresAt(generation)
    expect(expiresAt).toBe((finishedAt ?? 0) + DAY_MS)
    next.domain.upkeep.start()
    await next.pass(9 * MINUTE_MS)
    expect(await next.domain.reader.find(viewer, id)).toMatchObject({ prompt: 'a secret fox' })
    expect(await next.domain.reader.findAtLeast(id, 0)).toBeDefined()

    await next.pass((expiresAt ?? 0) - next.clock.now() + MINUTE_MS)
    expect(await next.domain.reader.find(viewer, id)).toBeUndefined()
    expect(await next.domain.reader.findAtLeast(id, 0)).toBeUndefined()
    expect(await listBytes(id)).toEqual([])
    expect(JSON.stringify(await next.row(id))).not.toContain('secret')
    expect(await next.row(id)).toMatchObject({ chargedMicros: PRICE_MICROS, status: 'COMPLETED' })
    for (const table of ['events', 'images', 'generationTags', 'doomedBlobs'] as const) {
      expect(await database.read.selectFrom(table).selectAll().execute()).toEqual([])
    }
    await next.assertInvariants()
  })

  it('as long as the setting of today says, also those from before it was made', async () => {
    const id = await ended()
    const next = later(20 * DAY_MS, { config: { retentionMs: 30 * DAY_MS } })
    next.domain.upkeep.start()
    await next.pass(MINUTE_MS)
    expect(await next.domain.reader.find(viewer, id)).toBeDefined()
    next.kill()
    const shorter = later(20 * DAY_MS, { config: { retentionMs: 10 * DAY_MS } })
    shorter.domain.upkeep.start()
    await shorter.pass(1_000)
    expect(await shorter.domain.reader.find(viewer, id)).toBeUndefined()
  })

  it('no longer in bytes than in rows, however many are deleted at once', async () => {
    const doomedAt = house.clock.now()
    const rows = Array.from({ length: 120 }, (_, index) => ({ prefix: `gen_doomed${index}`, doomedAt }))
    await database.transact((trx) => trx.insertInto('doomedBlobs').values(rows).execute())
    const next = later(0)
    next.domain.upkeep.start()
    await next.pass(1_000)
    expect(await database.read.selectFrom('doomedBlobs').selectAll().execute()).toEqual([])
  })

  it('while they run, however long that takes', async () => {
    const held = holds()
    const next = later(0, { config: { retentionMs: MINUTE_MS }, providers: [house.provider] })
    house.provider.plan(held.plan)
    await next.start()
    const id = await next.order(viewer)
    await held.begun
    await next.pass(5 * MINUTE_MS)
    const running = await next.domain.reader.find(viewer, id)
    expect(running && next.domain.retention.expiresAt(running)).toBeNull()
    held.release()
    await next.story(viewer, id)
    expect(await next.domain.reader.find(viewer, id)).toMatchObject({ status: 'COMPLETED' })
    await next.pass(3 * MINUTE_MS)
    expect(await next.domain.reader.find(viewer, id)).toBeUndefined()
  })

  it('no longer than due when there are many, whoever they belong to, and others go on meanwhile', async () => {
    const stranger = await house.account()
    const ids = await Promise.all(Array.from({ length: 120 }, (_, index) => house.order(index % 2 ? stranger : viewer)))
    for (const id of ids) await house.story(ids.indexOf(id) % 2 ? stranger : viewer, id)
    const next = later(2 * DAY_MS, { config: { retentionMs: DAY_MS } })
    await next.start()
    const fresh = await next.order(viewer)
    await next.story(viewer, fresh)
    await next.pass(1_000)
    const left = await database.read.selectFrom('generations').select('id').where('deletedAt', 'is', null).execute()
    expect(left).toEqual([{ id: fresh }])
    expect(await listBytes(fresh)).toHaveLength(1)
    for (const id of ids) expect(await listBytes(id)).toEqual([])
    await next.assertInvariants()
  })
})
