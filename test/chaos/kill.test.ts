import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { createResumingClient } from '../../examples/resume-subscription.ts'
import { GenerationDocument, ViewerDocument } from '../../schema/generated/operations.ts'
import { assertInvariantsOf } from '../support/data-directory.ts'
import { QUICK, quick } from '../support/generating.ts'
import { createGraphqlClient, type GraphqlClient } from '../support/graphql-client.ts'
import { CHAOS_SEED, createRandom, type Random } from '../support/random.ts'
import { type ServerProcess, startServerProcess } from '../support/server-process.ts'
import { createShopper, type Order, type Story } from '../support/shopper.ts'
import { PRICED_PAINTER, prepareAccount, writeCatalog } from '../support/start-app.ts'
import { expectWholeStory } from '../support/watch-client.ts'

const ROUNDS = Number(process.env.PICTOR_CHAOS_ROUNDS ?? 12)
const ORDERS_A_ROUND = 8
const MAX_OPEN = 2 * ORDERS_A_ROUND
const CREDIT_MICROS = 1_000_000_000
const PRICE_MICROS = 40_000

/** What comes of each when nothing is lost on the way; `UNKNOWN_OUTCOME` may come of any that was being sent. */
const KINDS = [
  { directives: 'delay=0', count: 1, makes: 1, ends: 'COMPLETED' },
  { directives: 'delay=500 steps=6', count: 1, makes: 1, ends: 'COMPLETED' },
  { directives: 'delay=300 sync', count: 1, makes: 1, ends: 'COMPLETED' },
  { directives: 'delay=400 steps=3', count: 4, makes: 4, ends: 'COMPLETED' },
  { directives: 'delay=100 images=2', count: 3, makes: 2, ends: 'COMPLETED' },
  { directives: 'delay=100 fail=refused at=running', count: 1, makes: 0, ends: 'FAILED' },
  { directives: 'delay=50 fail=rate_limited retry-after=50 times=1', count: 1, makes: 1, ends: 'COMPLETED' },
  { directives: 'delay=600000', count: 1, makes: 0, ends: 'CANCELED' },
] as const

it(`F1 kill -9 in a loop of ${ROUNDS} rounds loses nothing, repeats nothing and charges nothing twice (seed ${CHAOS_SEED})`, {
  timeout: 60_000 + ROUNDS * 10_000,
}, async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'pictor-chaos-'))
  const random = createRandom(CHAOS_SEED)
  const catalog = await writeCatalog(dataDir, [PRICED_PAINTER])
  const env = { PICTOR_DATA_DIR: dataDir, PICTOR_CATALOG: catalog, PICTOR_DRAIN_SECONDS: '5' }
  const { secret } = await prepareAccount(env, { billing: 'PREPAID', creditMicros: CREDIT_MICROS })
  await using server = await startServerProcess(env)
  const stories = await buyAndKill({ server, dataDir, secret }, random)
  const client = createGraphqlClient({ url: server.url, secret })

  expect(stories).toHaveLength(ROUNDS * ORDERS_A_ROUND)
  expect(new Set(stories.map(({ id }) => id)).size).toBe(stories.length)
  let chargedMicros = 0
  for (const story of stories) chargedMicros += await expectFairEnd(client, story)
  const { account } = (await client.run(ViewerDocument, {})).viewer
  expect(microsOf(account.balance.amount)).toBe(CREDIT_MICROS - chargedMicros)
  expect(microsOf(account.held.amount)).toBe(0)
  expect(await server.kill('SIGTERM')).toBe(0)

  await assertInvariantsOf(dataDir)
  const log = server.lines.join('\n')
  for (const confidence of [secret, QUICK.prompt.slice(0, 16)]) expect(log).not.toContain(confidence)
  // Left where it is when something failed: it is the evidence.
  await rm(dataDir, { recursive: true, force: true })
})

type Shop = { readonly server: ServerProcess; readonly dataDir: string; readonly secret: string }

/** Orders come in all the while, and every round ends with a kill. */
async function buyAndKill({ server, dataDir, secret }: Shop, random: Random): Promise<Story[]> {
  const killer = createKiller(server, dataDir)
  const { whenUp, onEvent } = killer
  const options = { url: server.wsUrl, token: () => secret, webSocketImpl: WebSocket, retryWait: whenUp }
  const socket = createResumingClient(options)
  const client = createGraphqlClient({ url: server.url, secret })
  const shopper = createShopper({ client, socket, whenUp, onEvent })
  const bought: Promise<Story>[] = []
  const open = new Set<Promise<Story>>()
  for (let round = 0; round < ROUNDS; round++) {
    // Killed sooner than it can work off what is left, a server comes nowhere, and gives up jobs that die with it again and again.
    while (open.size > MAX_OPEN) await Promise.race([...open, server.crashed])
    const restarted = killer.arm(random.integer(1, 20))
    for (let index = 0; index < ORDERS_A_ROUND; index++) {
      const story = shopper.buy(createOrder(random, round, index))
      bought.push(story)
      open.add(story)
      const close = () => open.delete(story)
      story.then(close, close)
    }
    // Also where all that was ordered has ended before so many events were seen.
    void Promise.allSettled(open).then(restarted.strike)
    await Promise.race([restarted.done, server.crashed])
  }
  const stories = await Promise.race([Promise.all(bought), server.crashed])
  await socket.dispose()
  return stories
}

/** Kills when a number of events have been seen, holds what is left to the invariants, and starts again. */
function createKiller(server: ServerProcess, dataDir: string) {
  let up: Promise<void> = Promise.resolve()
  let left = Number.POSITIVE_INFINITY
  let strikeNow = () => {}

  async function killAndRestart(): Promise<void> {
    await server.kill('SIGKILL')
    await assertInvariantsOf(dataDir, { live: true })
    await server.restart()
  }

  return {
    whenUp: () => up,
    onEvent: () => {
      left -= 1
      if (left <= 0) strikeNow()
    },
    arm(events: number) {
      const { promise: done, resolve } = Promise.withResolvers<void>()
      let struck = false
      const strike = () => {
        if (struck) return
        struck = true
        up = killAndRestart()
        resolve(up)
      }
      left = events
      strikeNow = strike
      return { done, strike }
    },
  }
}

function createOrder(random: Random, round: number, index: number): Order {
  const { directives, count, ends } = random.pick(KINDS)
  const input = { ...quick(directives, { count }), idempotencyKey: `order-${round}-${index}` }
  return { input, cancels: ends === 'CANCELED' }
}

/** What it charged, in micro-units. */
async function expectFairEnd(client: GraphqlClient, { order, id, events }: Story): Promise<number> {
  expectWholeStory(events)
  const { generation } = await client.run(GenerationDocument, { id })
  const kind = KINDS.find(({ directives }) => order.input.prompt === quick(directives).prompt)
  const isUnknown = generation?.error?.code === 'UNKNOWN_OUTCOME'
  expect(generation?.status).toBe(isUnknown ? 'FAILED' : kind?.ends)
  expect(generation?.status).toBe(events.at(-1)?.status)
  expect(generation?.images.map(({ index }) => index)).toEqual(indexesBelow(isUnknown ? 0 : (kind?.makes ?? 0)))
  const chargedMicros = microsOf(generation?.cost.charged?.amount ?? 'none')
  expect(chargedMicros).toBe((generation?.images.length ?? 0) * PRICE_MICROS)
  for (const { url } of generation?.images ?? []) expect((await fetch(url)).status).toBe(200)
  return chargedMicros
}

function indexesBelow(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}

function microsOf(amount: string): number {
  return Math.round(Number(amount) * 1_000_000)
}
