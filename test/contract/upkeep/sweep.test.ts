import { beforeEach, describe, expect, it } from 'vitest'
import type { Clock } from '../../../src/clock.ts'
import { createMetrics } from '../../../src/metrics.ts'
import { imageBlobKey } from '../../../src/storage/blob-keys.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import type { Database } from '../../../src/store/database.ts'
import { doomBlobs } from '../../../src/store/doomed-store.ts'
import { createLossWatch } from '../../../src/upkeep/loss-watch.ts'
import { createOrphanSweep, SAFE_AGE_MS } from '../../../src/upkeep/orphan-sweep.ts'
import type { Viewer } from '../../../src/viewer.ts'
import { describeOnEachDatabase } from '../../support/databases.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { buildHouse, type House } from '../../support/house.ts'
import { createRecordingLogger } from '../../support/recording-logger.ts'
import { fails, failure, holds } from '../../support/scripted-provider.ts'
import { createTinyPng } from '../../support/tiny-png.ts'

const SHA = 'fedcba9876543210'.repeat(4)
const BYTES = createTinyPng(7)
const NEVER = new AbortController().signal

describeOnEachDatabase('upkeep of files and rows', (open) => {
  let database: Database
  let house: House
  let viewer: Viewer
  let made: string
  let failed: string

  beforeEach(async () => {
    database = await open()
    house = buildHouse({ database })
    viewer = await house.account()
    await house.start()
    for (let time = 0; time < 2; time++) {
      made = await house.order(viewer, { count: 4 })
      await house.endOf(viewer, made)
    }
    house.provider.plan(fails(failure('REFUSED', 'ANSWERED')))
    failed = await house.order(viewer)
    await house.endOf(viewer, failed)
  })

  /** Later than what lies there, and never waiting. */
  function tools(laterMs: number, stopping?: AbortController) {
    const clock: Clock = {
      now: () => house.clock.now() + laterMs,
      sleep: async () => stopping?.abort(),
    }
    const metrics = createMetrics({ process: false })
    const logger = createRecordingLogger()
    return { database, storage: house.storage, clock, logger, metrics }
  }

  async function listKeys(prefix = ''): Promise<string[]> {
    const keys: string[] = []
    for await (const { key } of house.storage.list(prefix)) keys.push(key)
    return keys.sort()
  }

  const put = (key: string) => house.storage.put(key, BYTES)
  const strayOf = (generationId: string) => imageBlobKey({ generationId, sha256: SHA, extension: 'png' })

  describe('takes away what no row needs', () => {
    it('after a day, and nothing else', async () => {
      const before = await listKeys()
      const orphans = [
        strayOf(failed),
        strayOf('gen_00009999'),
        `gen_00009998/input-${SHA}.png`,
        `variants/${made}/${SHA}/w100-inside-01234567.webp`,
        'check-01234567-89ab-cdef-0123-456789abcdef',
      ]
      for (const key of orphans) await put(key)
      const foreign = ['holiday/beach.png', 'gen_00009999/notes.txt', 'backup.tar', `${made}/${SHA}.png.bak-of-mine`]
      for (const key of foreign) await put(key)
      const young = tools(SAFE_AGE_MS - 1)
      await createOrphanSweep(young).sweep(NEVER)
      expect(await listKeys()).toEqual([...before, ...orphans, ...foreign].sort())

      const old = tools(SAFE_AGE_MS)
      await createOrphanSweep(old).sweep(NEVER)
      expect(await listKeys()).toEqual([...before, ...foreign].sort())
      expect(await old.metrics.render()).toContain('pictor_orphans_removed_total 5')
      expect(JSON.stringify(old.logger.lines)).toContain(strayOf(failed))
      await createOrphanSweep(old).sweep(NEVER)
      expect(await listKeys()).toEqual([...before, ...foreign].sort())
    })

    it('and leaves what is being made, and what a deletion will take', async () => {
      const held = holds()
      house.provider.plan(held.plan)
      const running = await house.order(viewer)
      await held.begun
      await put(strayOf(running))
      const later = { prefix: 'gen_00009999', doomedAt: house.clock.now() + SAFE_AGE_MS }
      await database.transact((trx) => doomBlobs(trx, later.prefix, later.doomedAt))
      await put(strayOf(later.prefix))
      const before = await listKeys()
      await createOrphanSweep(tools(2 * SAFE_AGE_MS)).sweep(NEVER)
      expect(await listKeys()).toEqual(before)
    })

    it('unless a row has come to need it since it looked', async () => {
      await put(strayOf(failed))
      const { storage, ...rest } = tools(SAFE_AGE_MS)
      const image = (await house.domain.reader.imagesOf([made]))[0]
      let looks = 0
      const changing: Pick<Database, 'snapshot'> = {
        async snapshot(look) {
          looks += 1
          if (looks === 2 && image) {
            const values = { ...image, id: 'img_late', generationId: failed, blobKey: strayOf(failed) }
            await database.transact((trx) => trx.insertInto('images').values(values).execute())
          }
          return database.snapshot(look)
        },
      }
      await createOrphanSweep({ ...rest, storage, database: changing }).sweep(NEVER)
      expect(await house.storage.has(strayOf(failed))).toBe(true)
      expect(looks).toBe(2)
    })

    it('but not where so much has no owner that the database must be another one', async () => {
      for (const number of [1, 2, 3]) await put(strayOf(`gen_0000999${number}`))
      await put(strayOf(failed))
      const told = tools(SAFE_AGE_MS)
      await createOrphanSweep(told).sweep(NEVER)
      expect(await listKeys('gen_00009991/')).toHaveLength(1)
      expect(await house.storage.has(strayOf(failed))).toBe(false)
      expect(JSON.stringify(told.logger.lines)).toContain('is it the right one?')
      for (const key of await listKeys()) if (!key.startsWith('gen_0000999')) await house.storage.delete(key)
      // Where nothing at all is needed, even one is too many.
      for (const number of [2, 3]) await house.storage.delete(strayOf(`gen_0000999${number}`))
      await createOrphanSweep(told).sweep(NEVER)
      expect(await listKeys()).toHaveLength(1)
    })

    it('from a cache whatever has no owner, since it can be made again', async () => {
      const variantOf = (generationId: string) => `variants/${generationId}/${SHA}/w100-inside-01234567.webp`
      const cache = createMemoryStorage({ clock: house.clock })
      for (const number of [1, 2, 3]) await cache.put(variantOf(`gen_0000999${number}`), BYTES)
      const told = { ...tools(SAFE_AGE_MS), storage: cache, isCache: true }
      await createOrphanSweep(told).sweep(NEVER)
      for (const number of [1, 2, 3]) expect(await cache.has(variantOf(`gen_0000999${number}`))).toBe(false)
      expect(JSON.stringify(told.logger.lines)).not.toContain('is it the right one?')
    })

    it('and stops when it is told to', async () => {
      await put(strayOf(failed))
      const stopping = new AbortController()
      await createOrphanSweep(tools(SAFE_AGE_MS, stopping)).sweep(stopping.signal)
      expect(await house.storage.has(strayOf(failed))).toBe(true)
    })

    it('by itself, some minutes after the start of a server', async () => {
      await put(strayOf(failed))
      house.kill()
      const clock = createFakeClock(house.clock.now() + SAFE_AGE_MS)
      const next = buildHouse({ database, storage: house.storage, ids: house.ids, clock })
      next.domain.upkeep.start()
      await next.pass(14 * 60_000)
      expect(await house.storage.has(strayOf(failed))).toBe(true)
      await next.pass(2 * 60_000)
      expect(await house.storage.has(strayOf(failed))).toBe(false)
      await next.assertInvariants()
    })
  })

  describe('tells of pictures whose bytes are gone', () => {
    it('once, and counts them as long as they are', async () => {
      const images = await house.domain.reader.imagesOf([made])
      const [gone, cut] = images
      if (gone === undefined || cut === undefined) throw new Error('There are no images.')
      const bytes = (await house.storage.get(gone.blobKey)) ?? new Uint8Array()
      const told = tools(0)
      const watch = createLossWatch(told)
      await watch.look(NEVER)
      expect(told.logger.lines).toEqual([])
      expect(await told.metrics.render()).toContain('pictor_lost_blobs 0')

      await house.storage.delete(gone.blobKey)
      await house.storage.put(cut.blobKey, bytes.subarray(0, 9))
      await watch.look(NEVER)
      await watch.look(NEVER)
      expect(told.logger.lines).toHaveLength(1)
      for (const { id } of [gone, cut]) expect(JSON.stringify(told.logger.lines)).toContain(id)
      expect(await told.metrics.render()).toContain('pictor_lost_blobs 2')

      await house.storage.put(gone.blobKey, bytes)
      await watch.look(NEVER)
      expect(await told.metrics.render()).toContain('pictor_lost_blobs 1')
    })

    it('and not of those that are deleted while it looks', async () => {
      const told = tools(0)
      const storage: typeof house.storage = {
        ...house.storage,
        async find(key) {
          await house.domain.generations.delete(viewer, made).catch(() => undefined)
          await house.storage.deletePrefix(`${made}/`)
          return house.storage.find(key)
        },
      }
      await createLossWatch({ ...told, storage }).look(NEVER)
      expect(told.logger.lines).toEqual([])
    })
  })
})
