import { print } from 'graphql'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { createResumingClient } from '../../examples/resume-subscription.ts'
import { ImageStatusDocument, type ImageStatusSubscription } from '../../schema/generated/operations.ts'
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts'
import { generate, quick } from '../support/generating.ts'
import { createGraphqlClient, type GraphqlClient } from '../support/graphql-client.ts'
import { CHAOS_SEED, createRandom, type Random } from '../support/random.ts'
import { startApp, type TestApp } from '../support/start-app.ts'
import { expectWholeStory, type StatusEvent, transitionsOf } from '../support/watch-client.ts'

const CUTS = 100

/** What comes back until the cut: from within the handshake to a few events, most often in the midst of a frame. */
function startProxy(random: Random): Promise<FaultProxy> {
  return startFaultProxy(0, () => ({ kind: 'cut', afterBytes: random.integer(100, 6_000) }))
}

async function startBehind(proxy: FaultProxy): Promise<TestApp> {
  const server = await startApp({ env: { PICTOR_ALLOWED_HOSTS: `127.0.0.1:${proxy.port}` } })
  proxy.leadTo(Number(new URL(server.url).port))
  return server
}

const STORIES = [
  quick('delay=400 steps=20', { count: 4 }),
  quick('delay=200 steps=10 fail=rate_limited retry-after=20 times=2'),
  quick('delay=300 steps=10', { previews: 3, count: 2 }),
  quick('delay=100 fail=refused at=running'),
  quick('delay=200 images=2', { count: 4 }),
]

/** Watches story after story until the connection has been cut often enough; what each watcher saw. */
async function watchUntilCut(
  { client }: TestApp,
  proxy: FaultProxy,
  watchOne: (id: string) => Promise<StatusEvent[]>,
): Promise<StatusEvent[][]> {
  const seen: StatusEvent[][] = []
  while (proxy.cuts() < CUTS) {
    const ids = await Promise.all(STORIES.map(async (input) => (await generate(client, input)).generation.id))
    seen.push(...(await Promise.all(ids.map(watchOne))))
  }
  return seen
}

function expectStories(seen: readonly StatusEvent[][]): void {
  expect(seen.length).toBeGreaterThanOrEqual(STORIES.length)
  for (const events of seen) expectWholeStory(events)
}

describe(`a connection that is cut ${CUTS} times at random moments (seed ${CHAOS_SEED})`, () => {
  it('F28 shows each transition once and in order to a WebSocket client that resumes', async () => {
    await using proxy = await startProxy(createRandom(CHAOS_SEED))
    await using server = await startBehind(proxy)
    const socket = createResumingClient({
      url: `ws://127.0.0.1:${proxy.port}/graphql`,
      webSocketImpl: WebSocket,
      retryWait: () => new Promise((resolve) => setImmediate(resolve)),
    })
    const query = print(ImageStatusDocument)
    const watchOne = (id: string) =>
      new Promise<StatusEvent[]>((resolve, reject) => {
        const events: StatusEvent[] = []
        socket.subscribe<ImageStatusSubscription>(
          { query, variables: { id } },
          {
            next: ({ data, errors }) => (data ? events.push(data.imageStatus) : reject(errors)),
            error: reject,
            complete: () => resolve(events),
          },
        )
      })
    expectStories(await watchUntilCut(server, proxy, watchOne))
    await socket.dispose()
  })

  it('F29 shows each transition once and in order to a reader of event streams with Last-Event-ID', async () => {
    await using proxy = await startProxy(createRandom(CHAOS_SEED + 1))
    await using server = await startBehind(proxy)
    const client = createGraphqlClient({ url: `http://127.0.0.1:${proxy.port}/graphql` })
    expectStories(await watchUntilCut(server, proxy, (id) => readWithLastEventId(client, id)))
  })
})

/** As an EventSource does: comes back with the last id until the stream says that it is complete. */
async function readWithLastEventId(client: GraphqlClient, id: string): Promise<StatusEvent[]> {
  const events: StatusEvent[] = []
  let lastEventId: string | undefined
  for (;;) {
    try {
      const resumed = lastEventId === undefined ? {} : { lastEventId }
      for await (const result of client.stream(ImageStatusDocument, { id }, resumed)) {
        if (result.data === null) throw new RefusedError(JSON.stringify(result.errors))
        events.push(result.data.imageStatus)
        lastEventId = result.id ?? lastEventId
      }
      return events
    } catch (error) {
      if (error instanceof RefusedError || transitionsOf(events).length > 100) throw error
    }
  }
}

class RefusedError extends Error {
  override readonly name = 'RefusedError'
}
