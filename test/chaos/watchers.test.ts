import { print } from 'graphql'
import { describe, expect, it } from 'vitest'
import { ImageStatusDocument } from '../../schema/generated/operations.ts'
import { generate, QUICK, quick } from '../support/generating.ts'
import { readMetric, SOON, untilSubscribed } from '../support/metrics.ts'
import { openRawSocket } from '../support/raw-websocket.ts'
import { startApp, type TestApp } from '../support/start-app.ts'
import { collect, createWatchClient, expectWholeStory, type StatusEvent, watch } from '../support/watch-client.ts'

const IS_LONG = process.env.PICTOR_TEST_LONG !== undefined
/** Four subscriptions and more in each. */
const TIMES = IS_LONG ? 2_500 : 125
const CYCLES = IS_LONG ? 10_000 : 500
const LANES = 20
const WATCHERS = 200

describe('watchers', () => {
  it(`F30 see the whole story when they subscribe in the very moment of its transitions, ${TIMES} times`, async () => {
    // No help from reading the log again after a while: a hint that was missed would be waited for in vain.
    await using server = await startApp({ refreshMs: 3_600_000 })
    const client = createWatchClient({ url: server.wsUrl })
    for (let time = 0; time < TIMES; time++) {
      const { generation } = await generate(server.client, QUICK)
      // In the moment in which the first watcher is told of a transition, another one comes.
      const followers: Promise<StatusEvent[]>[] = []
      const first: StatusEvent[] = []
      for await (const event of watch(client, generation.id)) {
        first.push(event)
        followers.push(collect(watch(client, generation.id)))
      }
      expectWholeStory(first)
      for (const events of await Promise.all(followers)) expectWholeStory(events)
      expect(followers.length).toBeGreaterThanOrEqual(4)
    }
    await client.dispose()
  })

  it('F33 leave nothing behind when they vanish from an idle generation', async () => {
    await using server = await startApp()
    const { generation } = await generate(server.client, quick('delay=0 hang'))
    const query = print(ImageStatusDocument)
    const sockets = await Promise.all(
      Array.from({ length: WATCHERS }, async () => {
        const socket = await openRawSocket(server.wsUrl)
        await socket.init({})
        socket.send({ type: 'subscribe', id: '1', payload: { query, variables: { id: generation.id } } })
        return socket
      }),
    )
    const readers = Array.from({ length: WATCHERS }, () => new AbortController())
    const streams = readers.map(({ signal }) =>
      server.client.stream(ImageStatusDocument, { id: generation.id }, { signal }),
    )
    await Promise.all(streams.map((stream) => stream.next()))
    await untilSubscribed(server.origin, 2 * WATCHERS)
    expect(await readMetric(server.origin, 'pictor_sockets')).toBe(WATCHERS)
    expect(server.app.domain.refresher.size()).toBe(2 * WATCHERS)

    for (const { socket } of sockets) socket.terminate()
    for (const reader of readers) reader.abort()
    await expectNobody(server)
  })

  it(`F33 leave nothing behind when they come and go ${CYCLES} times while nothing happens`, async () => {
    await using server = await startApp()
    const { generation } = await generate(server.client, quick('delay=0 hang'))
    const payload = { query: print(ImageStatusDocument), variables: { id: generation.id } }
    let left = CYCLES
    const lane = async () => {
      while (left-- > 0) {
        const socket = await openRawSocket(server.wsUrl)
        await socket.init({})
        socket.send({ type: 'subscribe', id: '1', payload })
        expect((await socket.next()).type).toBe('next')
        socket.socket.terminate()
      }
    }
    await Promise.all(Array.from({ length: LANES }, lane))
    await expectNobody(server)
  })
})

async function expectNobody({ origin, app }: TestApp): Promise<void> {
  await untilSubscribed(origin, 0)
  await expect.poll(() => readMetric(origin, 'pictor_sockets'), SOON).toBe(0)
  await expect.poll(() => app.domain.refresher.size(), SOON).toBe(0)
}
