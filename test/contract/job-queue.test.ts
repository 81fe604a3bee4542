import { beforeEach, describe, expect, it } from 'vitest'
import { createEmbeddedQueue } from '../../src/queue/embedded-queue.ts'
import type { ClaimedJob, JobQueue, NewJob } from '../../src/queue/job-queue.ts'
import type { Database } from '../../src/store/database.ts'
import { insertAccount } from '../support/account-rows.ts'
import { describeOnEachDatabase } from '../support/databases.ts'
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts'
import { createFakeIds } from '../support/fake-ids.ts'

const LEASE_MS = 10_000
const LOW = 0
const NORMAL = 1
const HIGH = 2

describeOnEachDatabase('job queue', (open) => {
  let database: Database
  let clock: FakeClock
  let queue: JobQueue

  beforeEach(async () => {
    database = await open()
    clock = createFakeClock()
    queue = createEmbeddedQueue({ db: database, clock, ids: createFakeIds(), leaseMs: LEASE_MS })
    for (const id of ['a', 'b', 'c']) {
      await database.transact((trx) => insertAccount(trx, { id, concurrentGenerations: 1_000 }))
    }
  })

  const enqueue = (accountId: string, names: readonly string[], job: Partial<NewJob> = {}) =>
    database.transact(async (trx) => {
      const common = { accountId, provider: 'test', model: 'test/easel', priority: NORMAL, now: clock.now() }
      for (const generationId of names) await queue.enqueue(trx, { ...common, generationId, ...job })
    })

  const claim = (busyProviders: readonly string[] = []) => queue.claim({ busyProviders }, async (_, job) => job)

  async function claimAll(limit = Number.POSITIVE_INFINITY): Promise<ClaimedJob[]> {
    const jobs: ClaimedJob[] = []
    while (jobs.length < limit) {
      const job = await claim()
      if (job === undefined) break
      jobs.push(job)
    }
    return jobs
  }

  async function claimOne(): Promise<ClaimedJob> {
    const job = await claim()
    if (job === undefined) throw new Error('There is nothing to claim.')
    return job
  }

  const idsOf = (jobs: readonly ClaimedJob[]) => jobs.map(({ generationId }) => generationId)
  const numbered = (name: string, count: number) =>
    Array.from({ length: count }, (_, index) => `${name}${String(index).padStart(4, '0')}`)

  describe('the order', () => {
    it('is that of asking within an account', async () => {
      await enqueue('a', ['a1', 'a2', 'a3'])
      expect(idsOf(await claimAll())).toEqual(['a1', 'a2', 'a3'])
      expect(await claim()).toBeUndefined()
    })

    it('puts a higher priority of an account before a lower one that came earlier', async () => {
      await enqueue('a', ['low'], { priority: LOW })
      await enqueue('a', ['normal'])
      await enqueue('a', ['high'], { priority: HIGH })
      expect(idsOf(await claimAll())).toEqual(['high', 'normal', 'low'])
    })

    it('lets several of a higher priority go before the first of a lower one', async () => {
      await enqueue('a', ['l1', 'l2'], { priority: LOW })
      await enqueue('a', ['n1', 'n2', 'n3'])
      await enqueue('a', ['h1', 'h2', 'h3'], { priority: HIGH })
      expect(idsOf(await claimAll())).toEqual(['h1', 'h2', 'h3', 'n1', 'n2', 'n3', 'l1', 'l2'])
    })

    it('lets a thousand jobs of one account wait behind the first of another', async () => {
      await enqueue('a', numbered('a', 1_000))
      await claimAll(10)
      await enqueue('b', ['b1', 'b2'])
      expect(idsOf(await claimAll(4))).toEqual(['a0010', 'b1', 'a0011', 'b2'])
    })

    it('takes turns between accounts, however many jobs each has', async () => {
      await enqueue('a', numbered('a', 50))
      await enqueue('b', numbered('b', 3))
      await enqueue('c', numbered('c', 3))
      const first = (await claimAll(9)).map(({ accountId }) => accountId).sort()
      expect(first).toEqual(['a', 'a', 'a', 'b', 'b', 'b', 'c', 'c', 'c'])
    })

    it('does not let high priority of one account starve another', async () => {
      await enqueue('a', numbered('a', 1_000), { priority: HIGH })
      await claimAll(10)
      await enqueue('b', ['b1'])
      expect(idsOf(await claimAll(6))).toContain('b1')
    })

    it('lets low priority have its turn in the end', async () => {
      await enqueue('a', ['low'], { priority: LOW })
      await enqueue('a', numbered('a', 100))
      expect(idsOf(await claimAll(6))).toContain('low')
    })

    it('gives an account that comes back no credit for the time it was away', async () => {
      await enqueue('b', ['b1'])
      await claimAll()
      await enqueue('a', numbered('a', 100))
      await claimAll(50)
      await enqueue('b', numbered('b', 50))
      const next = (await claimAll(20)).filter(({ accountId }) => accountId === 'b')
      expect(next.length).toBeGreaterThanOrEqual(9)
      expect(next.length).toBeLessThanOrEqual(11)
    })
  })

  describe('what is passed over', () => {
    it('is what an account may not run beside what it runs', async () => {
      await database.transact((trx) => insertAccount(trx, { id: 'small', concurrentGenerations: 2 }))
      await enqueue('small', ['s1', 's2', 's3'])
      const [first] = await claimAll()
      expect(await claim()).toBeUndefined()
      await enqueue('a', ['a1'])
      expect(idsOf(await claimAll())).toEqual(['a1'])
      await database.transact((trx) => queue.finish(trx, first?.generationId ?? ''))
      expect(idsOf(await claimAll())).toEqual(['s3'])
    })

    it('is what a busy provider would have to take', async () => {
      await enqueue('a', ['a1'], { provider: 'busy' })
      await enqueue('a', ['a2'])
      expect((await claim(['busy', 'other']))?.generationId).toBe('a2')
      expect(await claim(['busy'])).toBeUndefined()
      expect((await claim())?.generationId).toBe('a1')
    })

    it('is what is to run later', async () => {
      await enqueue('a', ['a1'])
      const job = await claimOne()
      const runAt = clock.now() + 5_000
      expect(await database.transact((trx) => queue.putBack(trx, job, { runAt }))).toBe(true)
      await clock.advance(4_999)
      expect(await claim()).toBeUndefined()
      await clock.advance(1)
      expect(await claim()).toMatchObject({ generationId: 'a1', claims: 2 })
    })
  })

  describe('a claim', () => {
    it('gives a job to one of many', async () => {
      await enqueue('a', numbered('a', 5))
      const claimed = await Promise.all(Array.from({ length: 12 }, () => claim()))
      const ids = claimed.filter((job) => job !== undefined)
      expect(new Set(idsOf(ids)).size).toBe(ids.length)
      const rest = await claimAll()
      expect(ids.length + rest.length).toBe(5)
    })

    it('carries a token of its own each time', async () => {
      await enqueue('a', ['a1'])
      const job = await claimOne()
      await database.transact((trx) => queue.putBack(trx, job, { runAt: clock.now() }))
      const again = await claimOne()
      expect(again.leaseToken).not.toBe(job.leaseToken)
      expect(again.claims).toBe(2)
    })

    it('whose work throws is put off, with nothing of it left, and the next goes on', async () => {
      await enqueue('a', ['bad', 'good'])
      const begin = queue.claim({ busyProviders: [] }, async (trx) => {
        await trx.updateTable('accounts').set({ name: 'changed' }).execute()
        throw new Error('poison')
      })
      await expect(begin).rejects.toThrow('poison')
      const names = await database.read.selectFrom('accounts').select('name').execute()
      expect(names.map(({ name }) => name)).not.toContain('changed')
      expect(idsOf(await claimAll())).toEqual(['good'])
      await clock.advance(10_000)
      expect(await claim()).toMatchObject({ generationId: 'bad', claims: 2 })
    })

    it('is put off longer each time, up to a minute', async () => {
      await enqueue('a', ['bad'])
      const waits: number[] = []
      for (let time = 0; time < 8; time++) {
        await expect(queue.claim({ busyProviders: [] }, () => Promise.reject(new Error('poison')))).rejects.toThrow()
        const { nextRunAt } = await queue.state()
        waits.push((nextRunAt ?? 0) - clock.now())
        await clock.advance(60_000)
      }
      expect(waits).toEqual([10_000, 20_000, 30_000, 40_000, 50_000, 60_000, 60_000, 60_000])
    })
  })

  describe('a lease', () => {
    it('is extended by a heartbeat, and lost without', async () => {
      await enqueue('a', ['a1', 'a2'])
      const [beaten, silent] = await claimAll()
      await clock.advance(LEASE_MS - 1)
      expect(await queue.heartbeat(beaten ? [beaten] : [])).toEqual(new Set([beaten?.leaseToken]))
      await clock.advance(2)
      expect(await queue.reap()).toBe(1)
      expect(await claim()).toMatchObject({ generationId: silent?.generationId, claims: 2 })
    })

    it('is not lost at the very moment, but after it', async () => {
      await enqueue('a', ['a1'])
      await claimOne()
      await clock.advance(LEASE_MS)
      expect(await queue.reap()).toBe(0)
      await clock.advance(1)
      expect(await queue.reap()).toBe(1)
      expect(await queue.reap()).toBe(0)
    })

    it('that ends later than any given now is one of a clock that was set back, and does not hold for as long', async () => {
      await enqueue('a', ['a1'])
      const job = await claimOne()
      const setBack = (ms: number) =>
        database.transact((trx) =>
          trx
            .updateTable('jobs')
            .set((eb) => ({ leaseExpiresAt: eb('leaseExpiresAt', '+', ms) }))
            .execute(),
        )
      await setBack(LEASE_MS)
      expect(await queue.reap()).toBe(0)
      await setBack(1)
      expect(await queue.reap()).toBe(1)
      expect(await claimOne()).toMatchObject({ generationId: job.generationId, claims: 2 })
    })

    it('is told as lost to whoever beats for it too late', async () => {
      await enqueue('a', ['a1'])
      const job = await claimOne()
      await clock.advance(LEASE_MS + 1)
      await queue.reap()
      expect(await queue.heartbeat([job])).toEqual(new Set())
      const again = await claimOne()
      expect(await queue.heartbeat([job, again])).toEqual(new Set([again.leaseToken]))
      expect(await queue.heartbeat([])).toEqual(new Set())
    })

    it('that is lost puts nothing back', async () => {
      await enqueue('a', ['a1'])
      const job = await claimOne()
      await clock.advance(LEASE_MS + 1)
      await queue.reap()
      const again = await claimOne()
      const next = { runAt: clock.now() + 60_000, model: 'test/other' }
      expect(await database.transact((trx) => queue.putBack(trx, job, next))).toBe(false)
      expect(await queue.heartbeat([again])).toEqual(new Set([again.leaseToken]))
    })

    it('of a dead predecessor is taken back whatever it says', async () => {
      await enqueue('a', ['a1', 'a2', 'a3'])
      await claimAll(2)
      expect(await queue.recover()).toBe(2)
      expect(await claimAll()).toHaveLength(3)
    })
  })

  it('goes on with another model where a job is put back for one', async () => {
    await enqueue('a', ['a1'])
    const job = await claimOne()
    const next = { runAt: clock.now(), provider: 'other', model: 'other/brush' }
    await database.transact((trx) => queue.putBack(trx, job, next))
    expect(await claim(['other'])).toBeUndefined()
    expect(await claim()).toMatchObject({ provider: 'other', model: 'other/brush' })
  })

  it('keeps a job only with the transaction that it came in', async () => {
    const transaction = database.transact(async (trx) => {
      const job = { accountId: 'a', provider: 'test', model: 'm', priority: 1, now: clock.now(), generationId: 'a1' }
      await queue.enqueue(trx, job)
      throw new Error('undone')
    })
    await expect(transaction).rejects.toThrow('undone')
    expect(await claim()).toBeUndefined()
  })

  it('tells the place of what waits in the order in which it will be claimed', async () => {
    await enqueue('a', ['a1', 'a2', 'a3'])
    await enqueue('b', ['b1'])
    await enqueue('b', ['b-high'], { priority: HIGH })
    const ids = ['a1', 'a2', 'a3', 'b1', 'b-high']
    const places = await Promise.all(ids.map((id) => queue.findPosition(database.read, id)))
    const order = idsOf(await claimAll())
    expect(ids.map((id) => order.indexOf(id))).toEqual(places)
    expect(await queue.findPosition(database.read, 'a1')).toBeUndefined()
    expect(await queue.findPosition(database.read, 'none')).toBeUndefined()
  })

  it('tells how much waits, since when, and when the next may run', async () => {
    expect(await queue.state()).toEqual({ waiting: 0, leased: 0, oldestEnqueuedAt: null, nextRunAt: null })
    const start = clock.now()
    await enqueue('a', ['a1'])
    await clock.advance(1_000)
    await enqueue('a', ['a2', 'a3'])
    await claimOne()
    expect(await queue.state()).toEqual({
      waiting: 2,
      leased: 1,
      oldestEnqueuedAt: start + 1_000,
      nextRunAt: start + 1_000,
    })
  })
})
