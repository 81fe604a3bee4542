import { findAttempt, listAttempts } from '../store/attempt-store.ts'
import type { Database } from '../store/database.ts'
import { listEventsOfGeneration } from '../store/event-store.ts'
import { findGeneration, findOwnGenerations, type Ownership } from '../store/generation-store.ts'
import { countHistory, listHistory } from '../store/history-store.ts'
import { listGenerationsOfKeys } from '../store/idempotency-store.ts'
import { findImagesOfAccount, listImagesOfGenerations } from '../store/image-store.ts'
import type { GenerationRow } from '../store/tables.ts'
import { listUsage, type UsageColumn } from '../store/usage-store.ts'
import type { Viewer } from '../viewer.ts'
import type { GenerationCache } from './generation-cache.ts'
import type { Generation } from './generation-types.ts'
import type { ProgressBoard } from './progress-board.ts'
import type { QueuePlaces } from './queue-places.ts'
import { toAttempt, toGeneration, toImage, toStoredEvent } from './records.ts'
import type { GenerationReader, HistoryPage, HistoryResult, UsageGroup } from './services.ts'

const MAX_EVENTS = 1_000

/** Everything that is asked about generations and changes nothing. */
export function createGenerationReader(deps: {
  db: Database
  cache: GenerationCache
  progress: ProgressBoard
  places: QueuePlaces
}): GenerationReader {
  const { cache, progress, places } = deps
  const db = deps.db.read
  /** Watchers of one event ask at the same moment: they share the read. */
  const reading = new Map<string, Promise<Generation | undefined>>()

  return {
    async find(viewer, id) {
      const [row] = await findOwnGenerations(db, ownerOf(viewer), [id])
      return row && toGeneration(row)
    },

    async findMany(viewer, ids) {
      return (await findOwnGenerations(db, ownerOf(viewer), ids)).map(toGeneration)
    },

    async listOfKeys(viewer, keys) {
      const ids = await listGenerationsOfKeys(db, viewer, keys)
      const found = await findOwnGenerations(db, ownerOf(viewer), ids)
      return found.map(toGeneration).toSorted((a, b) => ids.indexOf(a.id) - ids.indexOf(b.id))
    },

    async findAtLeast(generationId, sequence) {
      const known = cache.findAtLeast(generationId, sequence)
      if (known !== undefined) return known
      const shared = reading.get(generationId) ?? readAndShare(generationId)
      const read = await shared
      // A read that began before the event was committed may be a step behind: ask again, for oneself.
      return read === undefined || read.sequence >= sequence ? read : readNewest(generationId)
    },

    history: async (viewer, page) => pageOf(await listHistory(db, ownerOf(viewer), page.filter, keysetOf(page)), page),
    countHistory: (viewer, filter) => countHistory(db, ownerOf(viewer), filter),
    imagesOf: async (generationIds) => (await listImagesOfGenerations(db, generationIds)).map(toImage),
    findImages: async (viewer, ids) => (await findImagesOfAccount(db, { ids, ...ownerOf(viewer) })).map(toImage),
    attemptsOf: async (generationIds) => (await listAttempts(db, generationIds)).map(toAttempt),

    async findAttempt(viewer, id) {
      const row = await findAttempt(db, id)
      if (row === undefined) return undefined
      const owned = await findOwnGenerations(db, ownerOf(viewer), [row.generationId])
      return owned.length === 0 ? undefined : toAttempt(row)
    },

    async eventsOf(generationId, afterSequence) {
      const rows = await listEventsOfGeneration(db, { generationId, afterSequence, limit: MAX_EVENTS })
      return rows.map(toStoredEvent)
    },

    progressOf: (generationId) => progress.progressOf(generationId),
    queuePlace: (generation) => places.find(generation),
    usage: (viewer, { from, to, groupBy }) => listUsage(db, ownerOf(viewer), { from, to, by: USAGE_COLUMNS[groupBy] }),
  }

  function readAndShare(generationId: string): Promise<Generation | undefined> {
    const promise = readNewest(generationId).finally(() => reading.delete(generationId))
    reading.set(generationId, promise)
    return promise
  }

  async function readNewest(generationId: string): Promise<Generation | undefined> {
    const row = await findGeneration(db, generationId)
    if (row === undefined || row.deletedAt !== null) return undefined
    const generation = toGeneration(row)
    cache.put(generation)
    return generation
  }
}

const USAGE_COLUMNS: Readonly<Record<UsageGroup, UsageColumn>> = {
  DAY: 'day',
  MODEL: 'model',
  PROVIDER: 'provider',
  TAG: 'tag',
  END_USER: 'endUser',
}

function ownerOf({ accountId, endUser }: Viewer): Ownership {
  return { accountId, endUser }
}

/** One more row than asked tells whether there is another page. */
function keysetOf({ direction, after, before, limit }: HistoryPage) {
  const order = direction === 'forward' ? ('newest' as const) : ('oldest' as const)
  return { order, olderThan: after, newerThan: before, limit: limit + 1 }
}

function pageOf(rows: readonly GenerationRow[], { direction, after, before, limit }: HistoryPage): HistoryResult {
  const hasMore = rows.length > limit
  const items = rows.slice(0, limit).map(toGeneration)
  return direction === 'forward'
    ? { items, hasNextPage: hasMore, hasPreviousPage: after !== null }
    : { items: items.reverse(), hasNextPage: before !== null, hasPreviousPage: hasMore }
}
