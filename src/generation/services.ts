import type { LaggedEvent, PassingEvent, StoredEvent } from '../events/generation-event.ts'
import type { CostLine } from '../ledger/pricing.ts'
import type { GenerationParameters, LifecycleState, Model } from '../providers/model.ts'
import type { GenerationStatus } from '../store/tables.ts'
import type { Viewer } from '../viewer.ts'
import type { Attempt, Generation, GenerationInput, Image, Warning } from './generation-types.ts'

/**
 * What the doors (GraphQL and those to come) may ask of the house. Every call takes the viewer and answers for that
 * viewer alone: someone else's object is as if it did not exist. Expected failures are the classes of `errors.ts`.
 */
export type GenerationService = {
  /** InvalidInput, ModelUnavailable, InsufficientCredits, CostLimit, RateLimited, IdempotencyConflict. */
  create(viewer: Viewer, input: GenerationInput): Promise<Created>
  /**
   * InvalidInput, ModelUnavailable. Holds, calls and keeps nothing. Pictures are fetched and read only where the price
   * hangs on their size; that counts as a request, and is RateLimited like one.
   */
  estimate(viewer: Viewer, input: GenerationInput): Promise<Estimate>
  /** NotFound. */
  cancel(viewer: Viewer, id: string): Promise<Canceled>
  /** As `create`, and NOT_FOUND as a RequestError; idempotent under its key. */
  retry(viewer: Viewer, id: string, overrides: RetryOverrides, idempotencyKey: string | null): Promise<Created>
  /** NotFound, NotFinished. Takes away prompt, images and bytes; the money's trace stays. */
  delete(viewer: Viewer, id: string): Promise<void>
}

export type Created = {
  readonly generation: Generation
  readonly replayed: boolean
  /** That the caller named, and may be told the secret of; null also where it came from the generation that is retried. */
  readonly webhookUrl: string | null
}
export type CancelEffect = 'FREE' | 'MAY_BE_BILLED' | 'TOO_LATE'
export type Canceled = { readonly generation: Generation; readonly effect: CancelEffect }
export type RetryOverrides = {
  readonly prompt: string | null
  readonly model: string | null
  readonly seed: number | null
  readonly count: number | null
  readonly strict: boolean | null
  readonly providerOptions: unknown
}

export type Estimate = {
  readonly model: Model
  /** null: the price is not known. */
  readonly total: MicrosRange | null
  readonly perImage: MicrosRange | null
  readonly lines: readonly CostLine[]
  readonly parameters: GenerationParameters
  readonly warnings: readonly Warning[]
  /** A provider key of the caller's own would pay: it costs no credits. */
  readonly ownKey: boolean
  /** What the provider then asks of the key's owner, by its price list; null: not known. */
  readonly providerPrice: MicrosRange | null
  /** Balance less open holds. */
  readonly balanceMicros: number
  readonly affordable: boolean | null
  readonly priceAsOf: number | null
  readonly priceSource: string | null
}
export type MicrosRange = { readonly minMicros: number; readonly maxMicros: number }

export type GenerationReader = {
  find(viewer: Viewer, id: string): Promise<Generation | undefined>
  /** By id, in no order; what is not the viewer's is left out. */
  findMany(viewer: Viewer, ids: readonly string[]): Promise<readonly Generation[]>
  /** Made under idempotency keys that begin so, newest first; `prefix` as the store wants it, `since` in milliseconds. */
  listOfKeys(viewer: Viewer, keys: { readonly prefix: string; readonly since: number }): Promise<readonly Generation[]>
  /** As `find`, shared between the watchers of one event: at least as new as `sequence`. */
  findAtLeast(generationId: string, sequence: number): Promise<Generation | undefined>
  history(viewer: Viewer, page: HistoryPage): Promise<HistoryResult>
  countHistory(viewer: Viewer, filter: HistoryFilter): Promise<number>
  imagesOf(generationIds: readonly string[]): Promise<readonly Image[]>
  findImages(viewer: Viewer, ids: readonly string[]): Promise<readonly Image[]>
  attemptsOf(generationIds: readonly string[]): Promise<readonly Attempt[]>
  findAttempt(viewer: Viewer, id: string): Promise<Attempt | undefined>
  /** The stored events after a sequence, in order. */
  eventsOf(generationId: string, afterSequence: number): Promise<readonly StoredEvent[]>
  /** Passing progress of a running generation, 0 to 1; null where nothing was told. */
  progressOf(generationId: string): number | null
  /** null when it does not wait. */
  queuePlace(generation: Generation): Promise<QueuePlace | null>
  usage(viewer: Viewer, query: UsageQuery): Promise<readonly UsageBucket[]>
}

export type HistoryFilter = {
  readonly status: readonly GenerationStatus[] | null
  /** Model id. */
  readonly model: string | null
  readonly provider: string | null
  readonly tag: string | null
  readonly endUser: string | null
  readonly createdAfter: number | null
  readonly createdBefore: number | null
  /** Words that the prompt must all contain. */
  readonly search: string | null
}
/** Newest first. `after`/`before` are generation ids; `limit` is 1 to 100. */
export type HistoryPage = {
  readonly filter: HistoryFilter
  readonly limit: number
  readonly direction: 'forward' | 'backward'
  readonly after: string | null
  readonly before: string | null
}
export type HistoryResult = {
  readonly items: readonly Generation[]
  readonly hasNextPage: boolean
  readonly hasPreviousPage: boolean
}

export type DurationRange = { readonly p50: number; readonly p90: number }
export type QueuePlace = { readonly position: number; readonly expectedWaitMs: DurationRange | null }

export const USAGE_GROUPS = ['DAY', 'MODEL', 'PROVIDER', 'TAG', 'END_USER'] as const
export type UsageGroup = (typeof USAGE_GROUPS)[number]
export type UsageQuery = { readonly from: number; readonly to: number; readonly groupBy: UsageGroup }
export type UsageBucket = {
  readonly key: string
  readonly generations: number
  readonly images: number
  readonly failed: number
  readonly chargedMicros: number
}

/** Hand-written iterators: `return()` settles a pending `next()` and lets go of everything. */
export type GenerationWatcher = {
  /** NOT_FOUND and BAD_USER_INPUT (a cursor of another generation) as RequestErrors, before anything is subscribed. */
  watch(viewer: Viewer, generationId: string, after: string | null): Promise<AsyncIterableIterator<WatchedEvent>>
  watchAll(viewer: Viewer, after: string | null): Promise<AsyncIterableIterator<WatchedEvent>>
}

/** What a watcher gets. `cursor` goes on from here; LAGGED and passing events repeat the one before them. */
export type WatchedEvent = {
  readonly event: StoredEvent | PassingEvent | LaggedEvent
  readonly cursor: string
  readonly generation: Generation
}

export type ModelFilter = {
  readonly provider: string | null
  readonly available: boolean | null
  readonly lifecycle: readonly LifecycleState[] | null
  readonly minCount: number | null
  readonly seed: boolean | null
  readonly referenceImages: boolean | null
  readonly search: string | null
}

export type ModelService = {
  list(viewer: Viewer, filter: ModelFilter | null): Promise<readonly Model[]>
  /** By id, bare name or alias; undefined where nothing or more than one answers. */
  find(name: string): Model | undefined
  /** null: it can be used by this viewer right now. */
  unavailableReason(viewer: Viewer, model: Model): Promise<string | null>
  /** From recent runs of this server; null while there are too few. Cached for some seconds. */
  statistics(modelId: string): Promise<ModelStatistics | null>
  providers(): readonly ProviderSummary[]
}
export type ModelStatistics = { readonly latencyMs: DurationRange; readonly successRate: number }
export type ProviderSummary = {
  readonly id: string
  readonly name: string
  readonly configured: boolean
  readonly health: ProviderHealth
}
export type ProviderHealth = {
  readonly state: 'UP' | 'DEGRADED' | 'DOWN' | 'UNKNOWN'
  readonly since: number | null
  readonly message: string | null
}
