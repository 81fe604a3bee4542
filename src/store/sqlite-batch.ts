import type SqliteConnection from 'better-sqlite3'
import type { Clock } from '../clock.ts'
import { isBusy } from './sqlite-file.ts'
import { createWorkRunner, type Outcome, type Work } from './sqlite-work.ts'

/** How long another process (a command line tool, say) may hold the write lock before we give up. */
const BUSY_LIMIT_MS = 5_000
const BUSY_PAUSE_MS = 10

/**
 * Runs works one after the other inside one transaction and settles them when it is on disk, in order. A failed work
 * settles then too: what it failed on may have been another work's row. Resolves with the works that have not run,
 * which are none unless the transaction broke half-way.
 */
export function createBatchRunner(options: {
  readonly connection: SqliteConnection.Database
  readonly clock: Clock
  readonly limitMs: number
  /** Throws where what is written would be lost. */
  readonly assertInPlace?: () => void
}): (works: readonly Work[]) => Promise<readonly Work[]> {
  const { connection, clock, assertInPlace } = options
  const runWork = createWorkRunner(options)
  const begin = connection.prepare('begin immediate')
  const commit = connection.prepare('commit')

  async function beginTransaction(): Promise<void> {
    const giveUpAt = clock.now() + BUSY_LIMIT_MS
    for (;;) {
      try {
        begin.run()
        return
      } catch (error) {
        if (!isBusy(error) || clock.now() >= giveUpAt) throw error
      }
      await clock.sleep(BUSY_PAUSE_MS)
    }
  }

  return async (works) => {
    const outcomes: Outcome[] = []
    try {
      assertInPlace?.()
      await beginTransaction()
      for (const work of works) {
        const outcome = await runWork(work)
        outcomes.push(outcome)
        // A full disk, for one, makes SQLite roll back the whole transaction by itself.
        if (!connection.inTransaction) throw explainRollback(outcome)
      }
      commit.run()
    } catch (error) {
      if (connection.inTransaction) connection.exec('rollback')
      // When not even the first has run, nothing can: then all are told.
      const involved = outcomes.length > 0 ? outcomes.length : works.length
      for (const work of works.slice(0, involved)) work.reject(error)
      return works.slice(involved)
    }
    works.forEach((work, index) => {
      settle(work, outcomes[index])
    })
    return []
  }
}

function settle(work: Work, outcome: Outcome | undefined): void {
  if (outcome && 'value' in outcome) work.resolve(outcome.value)
  else work.reject(outcome?.error)
}

function explainRollback(outcome: Outcome): unknown {
  return 'error' in outcome ? outcome.error : new Error('The database rolled the transaction back.')
}
