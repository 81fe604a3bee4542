import type SqliteConnection from 'better-sqlite3'
import type { Clock } from '../clock.ts'
import type { Trx } from './handles.ts'
import { createSqliteSession } from './sqlite-executor.ts'
import { StuckTransactionError } from './store-errors.ts'

/** What one caller asked the writer to do. */
export type Work = {
  readonly run: (trx: Trx) => Promise<unknown>
  resolve(value: unknown): void
  reject(error: unknown): void
}

export type Outcome = { readonly value: unknown } | { readonly error: unknown }

/** Runs one work in a savepoint of its own; resolves with how it ended, and its `trx` is dead from then on. */
export function createWorkRunner(options: {
  readonly connection: SqliteConnection.Database
  readonly clock: Clock
  readonly limitMs: number
}): (work: Work) => Promise<Outcome> {
  const { connection, clock, limitMs } = options
  const session = createSqliteSession(connection)
  const savepoint = connection.prepare('savepoint work')
  const release = connection.prepare('release work')
  const rollback = connection.prepare('rollback to work')

  return async (work) => {
    let over = false
    const trx = session.createTransaction(() => {
      if (over) throw new Error('This transaction is over; no statement can run in it.')
      // Without this, statements after a rollback of SQLite's own would commit one by one.
      if (!connection.inTransaction) throw new Error('The database rolled this transaction back.')
    })
    savepoint.run()
    const outcome = await settleInTime(work, trx, clock, limitMs)
    over = true
    if (!connection.inTransaction) return outcome
    if ('error' in outcome) rollback.run()
    release.run()
    return outcome
  }
}

function settleInTime(work: Work, trx: Trx, clock: Clock, limitMs: number): Promise<Outcome> {
  return new Promise((resolve) => {
    const stopWatch = watch(clock, limitMs, () => resolve({ error: new StuckTransactionError(limitMs) }))
    const end = (outcome: Outcome) => {
      stopWatch()
      resolve(outcome)
    }
    try {
      work.run(trx).then(
        (value) => end({ value }),
        (error: unknown) => end({ error }),
      )
    } catch (error) {
      end({ error })
    }
  })
}

/** A proper work is through before the event loop turns, so the clock is only asked for one that is not. */
function watch(clock: Clock, limitMs: number, onLimit: () => void): () => void {
  let stop: AbortController | undefined
  const immediate = setImmediate(() => {
    stop = new AbortController()
    const { signal } = stop
    void clock.sleep(limitMs, signal).then(() => {
      if (!signal.aborted) onLimit()
    })
  })
  return () => {
    clearImmediate(immediate)
    stop?.abort()
  }
}
