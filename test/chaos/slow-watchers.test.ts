import { request } from 'node:http'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it, onTestFinished } from 'vitest'
import { createFakeClock } from '../support/fake-clock.ts'
import { generate } from '../support/generating.ts'
import { readMetric, SOON, untilSubscribed } from '../support/metrics.ts'
import { createMoment } from '../support/moment.ts'
import { openRawSocket } from '../support/raw-websocket.ts'
import { createTestAccount, startApp } from '../support/start-app.ts'
import { startToyServer, type ToyServer } from '../support/toy-server.ts'
import { createWatchClient, expectWholeStory, type StatusEvent, watch } from '../support/watch-client.ts'
import { PLAYED_VENDORS } from '../support/wire/vendors.ts'
import { startWireServer } from '../support/wire/wire-server.ts'

const IS_LONG = process.env.PICTOR_TEST_LONG !== undefined
const STALLED = IS_LONG ? 1_000 : 200
const READERS = 10
const SUBSCRIBERS = IS_LONG ? 10_000 : 500
const ON_A_SOCKET = 20
const GENERATIONS = 10

/** More than the kernel holds for a reader that takes nothing. */
const EVENTS = 40
const EVENT_BYTES = 100_000
const QUERY = 'subscription { imageStatus(id: "gen_1") { sequence padding } }'
const LIMIT_MS = 10_000

it(`F31 ${STALLED} watchers that read nothing hold up nobody, are held in bounded memory, and are ended in time`, async ({
  task,
}) => {
  const clock = createFakeClock()
  const limits = { pingMs: LIMIT_MS, stallMs: LIMIT_MS, subscriptionsPerAccount: 2 * STALLED }
  const toy = await startToyServer({ clock, config: { limits } })
  onTestFinished(() => toy.stop())
  for (let count = 0; count < STALLED; count += 2) {
    await stallSocket(toy)
    stallStream(toy)
  }
  await toy.log.untilWatchers(STALLED)
  const before = bufferedBytes()

  const reading = Array.from({ length: READERS }, () => readAll(toy))
  await toy.log.untilWatchers(STALLED + READERS)
  const padding = 'x'.repeat(EVENT_BYTES)
  for (let count = 0; count < EVENTS; count++) toy.log.append('gen_1', 'PROGRESS', padding)
  toy.log.append('gen_1', 'COMPLETED')
  for (const sequences of await Promise.all(reading))
    expect(sequences).toEqual(Array.from({ length: EVENTS + 1 }, (_, index) => index + 1))
  // The kernel may have room for all of it in one place or another.
  expect(toy.log.openWatchers()).toBeGreaterThan(STALLED / 2)
  const grownBytes = bufferedBytes() - before
  expect(grownBytes).toBeLessThan((STALLED * EVENTS * EVENT_BYTES) / 4)

  await clock.advance(2 * LIMIT_MS + 1_000)
  await toy.log.untilWatchers(0)
  task.meta.figures = `${Math.round(grownBytes / 1_048_576)} MiB more for ${STALLED} stalled`
})

async function stallSocket({ wsUrl }: ToyServer): Promise<void> {
  const { socket, init, send } = await openRawSocket(wsUrl)
  onTestFinished(() => socket.terminate())
  await init()
  send({ type: 'subscribe', id: '1', payload: { query: QUERY } })
  socket.pause()
}

function stallStream({ url }: ToyServer): void {
  const sent = request(url, {
    method: 'POST',
    agent: false,
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', authorization: 'Bearer good' },
  })
  onTestFinished(() => void sent.destroy())
  // Without a listener Node would read the answer and throw it away.
  sent.once('response', (response) => response.pause().on('error', () => undefined))
  sent.on('error', () => undefined)
  sent.end(JSON.stringify({ query: QUERY }))
}

async function readAll({ wsUrl }: ToyServer): Promise<number[]> {
  const socket = await openRawSocket(wsUrl)
  await socket.init()
  socket.send({ type: 'subscribe', id: '1', payload: { query: QUERY } })
  const sequences: number[] = []
  for (;;) {
    const { type, payload } = await socket.next()
    if (type === 'complete') break
    sequences.push((payload as { data: { imageStatus: { sequence: number } } }).data.imageStatus.sequence)
  }
  socket.socket.close()
  return sequences
}

setFlagsFromString('--expose_gc')
const collectGarbage: () => void = runInNewContext('gc')

/** What is held, without what has only not been thrown away yet. */
function bufferedBytes(): number {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

it(`F32 ${SUBSCRIBERS} watchers of generations that all end at once see each step once, and leave nothing behind`, async ({
  task,
}) => {
  await using wire = await startWireServer(PLAYED_VENDORS.flux.create)
  await using server = await startApp({
    env: PLAYED_VENDORS.flux.environment(wire.origin, 'a-key'),
    // No help from reading the log again after a while.
    refreshMs: 3_600_000,
  })
  const { secret } = await createTestAccount(server.app, { limits: { subscriptions: SUBSCRIBERS } })
  const client = server.clientOf(secret)
  const given = Array.from({ length: GENERATIONS }, () => 'ok held=job')
  wire.script(...given)
  const input = { prompt: 'a red fox in snow', model: 'flux/flux-1.1-pro' }
  const ids = await Promise.all(given.map(async () => (await generate(client, input)).generation.id))
  const options = { url: server.wsUrl, connectionParams: { authorization: `Bearer ${secret}` } }
  const sockets = Array.from({ length: SUBSCRIBERS / ON_A_SOCKET }, () => createWatchClient(options))
  let lastAt = 0
  let left = SUBSCRIBERS
  const allBegun = createMoment()
  const watching = sockets.flatMap((socket, place) =>
    Array.from({ length: ON_A_SOCKET }, async (_, index) => {
      const events: StatusEvent[] = []
      for await (const event of watch(socket, ids[(place + index) % ids.length] ?? ''))
        if (events.push(event) === 1 && --left === 0) allBegun.reach()
      lastAt = performance.now()
      return events
    }),
  )
  await Promise.race([allBegun.reached, Promise.all(watching)])
  expect(await readMetric(server.origin, 'pictor_subscriptions')).toBe(SUBSCRIBERS)
  wire.release()
  const firstAt = await Promise.race(watching).then(() => performance.now())
  for (const events of await Promise.all(watching)) expectWholeStory(events)
  await untilSubscribed(server.origin, 0)
  expect(server.app.domain.refresher.size()).toBe(0)
  for (const socket of sockets) await socket.dispose()
  await expect.poll(() => readMetric(server.origin, 'pictor_sockets'), SOON).toBe(0)
  task.meta.figures = `the last ${Math.round(lastAt - firstAt)} ms after the first`
})
