import type { Clock } from '../clock.ts'
import { NotFoundError } from '../errors.ts'
import type { JobQueue } from '../queue/job-queue.ts'
import { endAttempt, findLatestAttempt } from '../store/attempt-store.ts'
import type { Database, Trx } from '../store/database.ts'
import { findOwnGenerations, listOverdueGenerations, lockGeneration } from '../store/generation-store.ts'
import type { GenerationRow } from '../store/tables.ts'
import type { Viewer } from '../viewer.ts'
import type { AppendEvent, EventLog } from './event-log.ts'
import { isTerminal } from './generation-state.ts'
import type { Problem } from './generation-types.ts'
import { createProblem, overdue } from './problems.ts'
import { toGeneration, toJson } from './records.ts'
import type { Canceled } from './services.ts'
import type { Settlement } from './settlement.ts'

const EXPIRED_AT_ONCE = 100

export type Cancellation = {
  /**
   * Decided in one transaction against completion. Images that are there already were asked for, made and seen: they are
   * kept and charged, and the generation is then COMPLETED with the rest listed as canceled. Throws NotFoundError.
   */
  cancel(viewer: Viewer, id: string): Promise<Canceled>
  /** The same for deadlines that have passed, waiting or running. One that cannot be ended does not keep the others. */
  expireOverdue(): Promise<{ readonly expired: readonly string[]; readonly failures: readonly unknown[] }>
}

export function createCancellation(deps: {
  db: Database
  log: EventLog
  queue: JobQueue
  settlement: Settlement
  clock: Clock
}): Cancellation {
  const { db, log, queue, settlement, clock } = deps

  return {
    cancel: (viewer, id) =>
      log.transact(async (trx, append) => {
        const [own] = await findOwnGenerations(trx, viewer, [id])
        const row = own && (await holdStill(trx, own))
        if (row === undefined || row.deletedAt !== null) throw new NotFoundError('generation')
        if (isTerminal(row.status)) return { generation: toGeneration(row), effect: 'TOO_LATE' }
        const { ended, sent } = await stop(trx, append, row, 'CANCELED', canceled)
        return { generation: toGeneration(ended), effect: sent ? 'MAY_BE_BILLED' : 'FREE' }
      }),

    async expireOverdue() {
      const expired: string[] = []
      const failures: unknown[] = []
      for (const row of await listOverdueGenerations(db.read, clock.now(), EXPIRED_AT_ONCE)) {
        try {
          if (await expire(row)) expired.push(row.id)
        } catch (error) {
          failures.push(error)
        }
      }
      return { expired, failures }
    },
  }

  /**
   * Of what waits, the job first and then the generation, as a claim takes them: in the other order the two could wait
   * for each other. A job lives exactly as long as its generation has not ended, so taking it away early changes nothing.
   */
  async function holdStill(trx: Trx, row: GenerationRow): Promise<GenerationRow | undefined> {
    if (row.status === 'QUEUED') await queue.finish(trx, row.id)
    return lockGeneration(trx, row.id)
  }

  function expire(overdueRow: GenerationRow): Promise<boolean> {
    return log.transact(async (trx, append) => {
      const row = await holdStill(trx, overdueRow)
      if (row === undefined || isTerminal(row.status)) return false
      await stop(trx, append, row, 'FAILED', overdue)
      return true
    })
  }

  async function stop(
    trx: Trx,
    append: AppendEvent,
    row: GenerationRow,
    without: 'FAILED' | 'CANCELED',
    explain: (sent: boolean, row: GenerationRow) => Problem,
  ): Promise<{ ended: GenerationRow; sent: boolean }> {
    const latest = row.status === 'RUNNING' ? await findLatestAttempt(trx, row.id) : undefined
    const open = latest?.outcome === null ? latest : undefined
    const sent = open !== undefined && open.phase !== 'NOT_SENT'
    const problem = explain(sent, row)
    if (open) {
      const outcome = without === 'CANCELED' ? 'CANCELED' : 'FAILED'
      await endAttempt(trx, open.id, { outcome, problem: toJson(problem), finishedAt: clock.now() })
    }
    const problems = row.imageCount < row.count ? [problem] : []
    const ended = await settlement.end(trx, append, row, { without, problems, usage: null, reportedUsdMicros: null })
    if (ended === undefined) throw new Error(`${row.id} changed within a transaction.`)
    return { ended, sent }
  }
}

function canceled(sent: boolean, { keySource }: GenerationRow): Problem {
  const payer = keySource === 'SERVER' ? 'this server' : 'the owner of the key'
  return createProblem({
    code: 'CANCELED',
    message: sent
      ? `Canceled while the provider was at work. It may bill ${payer}; the account pays for nothing that was not made.`
      : 'Canceled before anything was sent to the provider.',
    stage: sent ? 'PROVIDER' : 'QUEUE',
    retryable: true,
    providerBilled: sent ? null : false,
  })
}
