import type { Clock } from '../clock.ts'
import type { Db, Trx } from './handles.ts'
import { StuckTransactionError } from './store-errors.ts'

const RETRIES = 3
/** Serialisation failure and deadlock: PostgreSQL rolled back and asks for the transaction to be run again. */
const REPEATABLE: ReadonlySet<unknown> = new Set(['40001', '40P01'])

export type PostgresTransactor = {
  transact<T>(work: (trx: Trx) => Promise<T>): Promise<T>
  /** Resolves when everything taken on has ended; further works are refused. */
  close(): Promise<void>
}

/** Read committed, the server's default: every decision in the stores is a guarded update or takes its lock. */
export function createPostgresTransactor(options: {
  readonly db: Db
  readonly clock: Clock
  readonly limitMs: number
}): PostgresTransactor {
  const { db, clock, limitMs } = options
  const running = new Set<Promise<unknown>>()
  let closed = false

  // Run again from its start only after a rollback, and works touch nothing but the database: repeating is safe.
  async function run<T>(work: (trx: Trx) => Promise<T>): Promise<T> {
    for (let retries = 0; ; retries++) {
      try {
        return await db.transaction().execute((trx) => settleInTime(work(trx), clock, limitMs))
      } catch (error) {
        if (retries === RETRIES || !isRepeatable(error)) throw error
      }
    }
  }

  return {
    transact(work) {
      if (closed) return Promise.reject(new Error('The database is closed.'))
      const transaction = run(work)
      running.add(transaction)
      const forget = () => running.delete(transaction)
      transaction.then(forget, forget)
      return transaction
    },
    async close() {
      closed = true
      await Promise.allSettled(running)
    },
  }
}

/** When this rejects, Kysely rolls back, and statements that the work starts later are refused. */
async function settleInTime<T>(running: Promise<T>, clock: Clock, limitMs: number): Promise<T> {
  const stop = new AbortController()
  const limit = clock.sleep(limitMs, stop.signal).then(() => {
    if (!stop.signal.aborted) throw new StuckTransactionError(limitMs)
    return running
  })
  try {
    return await Promise.race([running, limit])
  } finally {
    stop.abort()
  }
}

function isRepeatable(error: unknown): boolean {
  return error instanceof Error && 'code' in error && REPEATABLE.has(error.code)
}
