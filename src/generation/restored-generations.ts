import type { Clock } from '../clock.ts'
import { findLatestAttempt } from '../store/attempt-store.ts'
import type { Database } from '../store/database.ts'
import { listUnfinishedGenerations, lockGeneration } from '../store/generation-store.ts'
import type { EventLog } from './event-log.ts'
import { isTerminal } from './generation-state.ts'
import { giveUp } from './giving-up.ts'
import { restored } from './problems.ts'
import type { Settlement } from './settlement.ts'

const AT_ONCE = 100

/**
 * What had not ended when the database was copied. What became of it since stands nowhere: a job that waited may have run
 * and been paid. So none of it is sent again: it ends with what there is, and what was held for the rest is let go.
 */
export type RestoredGenerations = {
  /** All of them; how many. `copiedAt` null: nobody knows. */
  endAll(copiedAt: number | null): Promise<number>
  /** Nothing happens where it has ended. */
  end(id: string, copiedAt: number | null): Promise<void>
}

export function createRestoredGenerations(deps: {
  readonly db: Database
  readonly log: EventLog
  readonly settlement: Settlement
  readonly clock: Clock
}): RestoredGenerations {
  const { db, log } = deps

  function end(id: string, copiedAt: number | null): Promise<void> {
    return log.transact(async (trx, append) => {
      const row = await lockGeneration(trx, id)
      if (row === undefined || isTerminal(row.status)) return
      const latest = await findLatestAttempt(trx, id)
      const open = latest?.outcome === null ? latest : undefined
      await giveUp(deps, trx, append, row, open, restored(copiedAt))
    })
  }

  return {
    end,
    async endAll(copiedAt) {
      for (let ended = 0; ; ) {
        const rows = await listUnfinishedGenerations(db.read, AT_ONCE)
        for (const id of rows) await end(id, copiedAt)
        ended += rows.length
        if (rows.length < AT_ONCE) return ended
      }
    },
  }
}
