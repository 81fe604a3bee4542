import { createDomain, type Domain } from '../../src/composition/domain.ts'
import { type Config, readConfig } from '../../src/config.ts'
import type { Attempt, GenerationInput, Problem } from '../../src/generation/generation-types.ts'
import type { Created, WatchedEvent } from '../../src/generation/services.ts'
import type { AccountLimits } from '../../src/identity/accounts.ts'
import type { Ids } from '../../src/ids.ts'
import { createMetrics } from '../../src/metrics.ts'
import type { OutboundFetch } from '../../src/outbound/outbound-fetch.ts'
import type { Model } from '../../src/providers/model.ts'
import { createModelCatalog } from '../../src/providers/model-catalog.ts'
import { createProviderRegistry } from '../../src/providers/provider-registry.ts'
import { Secret } from '../../src/secret.ts'
import type { BlobStorage } from '../../src/storage/blob-storage.ts'
import { createMemoryStorage } from '../../src/storage/memory-storage.ts'
import type { Database } from '../../src/store/database.ts'
import type { BillingMode, GenerationRow } from '../../src/store/tables.ts'
import type { Viewer } from '../../src/viewer.ts'
import { makeInput, makeModel } from '../unit/generation/request-plan-fixtures.ts'
import { createFakeClock, type FakeClock } from './fake-clock.ts'
import { createFakeIds } from './fake-ids.ts'
import { assertInvariants } from './invariants.ts'
import { createMortal, type Mortal } from './mortal.ts'
import { createRecordingLogger, type RecordingLogger } from './recording-logger.ts'
import { createScriptedProvider, type ScriptedProvider } from './scripted-provider.ts'

/** 0.04 dollars an image. */
export const PRICE_MICROS = 40_000

export type HouseOptions = {
  readonly database: Database
  readonly storage?: BlobStorage
  readonly clock?: FakeClock
  readonly ids?: Ids
  /** Of the models, all by one provider called `test` unless there are others. */
  readonly providers?: readonly ScriptedProvider[]
  readonly models?: readonly Model[]
  readonly config?: Partial<Config>
  readonly fetchOutbound?: OutboundFetch
  /** The server's. */
  readonly secret?: string
}

export type NewHouseAccount = {
  readonly billing?: BillingMode
  readonly creditMicros?: number
  readonly limits?: Partial<AccountLimits>
}

/** The domain over a real database, with a clock and a provider that the test moves, and no door. */
export type House = {
  readonly domain: Domain
  readonly database: Database
  readonly storage: BlobStorage
  readonly clock: FakeClock
  readonly ids: Ids
  readonly provider: ScriptedProvider
  readonly logger: RecordingLogger
  /** The worker and the upkeep, as `app.start` does it. */
  start(): Promise<void>
  /** `kill -9`: from here on this house does nothing any more. */
  kill(): void
  /** Time goes on in small steps, each with all that it sets off in the database. */
  pass(ms: number): Promise<void>
  /** METERED unless said otherwise. */
  account(given?: NewHouseAccount): Promise<Viewer>
  create(viewer: Viewer, input?: Partial<GenerationInput>): Promise<Created>
  /** Creates, and answers with the id. */
  order(viewer: Viewer, input?: Partial<GenerationInput>): Promise<string>
  row(id: string): Promise<GenerationRow>
  /** Resolves with the events up to the first of this kind. */
  until(viewer: Viewer, id: string, kind: WatchedEvent['event']['kind']): Promise<WatchedEvent[]>
  /** All events up to the end. */
  story(viewer: Viewer, id: string): Promise<WatchedEvent[]>
  /** What became of it, once it has ended and everything still adds up. */
  endOf(viewer: Viewer, id: string): Promise<HouseEnd>
  assertInvariants(options?: { readonly live?: boolean }): Promise<void>
}

export type HouseEnd = Omit<GenerationRow, 'problems' | 'error'> & {
  readonly events: readonly WatchedEvent['event']['kind'][]
  readonly problems: readonly Problem[]
  readonly error: Problem | null
  readonly attempts: readonly Attempt[]
}

export function buildHouse(options: HouseOptions): House {
  const { clock = createFakeClock(), ids = createFakeIds() } = options
  const { providers = [createScriptedProvider()], models = [pricedModel()] } = options
  const [provider, firstModel] = [providers[0], models[0]]
  if (provider === undefined || firstModel === undefined) throw new Error('A house has a provider and a model.')
  const { database, storage = createMemoryStorage({ clock }) } = options
  const mortal = createMortal(database, storage)
  const logger = createRecordingLogger()
  const config = { ...readConfig({}), ...options.config }
  const foundations = {
    clock,
    ids,
    logger,
    metrics: createMetrics({ process: false, providers: providers.map(({ id }) => id) }),
    secret: new Secret(options.secret ?? '0123456789abcdef0123456789abcdef'),
    database: mortal.database,
    redis: null,
    storage: mortal.storage,
    providers: createProviderRegistry(providers),
    catalog: createModelCatalog(models, { defaultModel: firstModel.id }),
    callbackPlan: null,
    variantStorage: mortal.storage,
    delivery: null,
  }
  const { fetchOutbound } = options
  const domain = createDomain(config, foundations, {
    publicUrl: () => 'http://localhost',
    ownAddresses: () => [],
    random: () => 0.5,
    ...(fetchOutbound && { fetchOutbound }),
  })
  const common = { domain, database, storage, clock, ids, provider, logger, kill: mortal.kill }
  return { ...common, ...createActions(common), pass: (ms) => pass(clock, mortal, ms) }
}

function createActions(house: Pick<House, 'domain' | 'database' | 'storage' | 'clock'>) {
  const { domain, database, storage, clock } = house

  async function watch(viewer: Viewer, id: string, isLast: (event: WatchedEvent) => boolean): Promise<WatchedEvent[]> {
    const seen: WatchedEvent[] = []
    const stream = await domain.watcher.watch(viewer, id, null)
    for await (const event of stream) {
      seen.push(event)
      if (isLast(event)) break
    }
    return seen
  }

  const assertAll = (options: { readonly live?: boolean } = {}) =>
    assertInvariants(database, storage, { now: clock.now(), ...options })

  const findRow = (id: string) =>
    database.read.selectFrom('generations').selectAll().where('id', '=', id).executeTakeFirstOrThrow()

  async function endOf(viewer: Viewer, id: string): Promise<HouseEnd> {
    const events = (await watch(viewer, id, () => false)).map(({ event }) => event.kind)
    const row = await findRow(id)
    await assertAll()
    const attempts = await domain.reader.attemptsOf([id])
    const error = row.error === null ? null : JSON.parse(row.error)
    return { ...row, events, attempts, error, problems: JSON.parse(row.problems) }
  }

  const create = (viewer: Viewer, input: Partial<GenerationInput> = {}) =>
    domain.generations.create(viewer, makeInput(input))

  return {
    async start() {
      if (database.dialect === 'sqlite') await domain.queue.recover()
      domain.worker.start()
      domain.upkeep.start()
    },
    async account({ billing = 'METERED', creditMicros = 0, limits = {} }: NewHouseAccount = {}) {
      const { id: accountId } = await domain.accounts.create({ name: 'Test', billing, limits })
      const grant = { accountId, amountMicros: creditMicros, note: null, now: clock.now() }
      if (creditMicros > 0) await database.transact((trx) => domain.ledger.grant(trx, grant))
      return viewerOf(accountId)
    },
    create,
    order: async (viewer: Viewer, input?: Partial<GenerationInput>) => (await create(viewer, input)).generation.id,
    row: findRow,
    endOf,
    until: (viewer: Viewer, id: string, kind: WatchedEvent['event']['kind']) =>
      watch(viewer, id, ({ event }) => event.kind === kind),
    story: (viewer: Viewer, id: string) => watch(viewer, id, () => false),
    assertInvariants: assertAll,
  }
}

const STEP_MS = 250

async function pass(clock: FakeClock, mortal: Mortal, ms: number): Promise<void> {
  await mortal.quiet()
  for (let left = ms; left > 0; left -= STEP_MS) {
    await clock.advance(Math.min(left, STEP_MS))
    await mortal.quiet()
  }
}

export function viewerOf(accountId: string, more: Partial<Viewer> = {}): Viewer {
  return {
    accountId,
    apiKeyId: null,
    tokenId: null,
    endUser: null,
    scopes: ['generate', 'read', 'admin'],
    models: null,
    tokenMaxSpendMicros: null,
    keyDailySpendMicros: null,
    expiresAt: null,
    ...more,
  }
}

/** `test/easel` at 0.04 dollars an image. */
export function pricedModel(model: Partial<Model> = {}, usd = '0.04'): Model {
  const price = { unit: 'IMAGE', size: null, quality: null, usd, asOf: 0, source: 'a test' } as const
  return makeModel({}, { prices: [price], ...model })
}

/** Whose price nobody knows. */
export function unpricedModel(model: Partial<Model> = {}): Model {
  return makeModel({}, { prices: [], ...model })
}
