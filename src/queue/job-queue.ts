import type { Db, Trx } from '../store/database.ts'

/**
 * What makes generations run. `enqueue` and `finish` work inside the caller's transaction, so that a job exists exactly
 * as long as its generation waits or runs. The engine may deliver a job twice after a lost lease; the attempt token of
 * the generation, not the lease, is what fences a worker's writes.
 */
export type JobQueue = {
  enqueue(trx: Trx, job: NewJob): Promise<void>
  /**
   * Claims the next job in fair order and runs `begin` in the transaction in which the claim holds; what it returns
   * comes back, undefined when nothing can be claimed. A job whose `begin` throws is put off, so that it cannot stand
   * in the way of the others, and the error is thrown on.
   */
  claim<T>(options: ClaimOptions, begin: (trx: Trx, job: ClaimedJob) => Promise<T>): Promise<T | undefined>
  /** Extends leases; returns the tokens of those that are still held. */
  heartbeat(jobs: readonly ClaimedJob[]): Promise<ReadonlySet<string>>
  /** Back to the queue, to run not before `runAt`; with another model after a fallback. */
  putBack(trx: Trx, job: ClaimedJob, next: { runAt: number; provider?: string; model?: string }): Promise<boolean>
  finish(trx: Trx, generationId: string): Promise<void>
  /** Returns jobs whose lease ran out to the queue: how many. */
  reap(): Promise<number>
  /** Returns the jobs of a predecessor that is known to be dead, whatever their lease says: how many. */
  recover(): Promise<number>
  /** How many come before it; undefined when it does not wait. */
  findPosition(db: Db, generationId: string): Promise<number | undefined>
  state(): Promise<QueueState>
}

export type NewJob = {
  readonly generationId: string
  readonly accountId: string
  readonly provider: string
  readonly model: string
  readonly priority: number
  readonly now: number
}

export type ClaimOptions = {
  /** Providers that take no further call now. Accounts at their own limit are passed over by themselves. */
  readonly busyProviders: readonly string[]
}

export type ClaimedJob = {
  readonly generationId: string
  readonly accountId: string
  readonly provider: string
  readonly model: string
  readonly leaseToken: string
  /** How often it was claimed, this time included. */
  readonly claims: number
}

export type QueueState = {
  readonly waiting: number
  readonly leased: number
  readonly oldestEnqueuedAt: number | null
  /** When the next waiting job may run; null: none waits. */
  readonly nextRunAt: number | null
}
