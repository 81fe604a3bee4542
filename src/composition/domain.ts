import type { Config } from '../config.ts'
import { createStreamRefresher } from '../events/stream-refresher.ts'
import { createAdmission } from '../generation/admission.ts'
import { createAttemptEnding } from '../generation/attempt-ending.ts'
import { createAttempts } from '../generation/attempts.ts'
import { createCallKeys } from '../generation/call-keys.ts'
import { createCancellation } from '../generation/cancellation.ts'
import { createDeletion } from '../generation/deletion.ts'
import { createEventLog } from '../generation/event-log.ts'
import { createGenerationCache } from '../generation/generation-cache.ts'
import { createGenerationReader } from '../generation/generation-reader.ts'
import { createGenerationService } from '../generation/generation-service.ts'
import { createGenerationWatcher } from '../generation/generation-watcher.ts'
import { createModelAvailability } from '../generation/model-availability.ts'
import { createModelChooser } from '../generation/model-choice.ts'
import { createModelService } from '../generation/model-service.ts'
import { observeBus } from '../generation/observed-bus.ts'
import { createProgressBoard } from '../generation/progress-board.ts'
import { createQueuePlaces } from '../generation/queue-places.ts'
import { createRetention } from '../generation/retention.ts'
import { createRunStatistics } from '../generation/run-statistics.ts'
import { createSettlement } from '../generation/settlement.ts'
import { createCurrency } from '../ledger/currency.ts'
import { createLedger } from '../ledger/ledger.ts'
import type { OutboundFetch } from '../outbound/outbound-fetch.ts'
import type { OwnAddresses } from '../outbound/own-addresses.ts'
import type { ImageProvider } from '../providers/provider.ts'
import { createEmbeddedQueue } from '../queue/embedded-queue.ts'
import { DEFAULT_RETRY_POLICY } from '../queue/retry-policy.ts'
import type { BlobStorage } from '../storage/blob-storage.ts'
import { createLossWatch } from '../upkeep/loss-watch.ts'
import { createOrphanSweep } from '../upkeep/orphan-sweep.ts'
import { createCallbackDesk } from '../worker/callback-desk.ts'
import { createProviderGate, type GateLimits } from '../worker/provider-gate.ts'
import { createUpkeep } from '../worker/upkeep.ts'
import { createWorker } from '../worker/worker.ts'
import { createEvents } from './events.ts'
import type { Foundations } from './foundations.ts'
import { createIdentity } from './identity.ts'
import { createPictures } from './pictures.ts'
import { listServerKeys } from './providers.ts'
import { createReferences } from './references.ts'
import { createWebhookParts } from './webhooks.ts'

export type DomainOptions = {
  readonly publicUrl: () => string
  readonly ownAddresses: OwnAddresses
  readonly leaseMs?: number
  readonly pollMs?: number
  readonly refreshMs?: number
  readonly lookMs?: number
  readonly random?: () => number
  /** Of pictures that callers name by their address. */
  readonly fetchOutbound?: OutboundFetch
}

const STALL_MS = 30_000

/** The house itself: what a generation is, who may ask for one, what it costs and who makes it. */
export function createDomain(config: Config, foundations: Foundations, options: DomainOptions) {
  const { clock, ids, logger, metrics, database: db, providers, catalog } = foundations
  const { leaseMs = 15_000, pollMs = 1_000, refreshMs = 20_000, random = Math.random } = options
  const currency = createCurrency(config.currency)
  const identity = createIdentity(config, foundations)
  const { providerKeys, secretBox } = identity
  const pictures = createPictures(foundations, options)
  const events = createEvents(foundations, options)
  const bus = observeBus(events.bus, { logger, metrics })
  const told = createWebhookParts(config, foundations, {
    ...pictures,
    secretBox,
    currency,
    random,
    pollMs,
    ownAddresses: options.ownAddresses,
  })
  const log = createEventLog({
    db,
    bus,
    outbox: told.outbox,
    onMoved: ({ kind, amountMicros }) => metrics.money(kind, amountMicros),
  })
  const queue = createEmbeddedQueue({ db, clock, ids, leaseMs })
  const ledger = createLedger({ ids })
  const settlement = createSettlement({ ledger, queue, currency, clock })
  const policy = { ...DEFAULT_RETRY_POLICY, unknownOutcome: config.unknownOutcome }
  const gate = createProviderGate({ clock, limits: gateLimits(config, providers.list()) })
  const availability = createModelAvailability({ providers, health: gate, clock })
  const chooseModels = createModelChooser({ catalog, availability, currency: config.currency })
  const statistics = createRunStatistics({ db, clock })
  const progress = createProgressBoard({ bus, clock })
  const cache = createGenerationCache()
  const places = createQueuePlaces({ db, queue, statistics, concurrency: config.concurrency })
  const reader = createGenerationReader({ db, cache, progress, places })
  const cancellation = createCancellation({ db, log, queue, settlement, clock })
  const deletion = createDeletion({ db, cache, clock })
  const retention = createRetention({ deletion, retentionMs: config.retentionMs, clock })
  const attempts = createAttempts({ db, log, queue, settlement, providers, catalog, policy, clock, ids })
  const ending = createAttemptEnding({ log, queue, settlement, policy, clock, random })
  const callKeys = createCallKeys({ db, box: secretBox, providerKeys })
  const callbacks = createCallbackDesk({ ...foundations, plan: foundations.callbackPlan })
  const { concurrency } = config
  const work = {
    attempts,
    ending,
    callKeys,
    callbacks,
    progress,
    queue,
    providers,
    gate,
    clock,
    logger,
    metrics,
    concurrency,
    leaseMs,
    pollMs,
    serverKeys: listServerKeys(config),
  }
  const worker = createWorker({ ...work, ...pictures })
  const { stopWork } = worker
  const inputs = createReferences(foundations, { ...options, ...identity, sweep: () => upkeep.sweep() })
  const { uploads } = inputs
  const care = { database: db, storage: pictures.storage, clock, logger, metrics }
  const upkeep = createUpkeep({
    cancellation,
    deletion,
    retention,
    uploads,
    blobs: pictures,
    orphans: createOrphanSweeps(care, foundations.variantStorage),
    losses: createLossWatch(care),
    clock,
    logger,
    stopWork,
  })
  const refresher = createStreamRefresher({ clock, everyMs: refreshMs })
  const admit = createAdmission({
    db,
    log,
    ledger,
    queue,
    chooseModels,
    providerKeys,
    secretBox,
    clock,
    ids,
    ...inputs,
  })

  return {
    ...identity,
    ...pictures,
    events,
    currency,
    queue,
    ledger,
    gate,
    uploads,
    callbacks,
    webhooks: told.webhooks,
    deliveries: told.deliveries,
    worker,
    upkeep,
    refresher,
    reader,
    retention,
    watcher: createGenerationWatcher({
      db,
      bus,
      reader,
      refresher,
      clock,
      stallMs: STALL_MS,
      onLagged: () => metrics.watcherLagged(),
    }),
    models: createModelService({ catalog, availability, providers, health: gate, statistics, providerKeys }),
    generations: createGenerationService({
      db,
      admit,
      chooseModels,
      ...inputs,
      cancellation,
      deletion,
      catalog,
      cache,
      rateLimits: identity.rateLimits,
      providerKeys,
      checkWebhookUrl: told.checkWebhookUrl,
      account: (viewer) => identity.accountService.account(viewer),
      nudge: () => worker.nudge(),
      stopWork,
      sweep: () => upkeep.sweep(),
    }),
  }
}

/** The stricter of the operator's limit and the vendor's. */
function gateLimits(config: Config, providers: readonly ImageProvider[]): ReadonlyMap<string, GateLimits> {
  return new Map(
    providers.map(({ id, limits = {} }) => {
      const concurrency = Math.min(config.providerConcurrency, limits.concurrency ?? config.providerConcurrency)
      return [id, { concurrency, requestsPerMinute: limits.requestsPerMinute ?? null }]
    }),
  )
}

function createOrphanSweeps(care: Parameters<typeof createOrphanSweep>[0], variants: BlobStorage) {
  const images = createOrphanSweep(care)
  if (variants === care.storage) return [images]
  return [images, createOrphanSweep({ ...care, storage: variants, isCache: true })]
}

export type Domain = ReturnType<typeof createDomain>
