import type { JobQueue } from '../queue/job-queue.ts'
import type { Database } from '../store/database.ts'
import type { Generation } from './generation-types.ts'
import type { RunStatistics } from './run-statistics.ts'
import type { QueuePlace } from './services.ts'

/** Where a waiting generation stands, and how long those before it may take by the latest runs of its model. */
export type QueuePlaces = { find(generation: Generation): Promise<QueuePlace | null> }

export function createQueuePlaces(deps: {
  db: Database
  queue: JobQueue
  statistics: RunStatistics
  /** How many generations run at a time. */
  concurrency: number
}): QueuePlaces {
  const { db, queue, statistics, concurrency } = deps
  return {
    async find(generation) {
      if (generation.status !== 'QUEUED') return null
      const ahead = await queue.findPosition(db.read, generation.id)
      if (ahead === undefined) return null
      const recent = await statistics.of(generation.model)
      // Those ahead run `concurrency` at a time: so many rounds pass before this one begins.
      const rounds = Math.ceil((ahead + 1) / concurrency)
      const { p50, p90 } = recent?.latencyMs ?? { p50: 0, p90: 0 }
      return { position: ahead + 1, expectedWaitMs: recent && { p50: p50 * rounds, p90: p90 * rounds } }
    },
  }
}
