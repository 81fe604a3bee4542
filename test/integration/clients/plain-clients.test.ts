import { print } from 'graphql'
import { createClient as createSseClient } from 'graphql-sse'
import { createClient as createSocketClient } from 'graphql-ws'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import {
  EstimateCostDocument,
  type EstimateCostQuery,
  GenerateImageDocument,
  type GenerateImageMutation,
  HistoryDocument,
  type HistoryQuery,
  ImageStatusDocument,
  type ImageStatusSubscription,
} from '../../../schema/generated/operations.ts'
import { QUICK, quick } from '../../support/generating.ts'
import { startApp, type TestApp } from '../../support/start-app.ts'
import { expectWholeStory, type StatusEvent } from '../../support/watch-client.ts'

let server: TestApp

beforeAll(async () => {
  server = await startApp()
})
afterAll(() => server[Symbol.asyncDispose]())

type Payload = { readonly query: string; readonly variables: Record<string, unknown> }
type Result = { readonly data?: unknown; readonly errors?: unknown }

/** What both clients have: everything is an operation with results, one or many. */
type PlainClient = { iterate(payload: Payload): AsyncIterable<Result>; dispose(): void | Promise<void> }

async function* read<Data>(client: PlainClient, payload: Payload): AsyncGenerator<Data, void> {
  for await (const { data, errors } of client.iterate(payload)) {
    if (errors || !data) throw new Error(JSON.stringify(errors))
    yield data as Data
  }
}

async function readOne<Data>(client: PlainClient, payload: Payload): Promise<Data> {
  for await (const data of read<Data>(client, payload)) return data
  throw new Error('There was no result.')
}

/** Queries and mutations too go through the one connection of the client. */
async function expectMainJob(client: PlainClient): Promise<void> {
  const estimate = { query: print(EstimateCostDocument), variables: { input: QUICK } }
  expect((await readOne<EstimateCostQuery>(client, estimate)).estimateCost.__typename).toBe('CostEstimate')

  const ask = { query: print(GenerateImageDocument), variables: { input: quick('delay=100 steps=4') } }
  const { generateImage } = await readOne<GenerateImageMutation>(client, ask)
  if (generateImage.__typename !== 'GenerateImageSuccess') throw new Error(generateImage.message)
  const { id } = generateImage.generation

  const events: StatusEvent[] = []
  const watch = { query: print(ImageStatusDocument), variables: { id } }
  for await (const { imageStatus } of read<ImageStatusSubscription>(client, watch)) events.push(imageStatus)
  expectWholeStory(events)
  expect(events.at(-1)?.kind).toBe('COMPLETED')

  const list = { query: print(HistoryDocument), variables: { first: 1 } }
  const { history } = await readOne<HistoryQuery>(client, list)
  expect(history.edges).toMatchObject([{ node: { id, status: 'COMPLETED' } }])
  await client.dispose()
}

describe('clients without a cache', () => {
  it('do the main job with graphql-ws over one WebSocket', async () => {
    await expectMainJob(createSocketClient({ url: server.wsUrl, webSocketImpl: WebSocket, retryAttempts: 0 }))
  })

  it('do the main job with graphql-sse, one connection an operation', async () => {
    await expectMainJob(createSseClient({ url: server.url, singleConnection: false, retryAttempts: 0 }))
  })
})
