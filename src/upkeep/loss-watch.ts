import type { Clock } from '../clock.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import type { BlobStorage } from '../storage/blob-storage.ts'
import type { Database } from '../store/database.ts'
import { findBlobFault } from './lost-blobs.ts'
import { PAUSE_MS } from './orphan-sweep.ts'
import { isStillRecorded, listRecordedBlobs, type RecordedBlob } from './recorded-blobs.ts'

/** Looked at between two pauses. */
const BATCH = 500
/** Rows that are remembered as told of, and of which a line of the log names so many. */
const MAX_REMEMBERED = 10_000
const NAMED = 20

export type LossWatch = { look(stopping: AbortSignal): Promise<void> }

/**
 * Looks whether the bytes of every row are there, by their size: `pictor verify` reads them. What is lost is told of once
 * by each process, and counted as long as it is.
 */
export function createLossWatch(deps: {
  readonly database: Database
  readonly storage: BlobStorage
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Pick<Metrics, 'lostBlobs'>
}): LossWatch {
  const { database, storage, clock, logger, metrics } = deps
  const told = new Set<string>()

  async function isLost(blob: RecordedBlob): Promise<boolean> {
    const fault = await findBlobFault(storage, blob, { quick: true })
    return fault !== undefined && (await isStillRecorded(database.read, blob))
  }

  return {
    async look(stopping) {
      const fresh: string[] = []
      let looked = 0
      let lost = 0
      for await (const blob of listRecordedBlobs(database.read)) {
        looked += 1
        if (looked % BATCH === 0) await clock.sleep(PAUSE_MS, stopping)
        if (stopping.aborted) return
        if (!(await isLost(blob))) continue
        lost += 1
        if (told.has(blob.key) || told.size >= MAX_REMEMBERED) continue
        told.add(blob.key)
        fresh.push(blob.id)
      }
      metrics.lostBlobs(lost)
      if (fresh.length === 0) return
      const about = { count: lost, new: fresh.length, ids: fresh.slice(0, NAMED) }
      logger.error(about, 'The bytes of pictures are not in storage, or not all of them: see `pictor verify`')
    },
  }
}
