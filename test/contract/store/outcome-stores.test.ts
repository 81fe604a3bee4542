import { beforeEach, describe, expect, it } from 'vitest'
import type { Database, Trx } from '../../../src/store/database.ts'
import { lockAccountFeed } from '../../../src/store/dialect.ts'
import {
  doomBlobs,
  forgetDoomedBlobs,
  hastenDoom,
  listDoomedBlobs,
  pardonBlobs,
} from '../../../src/store/doomed-store.ts'
import {
  deleteEvents,
  findLatestPosition,
  insertEvent,
  listEventsOfAccount,
  listEventsOfGeneration,
} from '../../../src/store/event-store.ts'
import { insertGeneration } from '../../../src/store/generation-store.ts'
import {
  claimIdempotencyKey,
  deleteExpiredIdempotencyKeys,
  findIdempotencyRecord,
  listGenerationsOfKeys,
} from '../../../src/store/idempotency-store.ts'
import {
  deleteImages,
  findImage,
  findImagesOfAccount,
  insertImageIfAbsent,
  listImagesOfGenerations,
} from '../../../src/store/image-store.ts'
import type { ImageRow } from '../../../src/store/tables.ts'
import { insertAccount } from '../../support/account-rows.ts'
import { describeOnEachDatabase } from '../../support/databases.ts'
import { generationRow } from '../../support/generation-rows.ts'

describeOnEachDatabase('the stores of outcomes', (open) => {
  let database: Database

  beforeEach(async () => {
    database = await open()
    await run((trx) => insertAccount(trx, { id: 'acc_1' }))
  })

  const run = <T>(work: (trx: Trx) => Promise<T>) => database.transact(work)

  describe('images', () => {
    const insert = (row: Partial<ImageRow> = {}) => run((trx) => insertImageIfAbsent(trx, imageRow(row)))

    it('are kept once for each index, the first one', async () => {
      expect(await insert({ seed: Number.MAX_SAFE_INTEGER })).toBe(true)
      expect(await insert({ id: 'img_2', sha256: 'other' })).toBe(false)
      expect(await insert({ id: 'img_3', imageIndex: 1 })).toBe(true)
      const images = await listImagesOfGenerations(database.read, ['gen_1'])
      expect(images).toEqual([imageRow({ seed: Number.MAX_SAFE_INTEGER }), imageRow({ id: 'img_3', imageIndex: 1 })])
    })

    it('refuse an id that is taken', async () => {
      await insert()
      await expect(insert({ generationId: 'gen_2' })).rejects.toThrow(/unique/i)
    })

    it('are listed by generation and index', async () => {
      await insert({ id: 'img_a', generationId: 'gen_2', imageIndex: 1 })
      await insert({ id: 'img_b', generationId: 'gen_2', imageIndex: 0 })
      await insert({ id: 'img_c', generationId: 'gen_1', imageIndex: 0 })
      const images = await listImagesOfGenerations(database.read, ['gen_2', 'gen_1', 'gen_3'])
      expect(images.map(({ id }) => id)).toEqual(['img_c', 'img_b', 'img_a'])
      expect(await listImagesOfGenerations(database.read, [])).toEqual([])
    })

    it('are found by their account and end user alone', async () => {
      await run((trx) => insertGeneration(trx, generationRow({ id: 'gen_1', endUser: 'ann' }), []))
      await insert()
      const found = async (accountId: string, endUser: string | null) =>
        (await findImagesOfAccount(database.read, { ids: ['img_1', 'img_2'], accountId, endUser })).length
      expect(await found('acc_1', null)).toBe(1)
      expect(await found('acc_1', 'ann')).toBe(1)
      expect(await found('acc_1', 'ben')).toBe(0)
      expect(await found('acc_2', null)).toBe(0)
      expect(await findImagesOfAccount(database.read, { ids: [], accountId: 'acc_1', endUser: null })).toEqual([])
      expect(await findImage(database.read, 'img_1')).toEqual(imageRow())
    })

    it('are deleted with their generation alone', async () => {
      await insert()
      await insert({ id: 'img_2', generationId: 'gen_2' })
      await run((trx) => deleteImages(trx, 'gen_1'))
      expect(await findImage(database.read, 'img_1')).toBeUndefined()
      expect(await findImage(database.read, 'img_2')).toBeDefined()
    })
  })

  describe('doomed bytes', () => {
    const doom = (prefix: string, doomedAt: number) => run((trx) => doomBlobs(trx, prefix, doomedAt))

    it('are listed from the one that waits longest, and forgotten', async () => {
      await doom('gen_2', 20)
      await doom('gen_1', 10)
      await doom('gen_3', 30)
      const [first, second] = await listDoomedBlobs(database.read, 99, 2)
      expect([first?.prefix, second?.prefix]).toEqual(['gen_1', 'gen_2'])
      await run(async (trx) => first && forgetDoomedBlobs(trx, first))
      expect((await listDoomedBlobs(database.read, 99, 9)).map(({ prefix }) => prefix)).toEqual(['gen_2', 'gen_3'])
    })

    it('that were doomed anew meanwhile are not forgotten', async () => {
      await doom('gen_1', 10)
      const [listed] = await listDoomedBlobs(database.read, 99, 1)
      await doom('gen_1', 11)
      await run(async (trx) => listed && forgetDoomedBlobs(trx, listed))
      expect(await listDoomedBlobs(database.read, 99, 1)).toEqual([{ prefix: 'gen_1', doomedAt: 11 }])
    })

    it('are listed when their time has come, and not before', async () => {
      await doom('gen_1', 10)
      expect(await listDoomedBlobs(database.read, 9, 1)).toEqual([])
      expect(await listDoomedBlobs(database.read, 10, 1)).toHaveLength(1)
    })

    it('are hastened unless they were pardoned', async () => {
      await doom('gen_1', 500)
      for (const prefix of ['gen_1', 'gen_2']) await run((trx) => hastenDoom(trx, prefix, 10))
      expect(await listDoomedBlobs(database.read, 99, 9)).toEqual([{ prefix: 'gen_1', doomedAt: 10 }])
    })

    it('are pardoned once, and only before their time', async () => {
      await doom('gen_1', 10)
      const pardon = (soonest: number) => run((trx) => pardonBlobs(trx, 'gen_1', soonest))
      expect(await pardon(10)).toBe(false)
      expect(await pardon(9)).toBe(true)
      expect(await pardon(9)).toBe(false)
      expect(await listDoomedBlobs(database.read, 99, 1)).toEqual([])
    })
  })

  describe('events', () => {
    const insert = (sequence: number, more: { generationId?: string; accountId?: string; endUser?: string } = {}) =>
      run(async (trx) => {
        const event = { generationId: 'gen_1', accountId: 'acc_1', endUser: null, ...more }
        await lockAccountFeed(trx, event.accountId)
        return insertEvent(trx, { ...event, ...EVENT, sequence })
      })

    it('are given positions that rise, and are read after one', async () => {
      const positions = [await insert(1), await insert(2), await insert(1, { generationId: 'gen_2' })]
      expect(positions).toEqual([...positions].sort((left, right) => left - right))
      const feed = await listEventsOfAccount(database.read, {
        accountId: 'acc_1',
        endUser: null,
        afterPosition: positions[0] ?? 0,
        limit: 10,
      })
      expect(feed.map(({ position }) => position)).toEqual(positions.slice(1))
      expect(await findLatestPosition(database.read, 'acc_1')).toBe(positions[2])
      expect(await findLatestPosition(database.read, 'acc_2')).toBe(0)
    })

    it('of one generation never share a sequence', async () => {
      await insert(1)
      await expect(insert(1)).rejects.toThrow(/unique/i)
    })

    it('are read by sequence, so many at a time', async () => {
      for (const sequence of [1, 2, 3]) await insert(sequence)
      const read = async (afterSequence: number, limit: number) =>
        (await listEventsOfGeneration(database.read, { generationId: 'gen_1', afterSequence, limit })).map(
          ({ sequence }) => sequence,
        )
      expect(await read(0, 2)).toEqual([1, 2])
      expect(await read(2, 2)).toEqual([3])
      expect(await read(3, 2)).toEqual([])
    })

    it('of an end user are that end user’s alone', async () => {
      await insert(1, { endUser: 'ann' })
      await insert(1, { generationId: 'gen_2', endUser: 'ben' })
      const query = { accountId: 'acc_1', afterPosition: 0, limit: 10 }
      const feed = await listEventsOfAccount(database.read, { ...query, endUser: 'ann' })
      expect(feed.map(({ generationId }) => generationId)).toEqual(['gen_1'])
    })

    it('come in the order of commits within an account, so that no reader passes one', async () => {
      const seen: string[] = []
      let cursor = 0
      const readOn = async () => {
        const query = { accountId: 'acc_1', endUser: null, afterPosition: cursor, limit: 100 }
        const events = await listEventsOfAccount(database.read, query)
        seen.push(...events.map(({ generationId }) => generationId))
        cursor = events.at(-1)?.position ?? cursor
      }
      const ids = Array.from({ length: 60 }, (_, index) => `gen_${index}`)
      let writing = true
      const writers = Promise.all(ids.map((generationId) => insert(1, { generationId }))).then(() => {
        writing = false
      })
      while (writing) {
        await readOn()
        // A read of SQLite never leaves the turn of the event loop, and the writer needs the next one.
        await new Promise<void>((resolve) => setImmediate(resolve))
      }
      await writers
      await readOn()
      expect(seen.toSorted()).toEqual(ids.toSorted())
    })

    it('go with their generation', async () => {
      await insert(1)
      await insert(1, { generationId: 'gen_2' })
      await run((trx) => deleteEvents(trx, 'gen_1'))
      const query = { accountId: 'acc_1', endUser: null, afterPosition: 0, limit: 10 }
      expect((await listEventsOfAccount(database.read, query)).map(({ generationId }) => generationId)).toEqual([
        'gen_2',
      ])
    })
  })

  describe('idempotency keys', () => {
    const KEY = { accountId: 'acc_1', endUser: null, key: 'one' }
    const claim = (generationId: string, createdAt: number, expiredBefore = 0, key: typeof KEY = KEY) =>
      run((trx) => claimIdempotencyKey(trx, key, { requestHash: 'h', generationId, createdAt }, expiredBefore))

    it('are taken once of many at once', async () => {
      const taken = await Promise.all(Array.from({ length: 10 }, (_, index) => claim(`gen_${index}`, 5)))
      expect(taken.filter(Boolean)).toHaveLength(1)
      const record = await findIdempotencyRecord(database.read, KEY)
      expect(record?.generationId).toBe(`gen_${taken.indexOf(true)}`)
    })

    it('give way when they are too old, to one of many', async () => {
      await claim('gen_old', 5)
      expect(await claim('gen_new', 20, 5)).toBe(false)
      const taken = await Promise.all(Array.from({ length: 6 }, (_, index) => claim(`gen_${index}`, 20, 6)))
      expect(taken.filter(Boolean)).toHaveLength(1)
    })

    it('of accounts and end users do not meet', async () => {
      expect(await claim('gen_1', 5)).toBe(true)
      expect(await claim('gen_2', 5, 0, { ...KEY, accountId: 'acc_2' })).toBe(true)
      const named: { accountId: string; endUser: string | null; key: string } = { ...KEY, endUser: 'ann' }
      expect(
        await run((trx) =>
          claimIdempotencyKey(trx, named, { requestHash: 'h', generationId: 'gen_3', createdAt: 5 }, 0),
        ),
      ).toBe(true)
      expect(await findIdempotencyRecord(database.read, named)).toMatchObject({ generationId: 'gen_3' })
    })

    it('are found by what they begin with, the newest first and no other', async () => {
      const named = (key: string) => ({ ...KEY, key })
      await claim('gen_1', 5, 0, named('sdk-ab-00'))
      await claim('gen_2', 7, 0, named('sdk-ab-ff'))
      await claim('gen_3', 6, 0, named('sdk-ab-9e'))
      await claim('gen_old', 1, 0, named('sdk-ab-11'))
      await claim('gen_other', 6, 0, named('sdk-abc-00'))
      await claim('gen_stranger', 6, 0, { ...named('sdk-ab-00'), accountId: 'acc_2' })
      const found = await listGenerationsOfKeys(database.read, KEY, { prefix: 'sdk-ab-', since: 5 })
      expect(found).toEqual(['gen_2', 'gen_3', 'gen_1'])
    })

    it('are deleted when they are too old', async () => {
      await claim('gen_1', 5)
      await claim('gen_2', 6, 0, { ...KEY, key: 'two' })
      await run((trx) => deleteExpiredIdempotencyKeys(trx, 6))
      expect(await findIdempotencyRecord(database.read, KEY)).toBeUndefined()
      expect(await findIdempotencyRecord(database.read, { ...KEY, key: 'two' })).toBeDefined()
    })
  })
})

const EVENT = {
  kind: 'QUEUED',
  status: 'QUEUED',
  previousStatus: null,
  imageId: null,
  message: null,
  problem: null,
  at: 1,
} as const

function imageRow(row: Partial<ImageRow> = {}): ImageRow {
  return {
    id: 'img_1',
    generationId: 'gen_1',
    accountId: 'acc_1',
    imageIndex: 0,
    blobKey: 'gen_1/a.png',
    mimeType: 'image/png',
    width: 4,
    height: 4,
    sizeBytes: 100,
    sha256: 'a',
    thumbhash: 'b',
    revisedPrompt: null,
    seed: null,
    createdAt: 1,
    ...row,
  }
}
