import type { ApolloClient } from '@apollo/client'
import type { Client as SocketClient } from 'graphql-ws'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { createApolloClient } from '../../../examples/apollo.ts'
import { createResumingClient } from '../../../examples/resume-subscription.ts'
import {
  EstimateCostDocument,
  GenerateImageDocument,
  GenerationDocument,
  HistoryDocument,
  ImageStatusDocument,
} from '../../../schema/generated/operations.ts'
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

async function generate(client: ApolloClient, input = quick('delay=200 steps=4')): Promise<string> {
  const { data } = await client.mutate({ mutation: GenerateImageDocument, variables: { input } })
  if (data?.generateImage.__typename !== 'GenerateImageSuccess') throw new Error(JSON.stringify(data))
  return data.generateImage.generation.id
}

function watch(client: ApolloClient, id: string): Promise<StatusEvent[]> {
  const events: StatusEvent[] = []
  return new Promise((resolve, reject) => {
    client.subscribe({ query: ImageStatusDocument, variables: { id } }).subscribe({
      next: ({ data, error }) => (data ? events.push(data.imageStatus as StatusEvent) : reject(error)),
      error: reject,
      complete: () => resolve(events),
    })
  })
}

describe('Apollo Client', () => {
  it('generates, watches, lists and estimates, as in the example', async () => {
    const client = createApolloClient(server.url, socket)
    const { data: estimated } = await client.query({ query: EstimateCostDocument, variables: { input: QUICK } })
    expect(estimated?.estimateCost).toMatchObject({ __typename: 'CostEstimate', affordable: true })
    const id = await generate(client)
    const events = await watch(client, id)
    expectWholeStory(events)
    expect(events.at(-1)).toMatchObject({ kind: 'COMPLETED', generation: { id } })
    const { data } = await client.query({ query: HistoryDocument, variables: { first: 1 } })
    expect(data?.history.edges).toMatchObject([{ node: { id, status: 'COMPLETED', images: [{ index: 0 }] } }])
    client.stop()
  })

  it('knows the members of unions from the cache as well', async () => {
    const client = createApolloClient(server.url, socket)
    const variables = { input: { ...QUICK, model: 'sandbox/paintre' } }
    for (const fetchPolicy of ['network-only', 'cache-only'] as const) {
      const { data } = await client.query({ query: EstimateCostDocument, variables, fetchPolicy })
      expect(data?.estimateCost).toMatchObject({
        __typename: 'ModelUnavailableError',
        code: 'MODEL_UNAVAILABLE',
        suggestions: ['sandbox/painter'],
      })
    }
    client.stop()
  })

  it('keeps one generation up to date through its events, and never sees it go back from COMPLETED', async () => {
    const client = createApolloClient(server.url, socket)
    const id = await generate(client, quick('delay=200 steps=4', { count: 2 }))
    const statuses: string[] = []
    const settled = Promise.withResolvers<unknown>()
    const watched = client
      .watchQuery({ query: GenerationDocument, variables: { id } })
      .subscribe(({ data, dataState }) => {
        if (data?.generation?.status) statuses.push(data.generation.status)
        const isWhole = dataState === 'complete' && data.generation?.images.length === 2
        if (isWhole && data.generation?.status === 'COMPLETED') settled.resolve(data.generation)
      })
    expectWholeStory(await watch(client, id))
    // Told from its beginning once more: the events are old, the generation in them is as it is now.
    expectWholeStory(await watch(client, id))
    expect(await settled.promise).toMatchObject({ id, images: [{ index: 0 }, { index: 1 }], attempts: [{ number: 1 }] })
    watched.unsubscribe()

    const ends = statuses.indexOf('COMPLETED')
    expect(ends).toBeGreaterThanOrEqual(0)
    expect(new Set(statuses.slice(ends))).toEqual(new Set(['COMPLETED']))
    const stale = { ...(client.readQuery({ query: GenerationDocument, variables: { id } }) ?? expect.fail()) }
    const overtaken = {
      generation: stale.generation && { ...stale.generation, status: 'RUNNING' as const, sequence: 2 },
    }
    client.writeQuery({ query: GenerationDocument, variables: { id }, data: { ...stale, ...overtaken } })
    const cached = client.readQuery({ query: GenerationDocument, variables: { id } })
    expect(cached?.generation).toMatchObject({ status: 'COMPLETED', sequence: stale.generation?.sequence })
    client.stop()
  })
})
