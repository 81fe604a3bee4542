import { RequestError } from '../../../src/errors.ts'
import type { StoredEvent } from '../../../src/events/generation-event.ts'
import type { Attempt, Generation, Image } from '../../../src/generation/generation-types.ts'
import type { Estimate, HistoryResult, UsageBucket, WatchedEvent } from '../../../src/generation/services.ts'
import type { Context } from '../../../src/graphql/context.ts'
import type { Account, ApiKey, ProviderKey } from '../../../src/identity/account-types.ts'
import { createCurrency } from '../../../src/ledger/currency.ts'
import type { Model } from '../../../src/providers/model.ts'
import type { Upload } from '../../../src/references/uploads.ts'
import type { Services } from '../../../src/services.ts'
import type { Viewer } from '../../../src/viewer.ts'
import type { WebhookDelivery, WebhookEndpoint } from '../../../src/webhooks/webhook-types.ts'
import { ACCOUNT, MODEL, VIEWER } from './rows.ts'

/** A house in memory: rows that a test puts in, and a note of every call that reached a service. */
export type FakeWorld = {
  readonly generations: Generation[]
  readonly images: Image[]
  readonly attempts: Attempt[]
  readonly events: StoredEvent[]
  readonly models: Model[]
  readonly apiKeys: ApiKey[]
  readonly uploads: Upload[]
  readonly providerKeys: ProviderKey[]
  account: Account
  history: HistoryResult
  usage: UsageBucket[]
  estimate: Estimate | null
  progress: number | null
  retentionMs: number | null
  watched: AsyncIterableIterator<WatchedEvent> | null
  /** Thrown by every service that acts, when set. */
  failure: Error | null
  /** Name and arguments, the viewer left out. */
  readonly calls: [name: string, ...args: unknown[]][]
  context(given?: Partial<Context>): Context
}

export function createFakeWorld(): FakeWorld {
  const world: FakeWorld = {
    generations: [],
    images: [],
    attempts: [],
    events: [],
    models: [MODEL],
    apiKeys: [],
    uploads: [],
    providerKeys: [],
    account: ACCOUNT,
    history: { items: [], hasNextPage: false, hasPreviousPage: false },
    usage: [],
    estimate: null,
    progress: null,
    retentionMs: null,
    watched: null,
    failure: null,
    calls: [],
    context: (given) => ({
      viewer: VIEWER,
      services,
      requestId: 'req_1',
      lastEventId: null,
      stream: { cursor: null },
      ...given,
    }),
  }
  const services: Services = {
    generations: fakeGenerations(world),
    reader: fakeReader(world),
    watcher: {
      watch: async (_viewer, id, after) => act(world, world.watched, 'watch', id, after),
      watchAll: async (_viewer, after) => act(world, world.watched, 'watchAll', after),
    },
    models: fakeModels(world),
    accounts: fakeAccounts(world),
    images: {
      url: (image, variant, expiresInSeconds) => {
        world.calls.push(['imageUrl', variant, expiresInSeconds])
        return `https://pictor.test/images/${image.id}`
      },
      base64: async (image) => `base64 of ${image.id}`,
      previewUrl: (preview) => `https://pictor.test/previews/${preview.previewId}`,
      previewBase64: () => null,
    },
    retention: {
      expiresAt: ({ finishedAt }) =>
        finishedAt === null || world.retentionMs === null ? null : finishedAt + world.retentionMs,
    },
    uploads: {
      create: async (_viewer, file) => act(world, world.uploads[0] ?? null, 'upload', file.size),
      find: async (viewer, id) => world.uploads.filter(seenBy(viewer)).find((each) => each.id === id),
    },
    webhooks: fakeWebhooks(world),
    currency: createCurrency({ code: 'EUR', usdRate: '0.5', markup: '2', credit: '0.001' }),
  }
  return world
}

function act<T>(world: FakeWorld, answer: T | null, ...call: [name: string, ...args: unknown[]]): T {
  world.calls.push(call)
  if (world.failure) throw world.failure
  if (answer === null) throw new Error(`The test did not say what ${call[0]} answers.`)
  return answer
}

function seenBy(viewer: Viewer) {
  return (row: { readonly accountId: string; readonly endUser?: string | null }) =>
    row.accountId === viewer.accountId && (viewer.endUser === null || row.endUser === viewer.endUser)
}

function fakeGenerations(world: FakeWorld): Services['generations'] {
  const first = () => world.generations[0] ?? null
  return {
    create: async (_viewer, input) => {
      const generation = act(world, first(), 'create', input)
      return { generation, replayed: false, webhookUrl: input.webhookUrl }
    },
    estimate: async (_viewer, input) => act(world, world.estimate, 'estimate', input),
    cancel: async (_viewer, id) => ({ generation: act(world, first(), 'cancel', id), effect: 'FREE' }),
    retry: async (_viewer, ...args) => {
      const generation = act(world, first(), 'retry', ...args)
      return { generation, replayed: false, webhookUrl: null }
    },
    delete: async (_viewer, id) => void act(world, true, 'delete', id),
  }
}

const ENDPOINT: WebhookEndpoint = {
  id: 'whk_1',
  accountId: 'acc_1',
  url: 'https://app.example.com/hooks',
  events: ['GENERATION_FAILED'],
  state: 'ACTIVE',
  createdAt: 0,
}

const DELIVERY: WebhookDelivery = {
  id: 'whd_1',
  messageId: 'msg_1',
  event: 'GENERATION_FAILED',
  generationId: 'gen_1',
  state: 'DELIVERED',
  attempts: 1,
  lastResponseStatus: 204,
  lastError: null,
  nextAttemptAt: null,
  createdAt: 0,
  deliveredAt: 1,
}

/** What is stored and sent is tested where that is real; here there is none. */
function fakeWebhooks(world: FakeWorld): Services['webhooks'] {
  return {
    endpoints: async () => [ENDPOINT],
    findEndpoint: async () => undefined,
    create: async (_viewer, input) => ({
      endpoint: act(world, ENDPOINT, 'createEndpoint', input),
      signingSecret: 'whsec_c2VjcmV0',
    }),
    update: async (_viewer, id, change) => act(world, ENDPOINT, 'updateEndpoint', id, change),
    rotate: async (_viewer, id) => ({
      endpoint: act(world, ENDPOINT, 'rotateSecret', id),
      signingSecret: 'whsec_c2VjcmV0',
      previousSecretExpiresAt: 0,
    }),
    delete: async (_viewer, id) => void act(world, true, 'deleteEndpoint', id),
    deliveries: async () => [DELIVERY],
    findDelivery: async () => undefined,
    redeliver: async (_viewer, id) => act(world, DELIVERY, 'redeliver', id),
    secretOfAddress: () => 'whsec_c2VjcmV0',
  }
}

function fakeReader(world: FakeWorld): Services['reader'] {
  const { calls } = world
  return {
    find: async (viewer, id) => {
      calls.push(['find', id])
      return world.generations.filter(seenBy(viewer)).find((each) => each.id === id)
    },
    listOfKeys: async () => [],
    findMany: async (viewer, ids) => {
      calls.push(['findMany', ids])
      return world.generations.filter(seenBy(viewer)).filter(({ id }) => ids.includes(id))
    },
    findAtLeast: async (id) => world.generations.find((each) => each.id === id),
    history: async (_viewer, page) => act(world, world.history, 'history', page),
    countHistory: async (_viewer, filter) => act(world, 41, 'countHistory', filter),
    imagesOf: async (ids) => {
      calls.push(['imagesOf', ids])
      return world.images.filter(({ generationId }) => ids.includes(generationId))
    },
    findImages: async (viewer, ids) => {
      calls.push(['findImages', ids])
      const own = new Set(world.generations.filter(seenBy(viewer)).map(({ id }) => id))
      return world.images.filter(({ id, generationId }) => ids.includes(id) && own.has(generationId))
    },
    attemptsOf: async (ids) => {
      calls.push(['attemptsOf', ids])
      return world.attempts.filter(({ generationId }) => ids.includes(generationId))
    },
    findAttempt: async (viewer, id) => {
      const own = new Set(world.generations.filter(seenBy(viewer)).map((each) => each.id))
      return world.attempts.find((each) => each.id === id && own.has(each.generationId))
    },
    eventsOf: async (id, after) =>
      world.events.filter(({ generationId, sequence }) => generationId === id && sequence > after),
    progressOf: () => world.progress,
    queuePlace: async () => ({ position: 3, expectedWaitMs: { p50: 400, p90: 900 } }),
    usage: async (_viewer, query) => act(world, world.usage, 'usage', query),
  }
}

function fakeModels(world: FakeWorld): Services['models'] {
  return {
    list: async (_viewer, filter) => act(world, world.models, 'models', filter),
    find: (name) => world.models.find(({ id, aliases }) => id === name || aliases.some((alias) => alias.name === name)),
    unavailableReason: async (_viewer, model) => (model.lifecycle.state === 'RETIRED' ? 'It was retired.' : null),
    statistics: async () => ({ latencyMs: { p50: 10, p90: 20 }, successRate: 0.5 }),
    providers: () => [
      {
        id: 'sandbox',
        name: 'Sandbox',
        configured: true,
        health: { state: 'UP', since: Date.UTC(2026, 0, 1), message: null },
      },
    ],
  }
}

function fakeAccounts(world: FakeWorld): Services['accounts'] {
  return {
    account: async () => world.account,
    apiKeys: async () => act(world, world.apiKeys, 'apiKeys'),
    findApiKey: async (viewer, id) => {
      if (!viewer.scopes.includes('admin')) throw new RequestError('FORBIDDEN', 'No admin.')
      return world.apiKeys.find((key) => key.id === id && key.accountId === viewer.accountId)
    },
    createApiKey: async (_viewer, input) => ({
      apiKey: act(world, world.apiKeys[0] ?? null, 'createApiKey', input),
      secret: 'pk_shown_once',
    }),
    revokeApiKey: async (_viewer, id) => act(world, world.apiKeys[0] ?? null, 'revokeApiKey', id),
    createToken: async (_viewer, input) =>
      act(world, { accessToken: 'token', expiresAt: Date.UTC(2026, 0, 2) }, 'createToken', input),
    providerKeys: async () => act(world, world.providerKeys, 'providerKeys'),
    setProviderKey: async (_viewer, provider, apiKey) =>
      act(world, world.providerKeys[0] ?? null, 'setProviderKey', provider, apiKey),
    removeProviderKey: async (_viewer, provider) => act(world, provider, 'removeProviderKey', provider),
  }
}
