import type { Clock } from '../clock.ts'
import { RequestError } from '../errors.ts'
import type { Database, Trx } from '../store/database.ts'
import { doomBlobs, hastenDoom, pardonBlobs } from '../store/doomed-store.ts'

/**
 * Bytes that are written before the row that needs them. They are doomed in advance, so that a crash in between leaves them
 * to the sweep, and the transaction that writes the row pardons them: at no moment are there bytes without end, nor a row
 * without bytes. `owner` is the first part of their keys.
 */
export type EarlyBytes = {
  /** Before the first byte is written. */
  doom(owner: string): Promise<void>
  /** In the transaction that writes the row. Throws UNAVAILABLE where their time is nearly over. */
  pardon(trx: Trx, owner: string): Promise<void>
  /** There is no row, as far as one knows: where there is one after all, its transaction has pardoned them, and they stay. */
  drop(owner: string): Promise<void>
}

const GRACE_MS = 10 * 60_000
const MARGIN_MS = 60_000

export function createEarlyBytes(deps: {
  readonly db: Database
  readonly clock: Clock
  /** Bytes wait to be deleted. */
  readonly sweep: () => void
}): EarlyBytes {
  const { db, clock, sweep } = deps
  return {
    doom: (owner) => db.transact((trx) => doomBlobs(trx, owner, clock.now() + GRACE_MS)),

    async pardon(trx, owner) {
      if (await pardonBlobs(trx, owner, clock.now() + MARGIN_MS)) return
      throw tookTooLong()
    },

    async drop(owner) {
      // Where this fails, they go when their time comes.
      await db.transact((trx) => hastenDoom(trx, owner, clock.now())).catch(() => undefined)
      sweep()
    },
  }
}

export function tookTooLong(): RequestError {
  return new RequestError('UNAVAILABLE', 'Reading the pictures took too long. Try again.')
}
