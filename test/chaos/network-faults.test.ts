import { setTimeout as pass } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { createResumingClient } from '../../examples/resume-subscription.ts'
import {
  GenerationDocument,
  HistoryDocument,
  ImageStatusDocument,
  ViewerDocument,
} from '../../schema/generated/operations.ts'
import { createFastClock } from '../support/fast-clock.ts'
import { type Fault, type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts'
import { follow, generate, make, quick } from '../support/generating.ts'
import { createGraphqlClient, type GraphqlClient } from '../support/graphql-client.ts'
import { assertInvariants } from '../support/invariants.ts'
import { CHAOS_SEED } from '../support/random.ts'
import { createShopper, type Order, type Seen } from '../support/shopper.ts'
import { createTestAccount, PRICED_PAINTER, startApp, type TestApp } from '../support/start-app.ts'
import { collect, createWatchClient, expectWholeStory, transitionsOf, watch } from '../support/watch-client.ts'
import { PLAYED_VENDORS } from '../support/wire/vendors.ts'
import { startWireServer } from '../support/wire/wire-server.ts'

const WALKS = process.env.PICTOR_TEST_LONG ? 60 : 5
const CREDIT_MICROS = 1_000_000_000

const KINDS = {
  quick: { input: quick('delay=0'), ends: ['COMPLETED'] },
  slow: { input: quick('delay=2000 steps=6', { count: 3 }), ends: ['COMPLETED'] },
  short: { input: quick('delay=500 images=1', { count: 2 }), ends: ['COMPLETED'] },
  refused: { input: quick('delay=500 fail=refused at=running'), ends: ['FAILED'] },
  endless: { input: quick('delay=600000'), ends: ['CANCELED'] },
  vendor: { input: { prompt: 'a red fox in snow', model: 'flux/flux-1.1-pro' }, ends: ['COMPLETED', 'FAILED'] },
} as const

const fault = fc.oneof(
  fc.record({ kind: fc.constant('cut' as const), afterBytes: fc.integer({ min: 1, max: 6_000 }) }),
  fc.record({ kind: fc.constant('silence' as const), afterBytes: fc.integer({ min: 0, max: 3_000 }) }),
  fc.record({ kind: fc.constant('trickle' as const), bytes: fc.integer({ min: 20, max: 400 }) }),
  fc.record({ kind: fc.constant('late' as const), ms: fc.integer({ min: 1, max: 30 }) }),
  fc.record({ kind: fc.constant('refusal' as const) }),
)
/** What the network does, for how long, and on which side of the server. */
const weather = fc.array(
  fc.record({
    fault,
    side: fc.constantFrom('clients', 'vendor', 'vendor'),
    lastsMs: fc.integer({ min: 10, max: 150 }),
  }),
  { minLength: 4, maxLength: 12 },
)
/** The vendor's often: only they meet with what the network does on that side. */
const kind = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...(Object.keys(KINDS) as (keyof typeof KINDS)[])) },
  { weight: 2, arbitrary: fc.constant('vendor' as const) },
)
const walks = fc.array(fc.array(fc.record({ kind, again: fc.boolean() }), { minLength: 1, maxLength: 4 }), {
  minLength: 3,
  maxLength: 6,
})

type Walk = { readonly kind: keyof typeof KINDS; readonly again: boolean }[]
type Bought = { readonly kind: keyof typeof KINDS; readonly seen: Seen }

/** A proxy whose connections meet with whatever the weather is when they are made. */
async function startWeather(port: number) {
  let now: Fault | undefined
  let met = 0
  const proxy = await startFaultProxy(port, () => {
    if (now !== undefined) met += 1
    return now
  })
  onTestFinished(() => proxy.stop())
  return {
    proxy,
    /** Connections that met with a fault. */
    met: () => met,
    turn(next: Fault | undefined) {
      // What is open would not notice; and silence ends as it does in life: by a reset.
      if (next !== undefined || now?.kind === 'silence') proxy.cutAll()
      now = next
    },
  }
}

async function startWorld() {
  const wire = await startWireServer(PLAYED_VENDORS.flux.create)
  const vendor = await startWeather(Number(new URL(wire.origin).port))
  const clients = await startWeather(0)
  const { port } = clients.proxy
  const vendorOrigin = `http://127.0.0.1:${vendor.proxy.port}`
  const env = { PICTOR_ALLOWED_HOSTS: `127.0.0.1:${port}`, ...PLAYED_VENDORS.flux.environment(vendorOrigin, 'a-key') }
  const clock = createFastClock(20)
  const server = await startApp({ models: [PRICED_PAINTER], env, clock, leaseMs: 6_000_000 })
  clients.proxy.leadTo(server.app.port)
  onTestFinished(async () => {
    await server[Symbol.asyncDispose]()
    await wire.close()
  })
  return { server, wire, vendor, clients, port }
}

type World = Awaited<ReturnType<typeof startWorld>>

it(`F28 many clients on a bad network get what they ordered, once, and pay for it once (seed ${CHAOS_SEED})`, async ({
  task,
}) => {
  const world = await startWorld()
  let bought = 0
  await fc.assert(
    fc.asyncProperty(walks, weather, async (given, turns) => {
      bought += await walkAll(world, given, turns)
    }),
    { numRuns: WALKS, seed: CHAOS_SEED | 0, endOnFailure: true },
  )
  expect(world.clients.met()).toBeGreaterThan(WALKS)
  expect(world.vendor.met()).toBeGreaterThan(0)
  task.meta.figures = `${bought} generations, ${world.clients.met()} + ${world.vendor.met()} connections met with a fault`
}, 600_000)

async function walkAll(
  world: World,
  walks: readonly Walk[],
  turns: typeof weather extends fc.Arbitrary<infer W> ? W : never,
) {
  const { server, wire } = world
  const limits = { requestsPerMinute: 1_000_000 }
  const account = await createTestAccount(server.app, { billing: 'PREPAID', creditMicros: CREDIT_MICROS, limits })
  const sentBefore = wire.billable.length
  const walking = Promise.all(walks.map((walk, index) => walkOne(world, account.secret, walk, index)))
  for (const { fault, side, lastsMs } of turns) {
    world[side].turn(fault)
    await pass(lastsMs)
    world[side].turn(undefined)
  }
  const bought = (await walking).flat()
  await expectModel(server.clientOf(account.secret), bought)
  expect(wire.billable.length - sentBefore).toBeLessThanOrEqual(bought.filter(({ kind }) => kind === 'vendor').length)
  const { database, storage, clock } = server.app.foundations
  await assertInvariants(database, storage, { now: clock.now() })
  return bought.length
}

async function walkOne({ port }: World, secret: string, walk: Walk, index: number): Promise<Bought[]> {
  const client = createGraphqlClient({ url: `http://127.0.0.1:${port}/graphql`, secret })
  const retryWait = () => new Promise<void>((resolve) => setImmediate(resolve))
  const url = `ws://127.0.0.1:${port}/graphql`
  const socket = createResumingClient({ url, token: () => secret, webSocketImpl: WebSocket, retryWait })
  const shopper = createShopper({ client, socket, whenUp: retryWait, onEvent: () => undefined })
  const bought: Bought[] = []
  for (const [step, { kind, again }] of walk.entries()) {
    const input: Order['input'] = { ...KINDS[kind].input, idempotencyKey: `order-${index}-${step}` }
    const seen = await shopper.buy({ input, cancels: kind === 'endless' })
    bought.push({ kind, seen })
    if (again && kind !== 'endless') bought.push({ kind, seen: await shopper.again(seen.id, `again-${index}-${step}`) })
  }
  await socket.dispose()
  return bought
}

/** The ledger and the log as they must be after these orders, whatever the network did. */
async function expectModel(client: GraphqlClient, bought: readonly Bought[]): Promise<void> {
  const { history } = await client.run(HistoryDocument, { first: 100 })
  expect(history.edges.map(({ node }) => node.id).toSorted()).toEqual(bought.map(({ seen }) => seen.id).toSorted())
  let chargedMicros = 0
  for (const { kind, seen } of bought) {
    expectWholeStory(seen.events)
    const { generation } = await client.run(GenerationDocument, { id: seen.id })
    expect(KINDS[kind].ends).toContain(generation?.status)
    expect(generation?.status).toBe(seen.events.at(-1)?.status)
    const charged = microsOf(generation?.cost.charged?.amount ?? 'none')
    if (generation?.status !== 'COMPLETED') expect(charged).toBe(0)
    chargedMicros += charged
  }
  const { account } = (await client.run(ViewerDocument, {})).viewer
  expect(microsOf(account.balance.amount)).toBe(CREDIT_MICROS - chargedMicros)
  expect(microsOf(account.held.amount)).toBe(0)
}

function microsOf(amount: string): number {
  return Math.round(Number(amount) * 1_000_000)
}

async function startBehind(proxy: FaultProxy, limits = {}): Promise<TestApp> {
  const server = await startApp({ env: { PICTOR_ALLOWED_HOSTS: `127.0.0.1:${proxy.port}` }, limits })
  proxy.leadTo(server.app.port)
  return server
}

it('F28 a watcher that comes back at any of its events sees exactly what came after it, over both transports', async () => {
  await using server = await startApp()
  const client = createWatchClient({ url: server.wsUrl })
  const { id } = await make(server.client, quick('delay=40 steps=4', { count: 3 }))
  const story = transitionsOf(await collect(watch(client, id)))
  expect(story.length).toBeGreaterThanOrEqual(6)
  for (const [index, { cursor }] of story.entries()) {
    const rest = story.slice(index + 1).map(({ sequence }) => sequence)
    const overSocket = await collect(watch(client, id, cursor))
    expect(overSocket.map(({ sequence }) => sequence)).toEqual(rest)
    const overStream: (number | undefined)[] = []
    for await (const { data } of server.client.stream(ImageStatusDocument, { id }, { lastEventId: cursor }))
      overStream.push(data?.imageStatus.sequence)
    expect(overStream).toEqual(rest)
  }
  await client.dispose()
})

it('F29 an idle event stream is kept alive by comments, and goes on where it was when it is dropped all the same', async () => {
  await using proxy = await startFaultProxy(0)
  await using server = await startBehind(proxy, { pingMs: 500 })
  const client = createGraphqlClient({ url: `http://127.0.0.1:${proxy.port}/graphql` })
  const { generation } = await generate(client, quick('delay=4000 steps=2'))
  const seen: { id: string | null; sequence: number }[] = []
  const read = async (lastEventId?: string) => {
    const resumed = lastEventId === undefined ? {} : { lastEventId }
    for await (const { id, data } of client.stream(ImageStatusDocument, { id: generation.id }, resumed)) {
      if (data) seen.push({ id, sequence: data.imageStatus.sequence })
      if (data?.imageStatus.kind === 'PROGRESS' && lastEventId === undefined) proxy.cutAll()
    }
  }
  const idle = await readUntilComment(client.url, generation.id)
  expect(idle).toMatch(/^:/m)
  await expect(read()).rejects.toThrow()
  await read(seen.at(-1)?.id ?? '')
  const sequences = [...new Set(seen.map(({ sequence }) => sequence))]
  expectWholeStory(await follow(server.client, generation.id))
  expect(sequences).toEqual([1, 2, 3, 4])
})

/** What comes over the stream until a line that is a comment. */
async function readUntilComment(url: string, id: string): Promise<string> {
  const query = 'subscription ($id: ID!) { imageStatus(id: $id) { sequence } }'
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ query, variables: { id } }),
  })
  let text = ''
  for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += part
    if (/^:/m.test(text)) break
  }
  return text
}
