import type { Clock } from '../clock.ts'
import { NotFinishedError, NotFoundError } from '../errors.ts'
import type { Database } from '../store/database.ts'
import { doomBlobs, forgetDoomedBlobs, listDoomedBlobs } from '../store/doomed-store.ts'
import { deleteEvents } from '../store/event-store.ts'
import { deleteGenerationSecret } from '../store/generation-secret-store.ts'
import { blankGeneration, findOwnGenerations, lockGeneration } from '../store/generation-store.ts'
import { deleteExpiredIdempotencyKeys } from '../store/idempotency-store.ts'
import { deleteImages } from '../store/image-store.ts'
import type { Viewer } from '../viewer.ts'
import { IDEMPOTENCY_MS } from './admission.ts'
import { isTerminal } from './generation-state.ts'

export type Doomed = { readonly prefix: string; readonly doomedAt: number }

export type Deletion = {
  /** Throws NotFoundError and NotFinishedError. */
  delete(viewer: Viewer, id: string): Promise<void>
  /** Bytes that no row needs, those that wait longest first. The prefix is the id of a generation, or an upload's owner. */
  listDoomed(limit: number): Promise<readonly Doomed[]>
  /** The bytes under the prefix are gone. */
  forgetDoomed(doomed: Doomed): Promise<void>
  /** Idempotency keys are kept for 24 hours. */
  forgetOldKeys(): Promise<void>
}

/**
 * Rows go in one transaction that also dooms the bytes; the bytes go after it, again and again until they are gone, so
 * that a crash in between leaves neither a row without bytes nor bytes without end.
 */
export function createDeletion({ db, clock }: { db: Database; clock: Clock }): Deletion {
  return {
    delete: (viewer, id) =>
      db.transact(async (trx) => {
        const [own] = await findOwnGenerations(trx, viewer, [id])
        const row = own && (await lockGeneration(trx, id))
        if (row === undefined || row.deletedAt !== null) throw new NotFoundError('generation')
        if (!isTerminal(row.status)) throw new NotFinishedError(id)
        const now = clock.now()
        await deleteImages(trx, id)
        await deleteEvents(trx, id)
        await deleteGenerationSecret(trx, id)
        await blankGeneration(trx, id, now)
        await doomBlobs(trx, id, now)
      }),
    listDoomed: (limit) => listDoomedBlobs(db.read, clock.now(), limit),
    forgetDoomed: (doomed) => db.transact((trx) => forgetDoomedBlobs(trx, doomed)),
    forgetOldKeys: () => db.transact((trx) => deleteExpiredIdempotencyKeys(trx, clock.now() - IDEMPOTENCY_MS)),
  }
}
