import type SqliteConnection from 'better-sqlite3'
import type { Clock } from '../clock.ts'
import type { Trx } from './handles.ts'
import { createSqliteSession } from './sqlite-executor.ts'
import { StuckTransactionError } from './store-errors.ts'

/** Bounds how long the first of a batch waits for the last, and how much one failed commit takes with it. */
const BATCH_WORKS = 64
/** How long another process (a command line tool, say) may hold the write lock before we give up. */
const BUSY_LIMIT_MS = 5_000
const BUSY_PAUSE_MS = 10

export type SqliteWriter = {
  transact<T>(work: (trx: Trx) => Promise<T>): Promise<T>
  /** Resolves when everything taken on has ended; further works are refused. */
  close(): Promise<void>
}

type Task = {
  readonly work: (trx: Trx) => Promise<unknown>
  resolve(value: unknown): void
  reject(error: unknown): void
}

type Outcome = { readonly task: Task } & ({ readonly value: unknown } | { readonly error: unknown })

/**
 * Group commit. The sync at the end of a transaction costs far more than its statements, so works that wait at the
 * same time run one after the other inside one transaction, each in a savepoint of its own, and settle when the common
 * commit is on disk. A failed work settles then too: what it failed on may have been another work's row.
 */
export function createSqliteWriter(options: {
  readonly connection: SqliteConnection.Database
  readonly clock: Clock
  readonly limitMs: number
}): SqliteWriter {
  const { connection, clock } = options
  const runTask = createTaskRunner(options)
  const begin = connection.prepare('begin immediate')
  const commit = connection.prepare('commit')
  const waiting: Task[] = []
  let scheduled = false
  let closing: Promise<void> | undefined
  let onIdle: (() => void) | undefined

  async function beginBatch(): Promise<void> {
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

  async function runBatch(batch: readonly Task[]): Promise<void> {
    const outcomes: Outcome[] = []
    try {
      await beginBatch()
      for (const task of batch) {
        outcomes.push(await runTask(task))
        // A full disk, for one, makes SQLite roll back the whole transaction by itself.
        if (!connection.inTransaction) throw lastError(outcomes)
      }
      commit.run()
    } catch (error) {
      if (connection.inTransaction) connection.exec('rollback')
      // Those after a rollback of the whole have not run yet.
      const ran = outcomes.length > 0 ? outcomes.length : batch.length
      waiting.unshift(...batch.slice(ran))
      for (const task of batch.slice(0, ran)) task.reject(error)
      return
    }
    for (const outcome of outcomes) {
      if ('error' in outcome) outcome.task.reject(outcome.error)
      else outcome.task.resolve(outcome.value)
    }
  }

  // Put off to the end of the turn of the event loop: all sockets that were ready have asked by then, and share.
  function schedule(): void {
    scheduled = true
    setImmediate(() => void runBatch(waiting.splice(0, BATCH_WORKS)).then(proceed))
  }

  function proceed(): void {
    scheduled = false
    if (waiting.length > 0) schedule()
    else onIdle?.()
  }

  return {
    transact<T>(work: (trx: Trx) => Promise<T>): Promise<T> {
      if (closing) return Promise.reject(new Error('The database is closed.'))
      return new Promise<T>((resolve, reject) => {
        waiting.push({ work, resolve: (value) => resolve(value as T), reject })
        if (!scheduled) schedule()
      })
    },
    close() {
      closing ??= new Promise((resolve) => {
        onIdle = resolve
        if (!scheduled) resolve()
      })
      return closing
    },
  }
}

function createTaskRunner(options: {
  readonly connection: SqliteConnection.Database
  readonly clock: Clock
  readonly limitMs: number
}): (task: Task) => Promise<Outcome> {
  const { connection, clock, limitMs } = options
  const session = createSqliteSession(connection)
  const savepoint = connection.prepare('savepoint work')
  const release = connection.prepare('release work')
  const rollback = connection.prepare('rollback to work')

  return async (task) => {
    let over = false
    const trx = session.createTransaction(() => {
      if (over) throw new Error('This transaction is over; no statement can run in it.')
      // Without this, statements after a rollback of SQLite's own would commit one by one.
      if (!connection.inTransaction) throw new Error('The database rolled this transaction back.')
    })
    savepoint.run()
    const outcome = await settle(task, trx, clock, limitMs)
    over = true
    if (!connection.inTransaction) return outcome
    if ('error' in outcome) rollback.run()
    release.run()
    return outcome
  }
}

function settle(task: Task, trx: Trx, clock: Clock, limitMs: number): Promise<Outcome> {
  return new Promise((resolve) => {
    const stopWatch = watch(clock, limitMs, () => resolve({ task, error: new StuckTransactionError(limitMs) }))
    const fail = (error: unknown) => {
      stopWatch()
      resolve({ task, error })
    }
    try {
      task.work(trx).then((value) => {
        stopWatch()
        resolve({ task, value })
      }, fail)
    } catch (error) {
      fail(error)
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

function lastError(outcomes: readonly Outcome[]): unknown {
  const last = outcomes.at(-1)
  return last && 'error' in last ? last.error : new Error('The database rolled the transaction back.')
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_BUSY')
}
