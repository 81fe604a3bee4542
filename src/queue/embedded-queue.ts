import type { Clock } from '../clock.ts'
import type { Ids } from '../ids.ts'
import type { Database, Trx } from '../store/database.ts'
import {
  advanceTurnClock,
  countJobsAhead,
  deleteJob,
  extendLeases,
  findJob,
  insertJob,
  leaseJob,
  listClaimable,
  readQueueState,
  returnExpiredJobs,
  returnJob,
  takeTurn,
} from '../store/job-store.ts'
import type { JobRow } from '../store/tables.ts'
import type { ClaimedJob, ClaimOptions, JobQueue } from './job-queue.ts'

/**
 * A table in the same database. Fairness is start-time fair queueing: an account's jobs take turns v+1, v+2, …, where v
 * is the turn last claimed by anybody, so a thousand jobs of one account stand behind the first job of every other.
 */
export function createEmbeddedQueue(deps: { db: Database; clock: Clock; ids: Ids; leaseMs: number }): JobQueue {
  const { db, clock, ids, leaseMs } = deps

  return {
    async enqueue(trx, { now, ...job }) {
      const turn = await takeTurn(trx, job.accountId, db.dialect)
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

    claim: (options, begin) => db.transact((trx) => claimIn(trx, options, begin)),

    async heartbeat(jobs) {
      if (jobs.length === 0) return new Set()
      return new Set(await db.transact((trx) => extendLeases(trx, jobs, clock.now() + leaseMs)))
    },

    putBack: (trx, job, next) => returnJob(trx, job, next),
    finish: (trx, generationId) => deleteJob(trx, generationId),
    reap: () => db.transact((trx) => returnExpiredJobs(trx, clock.now())),
    recover: () => db.transact((trx) => returnExpiredJobs(trx, Number.MAX_SAFE_INTEGER)),

    async findPosition(reader, generationId) {
      const job = await findJob(reader, generationId)
      return job === undefined || job.leaseToken !== null ? undefined : countJobsAhead(reader, job)
    },

    state: () => readQueueState(db.read),
  }

  async function claimIn<T>(
    trx: Trx,
    { limit, ...busy }: ClaimOptions,
    begin: (trx: Trx, job: ClaimedJob) => Promise<T>,
  ): Promise<T[]> {
    const begun: T[] = []
    const now = clock.now()
    for (const job of await listClaimable(trx, { now, limit, ...busy }, db.dialect)) {
      const leaseToken = ids.token()
      if (!(await leaseJob(trx, job.generationId, { leaseToken, leaseExpiresAt: now + leaseMs }))) continue
      await advanceTurnClock(trx, job.turn)
      begun.push(await begin(trx, toClaimedJob(job, leaseToken)))
    }
    return begun
  }
}

function toClaimedJob(job: JobRow, leaseToken: string): ClaimedJob {
  const { generationId, accountId, provider, model } = job
  return { generationId, accountId, provider, model, leaseToken, claims: job.claims + 1 }
}
