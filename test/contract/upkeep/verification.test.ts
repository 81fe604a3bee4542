import { sql } from 'kysely'
import { beforeEach, describe, expect, it } from 'vitest'
import { imageBlobKey } from '../../../src/storage/blob-keys.ts'
import type { Database } from '../../../src/store/database.ts'
import { type Breach, verify } from '../../../src/upkeep/verification.ts'
import type { Viewer } from '../../../src/viewer.ts'
import { describeOnEachDatabase } from '../../support/databases.ts'
import { buildHouse, type House, PRICE_MICROS } from '../../support/house.ts'
import { fails, failure, holds } from '../../support/scripted-provider.ts'
import { createTinyPng } from '../../support/tiny-png.ts'

const SHA = '0123456789abcdef'.repeat(4)

describeOnEachDatabase('verify', (open) => {
  let database: Database
  let house: House
  let viewer: Viewer
  /** Completed, failed, waiting. */
  let made: string
  let failed: string
  let waiting: string

  beforeEach(async () => {
    database = await open()
    house = buildHouse({ database })
    viewer = await house.account({
      billing: 'PREPAID',
      creditMicros: 100 * PRICE_MICROS,
      limits: { concurrentGenerations: 1 },
    })
    await house.start()
    made = await house.order(viewer, { count: 2, tags: ['red'], idempotencyKey: 'one' })
    await house.endOf(viewer, made)
    house.provider.plan(fails(failure('REFUSED', 'ANSWERED')))
    failed = await house.order(viewer)
    await house.endOf(viewer, failed)
    const held = holds()
    house.provider.plan(held.plan)
    await house.order(viewer)
    await held.begun
    waiting = await house.order(viewer)
  })

  const look = (options: Partial<Parameters<typeof verify>[0]> = {}) =>
    verify({ database, storage: house.storage, ...options })

  const change = (statement: ReturnType<typeof sql>) => database.transact((trx) => statement.execute(trx))

  async function keyOf(imageIndex: number): Promise<{ id: string; blobKey: string }> {
    const images = await house.domain.reader.imagesOf([made])
    const image = images[imageIndex]
    if (image === undefined) throw new Error('There is no such image.')
    return image
  }

  it('finds nothing wrong with a house at work', async () => {
    expect(await look({ leasesAt: house.clock.now() })).toMatchObject({
      breaches: [],
      checked: { recordedBlobs: 2, storedBlobs: 2 },
      leftOver: { count: 0 },
      foreign: { count: 0 },
    })
  })

  describe('names the rule and the row when', () => {
    type Ids = { readonly made: string; readonly failed: string; readonly waiting: string; readonly account: string }
    const faults: readonly [
      what: string,
      rule: string,
      statement: (ids: Ids) => ReturnType<typeof sql>,
      who: keyof Ids,
    ][] = [
      [
        'a balance is off',
        'the balance of an account is the sum of its entries',
        ({ account }) => sql`update "accounts" set "balanceMicros" = "balanceMicros" + 1 where "id" = ${account}`,
        'account',
      ],
      [
        'open holds are off',
        'the open holds of an account are the sum of its entries',
        ({ account }) => sql`update "accounts" set "heldMicros" = "heldMicros" + 1 where "id" = ${account}`,
        'account',
      ],
      [
        'the spending of a day is off',
        'what an account has spent in its day is what it holds and was charged for that day',
        ({ account }) => sql`update "accounts" set "spentMicros" = "spentMicros" + 1 where "id" = ${account}`,
        'account',
      ],
      [
        'a capture was taken twice as dear',
        'an ended generation was charged what was captured',
        ({ made: id }) => sql`update "generations" set "chargedMicros" = "chargedMicros" + 1 where "id" = ${id}`,
        'made',
      ],
      [
        'an image row is gone',
        'the images that are counted are there',
        ({ made: id }) => sql`delete from "images" where "generationId" = ${id} and "imageIndex" = 1`,
        'made',
      ],
      [
        'a failure does not say why',
        'what failed says why',
        ({ failed: id }) => sql`update "generations" set "error" = null where "id" = ${id}`,
        'failed',
      ],
      [
        'an event is gone',
        'events count from 1 without a gap up to the sequence of their generation',
        ({ made: id }) => sql`delete from "events" where "generationId" = ${id} and "sequence" = 2`,
        'made',
      ],
      [
        'a job is gone',
        'what waits has a job that nobody has claimed',
        ({ waiting: id }) => sql`delete from "jobs" where "generationId" = ${id}`,
        'waiting',
      ],
      [
        'an attempt never ended',
        'what runs has one open attempt, and any other none',
        ({ made: id }) => sql`update "attempts" set "outcome" = null where "generationId" = ${id}`,
        'made',
      ],
      [
        'a tag was left behind',
        'a row of generationTags has a generation',
        ({ made: id }) => sql`update "generationTags" set "generationId" = 'gen_gone' where "generationId" = ${id}`,
        'made',
      ],
    ]

    it.each(faults)('%s', async (_, rule, statement, who) => {
      const ids = { made, failed, waiting, account: viewer.accountId }
      await change(statement(ids))
      const { breaches } = await look()
      const found = breaches.find((breach) => breach.rule === rule)
      const expected = rule.startsWith('a row of') ? 'gen_gone' : ids[who]
      expect(found).toEqual({ rule, count: 1, ids: [expected] } satisfies Breach)
    })

    it('a key or token counter is off', async () => {
      await change(sql`insert into "spendCounters" ("scope", "day", "spentMicros") values ('key:key_1', 3, 5)`)
      await change(sql`insert into "spendCounters" ("scope", "day", "spentMicros") values ('token:tok_1', 0, 5)`)
      const { breaches } = await look()
      expect(breaches.flatMap(({ ids }) => ids)).toEqual(['key:key_1', 'token:tok_1'])
    })
  })

  describe('names the image', () => {
    it('whose bytes are gone', async () => {
      const { id, blobKey } = await keyOf(0)
      await house.storage.delete(blobKey)
      const rule = 'the bytes of images, inputs and uploads are in storage'
      for (const quick of [false, true]) {
        expect((await look({ quick })).breaches).toEqual([{ rule, count: 1, ids: [id] }])
      }
    })

    it('of which one byte is another, unless it is quick', async () => {
      const { id, blobKey } = await keyOf(1)
      const bytes = Buffer.from((await house.storage.get(blobKey)) ?? [])
      bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
      await house.storage.put(blobKey, bytes)
      const rule = 'the bytes of images, inputs and uploads are those that were recorded'
      expect((await look()).breaches).toEqual([{ rule, count: 1, ids: [id] }])
      expect((await look({ quick: true })).breaches).toEqual([])
      await house.storage.put(blobKey, bytes.subarray(1))
      expect((await look({ quick: true })).breaches).toEqual([{ rule, count: 1, ids: [id] }])
    })

    it('and not one that is deleted while it looks', async () => {
      const storage: typeof house.storage = {
        ...house.storage,
        async find(key) {
          await house.domain.generations.delete(viewer, made).catch(() => undefined)
          await house.storage.deletePrefix(`${made}/`)
          return house.storage.find(key)
        },
      }
      expect((await look({ storage })).breaches).toEqual([])
    })
  })

  describe('tells apart, of bytes that no row needs,', () => {
    const bytes = createTinyPng(9)

    it('those of nobody and of the deleted, which are a fault', async () => {
      const stray = imageBlobKey({ generationId: 'gen_00009999', sha256: SHA, extension: 'png' })
      await house.storage.put(stray, bytes)
      await house.storage.put('uploads/upl_00009999/'.concat(SHA, '.png'), bytes)
      await house.domain.generations.delete(viewer, made)
      await house.pass(1_000)
      const variant = `variants/${made}/${SHA}/w100-inside-01234567.png`
      await house.storage.put(variant, bytes)
      const { breaches } = await look()
      const keys = [stray, `uploads/upl_00009999/${SHA}.png`, variant]
      expect(breaches).toEqual([
        { rule: 'bytes belong to a row or are doomed', count: 3, ids: expect.arrayContaining(keys) },
      ])
    })

    it('those of an ended generation that does without them, and those that somebody else has put there', async () => {
      const leftOver = imageBlobKey({ generationId: failed, sha256: SHA, extension: 'png' })
      await house.storage.put(leftOver, bytes)
      await house.storage.put('holiday/beach.png', bytes)
      expect(await look()).toMatchObject({
        breaches: [],
        leftOver: { count: 1, ids: [leftOver] },
        foreign: { count: 1, ids: ['holiday/beach.png'] },
      })
    })

    it('those that wait to be deleted, and those of a generation that has not ended', async () => {
      await house.storage.put(imageBlobKey({ generationId: waiting, sha256: SHA, extension: 'png' }), bytes)
      await house.domain.generations.delete(viewer, failed)
      await house.storage.put(imageBlobKey({ generationId: failed, sha256: SHA, extension: 'png' }), bytes)
      await change(sql`insert into "doomedBlobs" ("prefix", "doomedAt") values ('gen_00007777', 1)`)
      await house.storage.put(imageBlobKey({ generationId: 'gen_00007777', sha256: SHA, extension: 'png' }), bytes)
      expect(await look()).toMatchObject({ leftOver: { count: 0 }, foreign: { count: 0 } })
    })
  })

  it('counts all that breaks a rule, and tells the first ids', async () => {
    await change(sql`delete from "events"`)
    const { breaches } = await look({ maxIds: 2 })
    const found = breaches.find(({ rule }) => rule.startsWith('events count'))
    expect(found).toMatchObject({ count: 4, ids: [expect.any(String), expect.any(String)] })
  })
})
