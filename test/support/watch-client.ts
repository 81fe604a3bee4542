import { print } from 'graphql'
import { type Client, type ClientOptions, createClient } from 'graphql-ws'
import { expect } from 'vitest'
import { WebSocket } from 'ws'
import {
  ImageStatusDocument,
  type ImageStatusSubscription,
  type ImageStatusSubscriptionVariables,
} from '../../schema/generated/operations.ts'

export type StatusEvent = ImageStatusSubscription['imageStatus']

/** The stock graphql-ws client; no retries unless asked for. */
export function createWatchClient(options: Partial<ClientOptions> & { readonly url: string }): Client {
  return createClient({ webSocketImpl: WebSocket, retryAttempts: 0, lazy: true, ...options })
}

/** The story of one generation over WebSocket. Throws GraphQL errors as they come. */
export async function* watch(client: Client, id: string, after?: string): AsyncGenerator<StatusEvent, void> {
  const variables: ImageStatusSubscriptionVariables = { id, ...(after !== undefined && { after }) }
  const query = print(ImageStatusDocument)
  const results = client.iterate<ImageStatusSubscription, never>({ query, variables })
  for await (const { data, errors } of results) {
    if (errors) throw new AggregateError(errors, errors[0]?.message ?? 'The subscription failed.')
    if (data) yield data.imageStatus
  }
}

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = []
  for await (const item of items) collected.push(item)
  return collected
}

const PASSING = new Set(['PROGRESS', 'PREVIEW', 'LAGGED'])
const TERMINAL = new Set(['COMPLETED', 'FAILED', 'CANCELED'])

/** The stored events: those that are never lost and never repeated. */
export function transitionsOf<Event extends Pick<StatusEvent, 'kind'>>(events: readonly Event[]): Event[] {
  return events.filter((event) => !PASSING.has(event.kind))
}

/** Holds a watcher to the first promise: each transition once and in order, from the first to the last. */
export function expectWholeStory(events: readonly StatusEvent[]): void {
  const transitions = transitionsOf(events)
  expect(transitions.map((event) => event.sequence)).toEqual(transitions.map((_, index) => index + 1))
  expect(transitions[0]).toMatchObject({ kind: 'QUEUED', status: 'QUEUED', previousStatus: null })
  for (const [index, event] of transitions.entries()) {
    const earlier = transitions[index - 1]
    if (earlier) expect(event.previousStatus).toBe(earlier.status)
    expect(TERMINAL.has(event.status)).toBe(index === transitions.length - 1)
  }
}

export function kindsOf(events: readonly Pick<StatusEvent, 'kind'>[]): string[] {
  return transitionsOf(events).map((event) => event.kind)
}
