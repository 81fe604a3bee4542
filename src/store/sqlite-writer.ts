import type SqliteConnection from 'better-sqlite3'
import type { Clock } from '../clock.ts'
import type { Trx } from './handles.ts'
import { createBatchRunner } from './sqlite-batch.ts'
import type { Work } from './sqlite-work.ts'

/** Bounds how long the first of a batch waits for the last, and how much one failed commit takes with it. */
const BATCH_WORKS = 64

export type SqliteWriter = {
  transact<T>(work: (trx: Trx) => Promise<T>): Promise<T>
  /** Resolves when everything taken on has ended; further works are refused. */
  close(): Promise<void>
}

/**
 * Group commit. The sync at the end of a transaction costs more than all of its statements, so works that wait at the
 * same time share one.
 */
export function createSqliteWriter(options: {
  readonly connection: SqliteConnection.Database
  readonly clock: Clock
  readonly limitMs: number
  readonly assertInPlace?: () => void
}): SqliteWriter {
  const runBatch = createBatchRunner(options)
  const idle = Promise.withResolvers<void>()
  let waiting: Work[] = []
  let busy = false
  let closed = false

  // Put off to the end of the turn of the event loop: all sockets that were ready have asked by then, and share.
  function schedule(): void {
    busy = true
    setImmediate(() => void runBatch(waiting.splice(0, BATCH_WORKS)).then(proceed))
  }

  function proceed(notRun: readonly Work[]): void {
    busy = false
    waiting = [...notRun, ...waiting]
    if (waiting.length > 0) schedule()
    else if (closed) idle.resolve()
  }

  return {
    transact<T>(run: (trx: Trx) => Promise<T>): Promise<T> {
      if (closed) return Promise.reject(new Error('The database is closed.'))
      return new Promise<T>((resolve, reject) => {
        waiting.push({ run, resolve: (value) => resolve(value as T), reject })
        if (!busy) schedule()
      })
    },
    close() {
      closed = true
      if (!busy) idle.resolve()
      return idle.promise
    },
  }
}
