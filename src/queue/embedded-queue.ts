import type { Clock } from '../clock.ts'
import type { Ids } from '../ids.ts'
import type { Database, Trx } from '../store/database.ts'
import {
  advanceTurnClock,
  deleteJob,
  extendLeases,
  findJob,
  insertJob,
  leaseJob,
  listClaimable,
  putOffJob,
  readQueueState,
  returnExpiredJobs,
  returnJob,
  takeTurn,
} from '../store/job-store.ts'
import type { JobRow } from '../store/tables.ts'
import type { ClaimedJob, ClaimOptions, JobQueue } from './job-queue.ts'
import { createWaitingLine } from './waiting-line.ts'

const CANDIDATES = 4
const PUT_OFF_MS = 10_000
/** How many leases ahead one may end by a clock of another machine that goes before this one's. */
const LATEST_LEASES = 2

/**
 * How far apart the turns of one account's jobs lie, by priority from low to high: where all three wait, sixteen of high
 * priority run for four of normal and one of low.
 */
const STEPS = [16, 4, 1] as const

/**
 * A table in the same database. Fairness is weighted fair queueing: the jobs of one account and priority are a flow,
 * which takes turns v+s, v+2s, …, where v is the turn last claimed by anybody and s the priority's step. So a high
 * priority goes first by far, and yet a thousand jobs of one account, whatever their priority, stand behind the first
 * few of every other.
 */
export function createEmbeddedQueue(deps: { db: Database; clock: Clock; ids: Ids; leaseMs: number }): JobQueue {
  const { db, clock, ids, leaseMs } = deps
  const line = createWaitingLine(deps)

  return {
    async enqueue(trx, { now, ...job }) {
      const turn = await takeTurn(trx, `${job.accountId} ${job.priority}`, STEPS[job.priority] ?? STEPS[0])
      await insertJob(trx, {
        ...job,
        turn,
        enqueuedAt: now,
        runAt: now,
        claims: 0,
        leaseToken: null,
        leaseExpiresAt: null,
      })
    },

    async claim(options, begin) {
      let chosen: JobRow | undefined
      try {
        return await db.transact(async (trx) => {
          chosen = await leaseNext(trx, options)
          return chosen && begin(trx, toClaimedJob(chosen))
        })
      } catch (error) {
        if (chosen !== undefined) await putOff(chosen)
        throw error
      }
    },

    async heartbeat(jobs) {
      if (jobs.length === 0) return new Set()
      return new Set(await db.transact((trx) => extendLeases(trx, jobs, clock.now() + leaseMs)))
    },

    putBack: (trx, job, next) => returnJob(trx, job, next),
    finish: (trx, generationId) => deleteJob(trx, generationId),
    reap: () => takeBack((now) => ({ expiredBefore: now, latest: now + LATEST_LEASES * leaseMs })),
    recover: () => takeBack(() => ({ expiredBefore: Number.MAX_SAFE_INTEGER, latest: Number.MAX_SAFE_INTEGER })),

    async findPosition(reader, generationId) {
      const job = await findJob(reader, generationId)
      return job === undefined || job.leaseToken !== null ? undefined : line.countAhead(reader, job)
    },

    state: () => readQueueState(db.read),
  }

  /** More than one candidate, because on PostgreSQL another process may lease the first between the two statements. */
  async function leaseNext(trx: Trx, busy: ClaimOptions): Promise<JobRow | undefined> {
    const now = clock.now()
    for (const job of await listClaimable(trx, { now, limit: CANDIDATES, ...busy }, db.dialect)) {
      const lease = { leaseToken: ids.token(), leaseExpiresAt: now + leaseMs }
      if (!(await leaseJob(trx, job.generationId, lease))) continue
      await advanceTurnClock(trx, job.turn)
      return { ...job, ...lease, claims: job.claims + 1 }
    }
    return undefined
  }

  function takeBack(bounds: (now: number) => { expiredBefore: number; latest: number }): Promise<number> {
    const now = clock.now()
    return db.transact((trx) => returnExpiredJobs(trx, { now, ...bounds(now) }))
  }

  async function putOff(job: JobRow): Promise<void> {
    const runAt = clock.now() + PUT_OFF_MS * Math.min(job.claims, 6)
    await db.transact((trx) => putOffJob(trx, job.generationId, { runAt, claims: job.claims }))
  }
}

function toClaimedJob(job: JobRow): ClaimedJob {
  const { generationId, accountId, provider, model, leaseToken, claims } = job
  if (leaseToken === null) throw new Error('A claimed job carries a lease token.')
  return { generationId, accountId, provider, model, leaseToken, claims }
}
