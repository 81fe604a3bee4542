import type { Clock } from '../clock.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import type { BlobStorage } from '../storage/blob-storage.ts'
import type { Database } from '../store/database.ts'
import { type BlobClaim, findBlobClaims } from './blob-claims.ts'
import { type ClaimedBlob, listClaims } from './stray-blobs.ts'

/** No write waits so long for its row, and no operator who is moving files takes longer. */
export const SAFE_AGE_MS = 24 * 3_600_000
/** Between two batches: whoever is served comes first. */
export const PAUSE_MS = 50
/** What one sweep takes away at most, and holds in memory. */
const MAX_ORPHANS = 1_000
const NAMED = 20

export type OrphanSweep = { sweep(stopping: AbortSignal): Promise<void> }

/**
 * Takes away bytes that no row needs and that no deletion will take: what a crash left between bytes and row, what was
 * written half, what came back from somewhere. Only what is certainly ours, and only after a day.
 *
 * A database that knows next to nothing of what lies in a storage is more likely the wrong one than the only one: bytes
 * without an owner are then left where they are, and told of. A cache has nothing that cannot be made again: there, all go.
 */
export function createOrphanSweep(deps: {
  readonly database: Pick<Database, 'snapshot'>
  readonly storage: BlobStorage
  readonly isCache?: boolean
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Pick<Metrics, 'orphansRemoved'>
}): OrphanSweep {
  const { database, storage, isCache = false, clock, logger, metrics } = deps

  /** undefined: it was stopped half-way. */
  async function look(stopping: AbortSignal): Promise<Census | undefined> {
    const census: Census = { needed: 0, ownerless: 0, orphans: [] }
    const safeBefore = clock.now() - SAFE_AGE_MS
    for await (const batch of listClaims(database, storage)) {
      for (const each of batch) count(census, each, safeBefore)
      await clock.sleep(PAUSE_MS, stopping)
      if (stopping.aborted) return undefined
    }
    return census
  }

  /** Looked at once more: a row may have come to need them. */
  async function remove(keys: readonly string[]): Promise<readonly string[]> {
    const claims = await findBlobClaims(database, keys)
    const removed = keys.filter((key) => isOrphan(claims.get(key)))
    for (const key of removed) await storage.delete(key)
    return removed
  }

  return {
    async sweep(stopping) {
      const halfWritten = await storage.removeLeftovers()
      const census = await look(stopping)
      if (census === undefined) return
      const { needed, ownerless, orphans } = census
      const isStrange = !isCache && ownerless > needed / 4
      if (isStrange) {
        logger.error(
          { files: ownerless, needed },
          'Files in storage that belong to nothing in this database are left alone, since they are so many: is it the right one?',
        )
      }
      const keys = orphans.filter(({ claim }) => claim === 'LEFT_OVER' || !isStrange).map(({ key }) => key)
      const removed = keys.length === 0 ? [] : await remove(keys)
      metrics.orphansRemoved(removed.length + halfWritten)
      if (removed.length + halfWritten === 0) return
      logger.warn(
        { files: removed.length, halfWritten, keys: removed.slice(0, NAMED) },
        'Files that no row needs were removed',
      )
    },
  }
}

type Orphan = { readonly key: string; readonly claim: BlobClaim }
type Census = { needed: number; ownerless: number; readonly orphans: Orphan[] }

function count(census: Census, { blob, claim }: ClaimedBlob, safeBefore: number): void {
  if (claim === 'NEEDED') census.needed += 1
  if (!isOrphan(claim) || blob.modifiedAt > safeBefore) return
  if (claim === 'OWNERLESS') census.ownerless += 1
  if (census.orphans.length < MAX_ORPHANS) census.orphans.push({ key: blob.key, claim })
}

function isOrphan(claim: BlobClaim | undefined): boolean {
  return claim === 'LEFT_OVER' || claim === 'OWNERLESS'
}
