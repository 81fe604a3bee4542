import type { Clock } from '../clock.ts'
import type { Config } from '../config.ts'
import { listSecrets } from '../config-secrets.ts'
import { loadServerSecret } from '../identity/server-secret.ts'
import type { Ids } from '../ids.ts'
import { createLogger, type Logger } from '../logger.ts'
import { createMetrics, type Metrics } from '../metrics.ts'
import type { OwnAddresses } from '../outbound/own-addresses.ts'
import type { ModelCatalog } from '../providers/model-catalog.ts'
import type { ImageProvider } from '../providers/provider.ts'
import type { ProviderRegistry } from '../providers/provider-registry.ts'
import { openRedisLink, type RedisLink } from '../redis/redis-link.ts'
import type { Secret } from '../secret.ts'
import type { BlobStorage } from '../storage/blob-storage.ts'
import type { DirectDelivery } from '../storage/direct-delivery.ts'
import { configureImageEngine } from '../storage/image-engine.ts'
import { observeStorage } from '../storage/observed-storage.ts'
import { type Database, openDatabase } from '../store/database.ts'
import { type CallbackPlan, planCallbacks } from './callbacks.ts'
import { openOffer } from './offer.ts'
import { openDelivery, openStorage, openVariantStorage } from './storage.ts'

/** What the house stands on: everything that is opened, read or configured before any rule of ours applies. */
export type Foundations = {
  readonly clock: Clock
  readonly ids: Ids
  readonly logger: Logger
  readonly metrics: Metrics
  readonly secret: Secret
  readonly database: Database
  /** null: this process is alone, or is not told of the others. */
  readonly redis: RedisLink | null
  readonly storage: BlobStorage
  readonly variantStorage: BlobStorage
  /** null: Pictor itself hands pictures out. */
  readonly delivery: DirectDelivery | null
  readonly providers: ProviderRegistry
  readonly catalog: ModelCatalog
  readonly callbackPlan: CallbackPlan | null
}

export async function openFoundations(
  config: Config,
  given: {
    clock: Clock
    ids: Ids
    ownAddresses?: OwnAddresses
    logger?: Logger
    providers?: readonly ImageProvider[]
    exclusive?: boolean
  },
): Promise<Foundations> {
  const { clock, ids, exclusive = true } = given
  const logger = given.logger ?? createLogger({ level: config.logLevel, secrets: listSecrets(config) })
  configureImageEngine()
  const { providers, catalog } = await openOffer(config, given)
  const callbackPlan = planCallbacks(config, providers)
  const secret = await loadServerSecret({ configured: config.secret, dataDir: config.dataDir })
  const metrics = createMetrics({ providers: providers.list().map((provider) => provider.id) })
  const storage = observeStorage(await openStorage(config, clock), metrics)
  const variantStorage = openVariantStorage(config) ?? storage
  const delivery = await openDelivery(config, clock)
  const database = await openDatabase({ url: config.databaseUrl, logger, clock, exclusive })
  const redis = config.redisUrl && (await openRedisLink(config.redisUrl, { clock, logger, metrics }))
  const rooms = { database, redis, storage, variantStorage, delivery, providers, catalog, callbackPlan }
  return { clock, ids, logger, metrics, secret, ...rooms }
}
