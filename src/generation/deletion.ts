import type { Clock } from '../clock.ts'
import { NotFinishedError, NotFoundError } from '../errors.ts'
import type { Database, Trx } from '../store/database.ts'
import { doomBlobs, forgetDoomedBlobs, listDoomedBlobs } from '../store/doomed-store.ts'
import { deleteEvents } from '../store/event-store.ts'
import { deleteGenerationSecret } from '../store/generation-secret-store.ts'
import { blankGeneration, findOwnGenerations, listLongEnded, lockGeneration } from '../store/generation-store.ts'
import { deleteExpiredIdempotencyKeys } from '../store/idempotency-store.ts'
import { deleteImages } from '../store/image-store.ts'
import type { Viewer } from '../viewer.ts'
import { IDEMPOTENCY_MS } from './admission.ts'
import type { GenerationCache } from './generation-cache.ts'
import { isTerminal } from './generation-state.ts'

export type Doomed = { readonly prefix: string; readonly doomedAt: number }

export type Deletion = {
  /** Throws NotFoundError and NotFinishedError. */
  delete(viewer: Viewer, id: string): Promise<void>
  /** Whoever's it is; false: it is gone already. Throws NotFinishedError. */
  deleteById(id: string): Promise<boolean>
  /** Whoever's they are: those that ended at that moment or before it, at most `limit`. One that fails does not keep the others. */
  deleteEnded(endedBy: number, limit: number): Promise<{ readonly found: number; readonly deleted: number }>
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
export function createDeletion(deps: {
  readonly db: Database
  readonly cache: Pick<GenerationCache, 'drop'>
  readonly clock: Clock
}): Deletion {
  const { db, cache, clock } = deps

  return {
    async delete(viewer, id) {
      await db.transact(async (trx) => {
        const [own] = await findOwnGenerations(trx, viewer, [id])
        if (own === undefined || !(await remove(trx, id))) throw new NotFoundError('generation')
      })
      cache.drop(id)
    },

    deleteById,

    async deleteEnded(endedBy, limit) {
      const ids = await listLongEnded(db.read, endedBy, limit)
      const failures: unknown[] = []
      let deleted = 0
      // One transaction each: whoever else has something to write comes in between, or shares the commit.
      for (const id of ids) {
        try {
          if (await deleteById(id)) deleted += 1
        } catch (error) {
          failures.push(error)
        }
      }
      if (failures.length > 0) throw new AggregateError(failures)
      return { found: ids.length, deleted }
    },
    listDoomed: (limit) => listDoomedBlobs(db.read, clock.now(), limit),
    forgetDoomed: (doomed) => db.transact((trx) => forgetDoomedBlobs(trx, doomed)),
    forgetOldKeys: () => db.transact((trx) => deleteExpiredIdempotencyKeys(trx, clock.now() - IDEMPOTENCY_MS)),
  }

  async function deleteById(id: string): Promise<boolean> {
    const isDeleted = await db.transact((trx) => remove(trx, id))
    cache.drop(id)
    return isDeleted
  }

  /** false: it is gone already. */
  async function remove(trx: Trx, id: string): Promise<boolean> {
    const row = await lockGeneration(trx, id)
    if (row === undefined || row.deletedAt !== null) return false
    if (!isTerminal(row.status)) throw new NotFinishedError(id)
    const now = clock.now()
    await deleteImages(trx, id)
    await deleteEvents(trx, id)
    await deleteGenerationSecret(trx, id)
    await blankGeneration(trx, id, now)
    await doomBlobs(trx, id, now)
    return true
  }
}
