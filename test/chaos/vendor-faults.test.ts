import { expect, it, onTestFinished } from 'vitest'
import {
  type GenerateImageInput,
  ProviderKeysDocument,
  SetProviderKeyDocument,
} from '../../schema/generated/operations.ts'
import { type Clock, createSystemClock } from '../../src/clock.ts'
import { make, type Played, play, type VendorCase } from '../integration/vendors/vendor-suite.ts'
import { createFastClock } from '../support/fast-clock.ts'
import { QUICK, refuse } from '../support/generating.ts'
import { assertInvariants } from '../support/invariants.ts'
import { PRICED_PAINTER, startApp } from '../support/start-app.ts'
import { expectWholeStory, kindsOf } from '../support/watch-client.ts'
import { PLAYED_VENDORS, type PlayedVendor } from '../support/wire/vendors.ts'
import type { WireReply } from '../support/wire/wire-reply.ts'
import { startWireServer, type WireHandler, type WireRequest } from '../support/wire/wire-server.ts'

const FLUX: VendorCase = {
  vendor: PLAYED_VENDORS.flux,
  input: { prompt: 'a red fox in snow', model: 'flux/flux-1.1-pro', size: '512x256', outputFormat: 'PNG' },
  expected: { mimeType: 'image/png' },
  callsPerImage: 1,
  endings: [],
}
const GOOGLE: VendorCase = {
  ...FLUX,
  vendor: PLAYED_VENDORS.google,
  input: { prompt: 'a red fox in snow', model: 'google/gemini-nano-banana-2.1' },
}
/** Waits of minutes pass in seconds. */
const FACTOR_OF_SILENCE = 200

/** Asks once under these modes, and holds what came of it to the story and the books. */
async function endOf(given: VendorCase, modes: readonly string[], more: Partial<GenerateImageInput> = {}, factor = 20) {
  const played = await play(given, factor)
  played.wire.script(...modes)
  const made = await make(played.app, { ...given.input, ...more })
  await expectOrder(made.events, played)
  return { ...made, ...played }
}

async function expectOrder(events: Parameters<typeof expectWholeStory>[0], { app }: Pick<Played, 'app'>) {
  expectWholeStory(events)
  const { database, storage, clock } = app.app.foundations
  await assertInvariants(database, storage, { now: clock.now() })
}

const UNKNOWN = { code: 'UNKNOWN_OUTCOME', retryable: true, billed: false, providerBilled: null }
const NOTHING = { charged: { amount: '0.000000' }, held: { amount: '0.000000' } }

it.each([FLUX, GOOGLE])(
  'F7 a submission that $vendor.name never answers ends as unknown and is not sent again',
  async (given) => {
    const { generation, wire } = await endOf(given, ['hang'], {}, FACTOR_OF_SILENCE)
    expect(generation).toMatchObject({ status: 'FAILED', error: UNKNOWN, cost: NOTHING })
    expect(wire.billable).toHaveLength(1)
  },
)

it.each([FLUX, GOOGLE])(
  'F8 a connection to $vendor.name that is reset after sending ends as unknown',
  async (given) => {
    const { generation, wire } = await endOf(given, ['reset'])
    expect(generation).toMatchObject({ status: 'FAILED', error: UNKNOWN, cost: NOTHING })
    expect(wire.billable).toHaveLength(1)
  },
)

it.each(['truncate', 'garbage', 'empty', 'status code=200'])(
  'F9 a success that cannot be read (%s) fails, charges nothing and is not sent again',
  async (mode) => {
    const { generation, wire } = await endOf(GOOGLE, [mode])
    expect(generation).toMatchObject({
      status: 'FAILED',
      error: { billed: false, providerBilled: null },
      cost: NOTHING,
    })
    expect(['BAD_OUTPUT', 'UNKNOWN_OUTCOME']).toContain(generation.error?.code)
    expect(wire.billable).toHaveLength(1)
  },
)

const SERVER_KEY = 'canary-of-the-server'

/** A server whose vendor answers by `intercept`, and by itself where that has nothing to say. */
async function startIntercepted(
  vendor: PlayedVendor,
  intercept: (request: WireRequest, count: number) => WireReply | undefined,
  clock: Clock = createFastClock(50),
) {
  let count = 0
  const wire = await startWireServer((setting) => {
    const played = vendor.create(setting)
    const handle: WireHandler = (request, mode) => intercept(request, ++count) ?? played.handle(request, mode)
    return { ...played, handle }
  })
  const app = await startApp({ env: vendor.environment(wire.origin, SERVER_KEY), clock, leaseMs: 6_000_000 })
  onTestFinished(async () => {
    await app[Symbol.asyncDispose]()
    await wire.close()
  })
  return { app, wire }
}

it.each(['2', 'Thu, 01 Jan 2026 00:00:00 GMT', undefined, '1000000000', 'soon'])(
  'F10 a 429 with Retry-After %s is waited for, a minute at most, and then it is made',
  async (wait) => {
    const headers: Record<string, string> = wait === undefined ? {} : { 'retry-after': wait }
    const body = { error: { code: 429, message: 'Resource exhausted', status: 'RESOURCE_EXHAUSTED' } }
    const { app, wire } = await startIntercepted(GOOGLE.vendor, (_, count) =>
      count === 1 ? { status: 429, headers, body } : undefined,
    )
    const { events, generation } = await make(app, GOOGLE.input)
    expect(kindsOf(events)).toEqual(['QUEUED', 'STARTED', 'RETRYING', 'STARTED', 'IMAGE_READY', 'COMPLETED'])
    expect(generation.attempts).toHaveLength(2)
    expect(wire.billable).toHaveLength(2)
    await expectOrder(events, { app })
  },
)

it('F10 a deadline ends the waiting for a vendor that has had enough', async () => {
  const { app } = await play(FLUX, 20)
  const input = { ...FLUX.input, prompt: 'a fox [[wire rate_limited retry-after=50]]', deadlineSeconds: 20 }
  const { events, generation } = await make(app, input)
  expect(generation).toMatchObject({ status: 'FAILED', error: { code: 'DEADLINE_EXCEEDED' }, cost: NOTHING })
  await expectOrder(events, { app })
})

it('F11 a storm of 503 opens the circuit, is left for the fallback once, and one good probe closes it', async () => {
  const system = createSystemClock()
  let laterMs = 0
  let isStorm = true
  const { app, wire } = await startIntercepted(
    FLUX.vendor,
    ({ method }) => (isStorm && method === 'POST' ? { status: 503, headers: { 'retry-after': '0' } } : undefined),
    { ...system, now: () => system.now() + laterMs },
  )
  const state = () => app.app.domain.gate.health('flux').state
  for (const [calls, after] of [
    [3, 'DEGRADED'],
    [6, 'DOWN'],
  ] as const) {
    const { generation } = await make(app, FLUX.input)
    expect(generation).toMatchObject({ status: 'FAILED', error: { code: 'UNAVAILABLE', providerBilled: false } })
    expect(wire.billable).toHaveLength(calls)
    expect(state()).toBe(after)
  }
  await refuse(app.client, 'ModelUnavailableError', FLUX.input)
  const left = await make(app, { ...QUICK, model: 'flux/flux-1.1-pro', fallbackModels: ['sandbox/painter'] })
  expect(left.generation).toMatchObject({ status: 'COMPLETED', model: { id: 'sandbox/painter' }, attempts: [{}] })
  expect(left.generation.warnings.filter(({ code }) => code === 'FALLBACK_USED')).toHaveLength(1)
  expect(wire.billable).toHaveLength(6)

  laterMs = 31_000
  isStorm = false
  expect(state()).toBe('DEGRADED')
  const made = await make(app, FLUX.input)
  expect(made.generation.status).toBe('COMPLETED')
  expect(state()).toBe('UP')
  await expectOrder(made.events, { app })
})

it("F12 a caller's own key that is refused ends it, and is never replaced by the server's", async () => {
  const { app, wire } = await play(FLUX, 20)
  await app.client.run(SetProviderKeyDocument, { provider: 'flux', apiKey: 'own-key-of-the-caller' })
  wire.script('unauthorized')
  const { events, generation } = await make(app, { ...FLUX.input, fallbackModels: [] })
  expect(generation).toMatchObject({
    status: 'FAILED',
    error: { code: 'UNAUTHORIZED', retryable: false },
    cost: NOTHING,
  })
  expect(generation.attempts).toHaveLength(1)
  expect(wire.requests.map(({ headers }) => headers['x-key'])).toEqual(['own-key-of-the-caller'])
  expect((await app.client.run(ProviderKeysDocument, {})).viewer.account.providerKeys).toHaveLength(1)
  await expectOrder(events, { app })
})

it('F13 a job that the vendor no longer knows is given up when it has said so three times, and the hold is released', async () => {
  const { generation, wire } = await endOf(FLUX, ['gone'])
  expect(generation).toMatchObject({ status: 'FAILED', error: UNKNOWN, cost: NOTHING })
  const looks = wire.requests.filter(({ path }) => path === '/v1/get_result')
  expect(looks.length).toBeGreaterThanOrEqual(3)
  expect(wire.billable).toHaveLength(1)
  const known = await endOf(FLUX, ['ok unknown=2'])
  expect(known.generation.status).toBe('COMPLETED')
})

it('F14 words that a vendor takes back, or that nobody knows, move nothing back', async () => {
  const words = ['Pending', 'Running', 'Queued', 'Reasoning', 'Pending', 'Thinking harder']
  const shares = [0.2, 0.9, 0.1, null, 0.3, 0.95]
  let looks = 0
  const { app } = await startIntercepted(FLUX.vendor, ({ path, query }) => {
    const look = path === '/v1/get_result' ? looks++ : words.length
    if (look >= words.length) return undefined
    return { body: { id: query.get('id'), status: words[look], progress: shares[look], result: null } }
  })
  const { events, generation } = await make(app, FLUX.input)
  expect(looks).toBeGreaterThan(words.length)
  expect(kindsOf(events)).toEqual(['QUEUED', 'STARTED', 'IMAGE_READY', 'COMPLETED'])
  const told = events.flatMap(({ kind, progress }) => (kind === 'PROGRESS' ? (progress ?? []) : []))
  expect(told).toEqual([...told].sort((a, b) => a - b))
  expect(generation.status).toBe('COMPLETED')
  await expectOrder(events, { app })
})

it.each([
  { images: 0, status: 'FAILED' },
  { images: 2, status: 'COMPLETED' },
] as const)(
  'F15 $images images of three that were asked for are what is delivered and charged',
  async ({ images, status }) => {
    await using app = await startApp({ models: [PRICED_PAINTER] })
    const prompt = `a fox [[sandbox delay=0 images=${images}]]`
    const { events, generation } = await make(app, { prompt, model: 'sandbox/painter', count: 3, size: '64x64' })
    expect(generation.status).toBe(status)
    expect(generation.images).toHaveLength(images)
    expect(generation.cost.charged?.amount).toBe((0.04 * images).toFixed(6))
    expect(generation.problems.length + (generation.error ? 1 : 0)).toBeGreaterThan(0)
    await expectOrder(events, { app })
  },
)

it.each(['expired', 'private_url', 'endless', 'drip', 'page', 'broken'])(
  'F16 a picture that cannot be had (%s) fails in bounded time and is not paid for by the account',
  async (mode) => {
    const { generation, wire } = await endOf(FLUX, [mode], {}, FACTOR_OF_SILENCE)
    const error = { code: 'BAD_OUTPUT', stage: 'OUTPUT', billed: false, providerBilled: true }
    expect(generation).toMatchObject({ status: 'FAILED', error, cost: NOTHING })
    expect(wire.billable).toHaveLength(1)
  },
)
