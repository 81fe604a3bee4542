import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.ts'
import { isAboutOwnKey } from '../queue/retry-policy.ts'
import type { Database } from '../store/database.ts'
import { listRecentRuns, type RecentRun } from '../store/usage-store.ts'
import type { DurationRange, ModelStatistics } from './services.ts'

const RUNS = 100
const FEWEST_RUNS = 5
const FRESH_MS = 5_000
const MAX_MODELS = 1_000

/** How long this server's own latest runs of a model took and how they ended; looked up once in some seconds. */
export type RunStatistics = { of(modelId: string): Promise<ModelStatistics | null> }

export function createRunStatistics({ db, clock }: { db: Database; clock: Clock }): RunStatistics {
  const known = new LRUCache<string, { readAt: number; statistics: Promise<ModelStatistics | null> }>({
    max: MAX_MODELS,
  })

  return {
    of(modelId) {
      const cached = known.get(modelId)
      if (cached && clock.now() - cached.readAt < FRESH_MS) return cached.statistics
      const statistics = read(modelId)
      known.set(modelId, { readAt: clock.now(), statistics })
      statistics.catch(() => known.delete(modelId))
      return statistics
    },
  }

  async function read(modelId: string): Promise<ModelStatistics | null> {
    const runs = await listRecentRuns(db.read, modelId, RUNS)
    const ended = runs.filter(tellsOfModel)
    const completed = ended.filter((run) => run.status === 'COMPLETED')
    const latencyMs = rangeOf(completed.map((run) => (run.finishedAt ?? 0) - (run.startedAt ?? run.finishedAt ?? 0)))
    if (ended.length < FEWEST_RUNS || latencyMs === null) return null
    return { latencyMs, successRate: completed.length / ended.length }
  }
}

/** A cancel is the client's word, and so is a key of its own that was refused. */
function tellsOfModel({ status, keySource, error }: RecentRun): boolean {
  return status !== 'CANCELED' && !(error !== null && isAboutOwnKey(keySource, JSON.parse(error).code))
}

function rangeOf(durationsMs: readonly number[]): DurationRange | null {
  const sorted = [...durationsMs].sort((left, right) => left - right)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]
  const [p50, p90] = [at(0.5), at(0.9)]
  return p50 === undefined || p90 === undefined ? null : { p50, p90 }
}
