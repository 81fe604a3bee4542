import { fetchExchange, type OperationResult, Client as UrqlClient } from '@urql/core'
import { type CacheExchangeOpts, cacheExchange } from '@urql/exchange-graphcache'
import type { Client as SocketClient } from 'graphql-ws'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { createResumingClient } from '../../../examples/resume-subscription.ts'
import { createUrqlClient } from '../../../examples/urql.ts'
import {
  EstimateCostDocument,
  GenerateImageDocument,
  GenerationDocument,
  HistoryDocument,
  ImageStatusDocument,
} from '../../../schema/generated/operations.ts'
import introspection from '../../../schema/introspection.json' with { type: 'json' }
import { QUICK, quick } from '../../support/generating.ts'
import { startApp, type TestApp } from '../../support/start-app.ts'
import { expectWholeStory, type StatusEvent } from '../../support/watch-client.ts'

let server: TestApp
let socket: SocketClient

beforeAll(async () => {
  server = await startApp()
  socket = createResumingClient({ url: server.wsUrl, webSocketImpl: WebSocket })
})
afterAll(async () => {
  await socket.dispose()
  await server[Symbol.asyncDispose]()
})

function expectData<Data>({ data, error }: OperationResult<Data>): Data {
  if (error || data === undefined) throw error ?? new Error('There is neither data nor an error.')
  return data
}

async function generate(client: UrqlClient, input = quick('delay=200 steps=4')): Promise<string> {
  const { generateImage } = expectData(await client.mutation(GenerateImageDocument, { input }))
  if (generateImage.__typename !== 'GenerateImageSuccess') throw new Error(generateImage.message)
  return generateImage.generation.id
}

function watch(client: UrqlClient, id: string, onEvent = (_: StatusEvent) => {}): Promise<StatusEvent[]> {
  const events: StatusEvent[] = []
  return new Promise((resolve, reject) => {
    client.subscription(ImageStatusDocument, { id }).subscribe(({ data, error, hasNext }) => {
      if (error) return reject(error)
      // The end repeats the last result.
      if (data && hasNext) {
        events.push(data.imageStatus)
        onEvent(data.imageStatus)
      }
      if (!hasNext) resolve(events)
    })
  })
}

/** Generate, watch, history and estimate, as a front end does. */
async function expectMainJob(client: UrqlClient): Promise<void> {
  const estimate = expectData(await client.query(EstimateCostDocument, { input: QUICK })).estimateCost
  expect(estimate).toMatchObject({ __typename: 'CostEstimate', affordable: true })
  const id = await generate(client)
  const events = await watch(client, id)
  expectWholeStory(events)
  expect(events.at(-1)).toMatchObject({ kind: 'COMPLETED', generation: { id, status: 'COMPLETED' } })
  const { history } = expectData(await client.query(HistoryDocument, { first: 1 }, { requestPolicy: 'network-only' }))
  expect(history.edges).toMatchObject([{ node: { id, status: 'COMPLETED', images: [{ index: 0 }] } }])
}

describe('urql', () => {
  it('does the main job with subscriptions over WebSocket, as in the example', async () => {
    await expectMainJob(createUrqlClient(server.url, socket))
  })

  it('does the main job with subscriptions over fetch', async () => {
    const client = new UrqlClient({
      url: server.url,
      preferGetMethod: false,
      fetchSubscriptions: true,
      exchanges: [fetchExchange],
    })
    await expectMainJob(client)
  })

  it('reads errors as data', async () => {
    const client = createUrqlClient(server.url, socket)
    const input = { ...QUICK, model: 'nobody/nothing' }
    const { generateImage } = expectData(await client.mutation(GenerateImageDocument, { input }))
    expect(generateImage).toMatchObject({ __typename: 'ModelUnavailableError', reason: 'UNKNOWN' })
  })
})

/** Objects without an id live inside of their parents: money, problems, events. */
function keysOfParts(): NonNullable<CacheExchangeOpts['keys']> {
  const parts = introspection.__schema.types.filter(
    ({ kind, fields }) => kind === 'OBJECT' && !fields?.some(({ name }) => name === 'id'),
  )
  return Object.fromEntries(parts.map(({ name }) => [name, () => null]))
}

describe('urql with a normalised cache', () => {
  it('keeps one generation up to date through its events, and never sees it go back from COMPLETED', async () => {
    const warnings: string[] = []
    // Misses of the cache are told as `debug`: a query that asks for more than the events bring.
    const logger = (severity: string, message: string) => severity !== 'debug' && warnings.push(message)
    const plain = createUrqlClient(server.url, socket)
    const cache = cacheExchange({ schema: introspection as never, keys: keysOfParts(), logger })
    const client = new UrqlClient({
      url: server.url,
      preferGetMethod: false,
      fetchSubscriptions: true,
      exchanges: [cache, fetchExchange],
    })
    // Made and half watched by somebody else: this client comes late and is told the story from its beginning.
    const id = await generate(plain, quick('delay=200 steps=4', { count: 2 }))
    const statuses: string[] = []
    const query = client.query(GenerationDocument, { id }, { requestPolicy: 'cache-and-network' })
    const { unsubscribe } = query.subscribe(({ data }) => {
      if (data?.generation) statuses.push(data.generation.status)
    })
    expectWholeStory(await watch(client, id))
    const repeated = await watch(client, id)
    expectWholeStory(repeated)
    expect(new Set(repeated.map(({ generation }) => generation.status))).toEqual(new Set(['COMPLETED']))
    unsubscribe()

    const ends = statuses.indexOf('COMPLETED')
    expect(ends).toBeGreaterThanOrEqual(0)
    expect(new Set(statuses.slice(ends))).toEqual(new Set(['COMPLETED']))
    const cached = client.readQuery(GenerationDocument, { id })?.data?.generation
    expect(cached).toMatchObject({ status: 'COMPLETED' })
    expect(warnings).toEqual([])
  })
})
