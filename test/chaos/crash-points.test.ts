import { access, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { DeleteGenerationDocument, GenerationDocument, HistoryDocument } from '../../schema/generated/operations.ts'
import { type CrashRun, runWithCrash, type Scenario, type Shop } from '../support/crash-run.ts'
import { quick } from '../support/generating.ts'
import { CHAOS_SEED } from '../support/random.ts'
import type { Order, Story } from '../support/shopper.ts'
import { PRICED_PAINTER, prepareAccount, writeCatalog } from '../support/start-app.ts'
import { expectWholeStory } from '../support/watch-client.ts'
import { PLAYED_VENDORS } from '../support/wire/vendors.ts'
import { startWireServer } from '../support/wire/wire-server.ts'

/** All of them with `--long`; otherwise as many as this, spread over the run, others in each run. */
const POINTS = process.env.PICTOR_TEST_LONG ? Number.POSITIVE_INFINITY : 8
const AT_A_TIME = 2
const CREDIT_MICROS = 1_000_000_000

let template: string
let secret: string

beforeAll(async () => {
  template = await mkdtemp(join(tmpdir(), 'pictor-template-'))
  const env = { PICTOR_DATA_DIR: template, PICTOR_CATALOG: await writeCatalog(template, [PRICED_PAINTER]) }
  const account = await prepareAccount(env, { billing: 'PREPAID', creditMicros: CREDIT_MICROS })
  secret = account.secret
})
afterAll(() => rm(template, { recursive: true, force: true }))

type Case = {
  readonly name: string
  readonly input: Order['input']
  readonly cancels?: boolean
  readonly deletes?: boolean
  readonly ends: readonly string[]
  readonly vendor?: { readonly id: keyof typeof PLAYED_VENDORS; readonly modes: readonly string[] }
  /** At most so many calls that cost money. */
  readonly calls?: number
}

const KEY = 'canary-7f3a90'
const PROMPT = 'a red fox in snow'

const CASES: readonly Case[] = [
  { name: 'a plain generation', input: order('delay=0', { count: 2 }), ends: ['COMPLETED'] },
  {
    name: 'two jobs that a vendor is submitted to and asked after',
    input: order('', { prompt: PROMPT, model: 'flux/flux-1.1-pro', count: 2 }),
    vendor: { id: 'flux', modes: ['ok polls=1', 'ok polls=1'] },
    calls: 2,
    ends: ['COMPLETED'],
  },
  {
    name: 'four images in a call each',
    input: order('', { prompt: PROMPT, model: 'google/gemini-nano-banana-2.1', count: 4 }),
    vendor: { id: 'google', modes: [] },
    calls: 4,
    ends: ['COMPLETED'],
  },
  { name: 'a cancel', input: order('delay=40 steps=2'), cancels: true, ends: ['COMPLETED', 'CANCELED'] },
  {
    name: 'a fallback',
    input: order('delay=0', { model: 'flux/flux-1.1-pro', fallbackModels: ['sandbox/painter'] }),
    vendor: { id: 'flux', modes: ['rate_limited retry-after=60'] },
    calls: 1,
    ends: ['COMPLETED'],
  },
  { name: 'a deletion', input: order('delay=0'), deletes: true, ends: ['COMPLETED'] },
]

function order(directives: string, rest: Partial<Order['input']> = {}): Order['input'] {
  const size = rest.prompt === undefined && rest.model === undefined ? {} : { size: undefined }
  return { ...quick(directives, rest), ...size, idempotencyKey: 'the-order' }
}

it.for(CASES)(
  'F1 kill -9 before and after each effect of $name loses nothing and pays nothing twice',
  { timeout: 1_800_000 },
  async (given, { task }) => {
    const { passed } = await play(given, 0)
    const points = pickPoints(passed ?? 0)
    expect(points.length).toBeGreaterThan(5)
    const crashed = await inLanes(points, async (point) => (await play(given, point)).passed === undefined)
    // What happens by the way, such as a heartbeat, comes sooner in one run than in another.
    expect(crashed).toBeGreaterThanOrEqual(points.length - 2)
    task.meta.figures = `${crashed} crashes at ${passed} points, seed ${CHAOS_SEED}`
  },
)

function pickPoints(passed: number): number[] {
  const stride = Math.max(1, Math.ceil(passed / POINTS))
  const first = 1 + (CHAOS_SEED % stride)
  return Array.from({ length: Math.ceil((passed - first + 1) / stride) }, (_, index) => first + index * stride)
}

/** How many of them were true. */
async function inLanes(points: readonly number[], run: (point: number) => Promise<boolean>): Promise<number> {
  const waiting = [...points]
  let count = 0
  const lane = async () => {
    for (let point = waiting.shift(); point !== undefined; point = waiting.shift()) {
      const isTrue = await run(point).catch((cause: unknown) => {
        throw new Error(`Crashed at point ${point}.`, { cause })
      })
      if (isTrue) count += 1
    }
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, lane))
  return count
}

async function play(given: Case, point: number) {
  const vendor = PLAYED_VENDORS[given.vendor?.id ?? 'flux']
  await using wire = await startWireServer(vendor.create)
  wire.script(...(given.vendor?.modes ?? []))
  const env = { PICTOR_CATALOG: join(template, 'catalog.json'), ...vendor.environment(wire.origin, KEY) }
  const run: CrashRun = { template, secret, env }
  const result = await runWithCrash(run, scenarioOf(given), point)
  expect(wire.billable.length).toBeLessThanOrEqual(given.calls ?? 0)
  return result
}

function scenarioOf({ input, cancels = false, deletes = false, ends }: Case): Scenario<Story> {
  return {
    async play({ shopper, client }) {
      const story = await shopper.buy({ input, cancels })
      if (deletes) await shopper.insist(() => client.run(DeleteGenerationDocument, { id: story.id }))
      return story
    },
    async check(story, shop) {
      expectWholeStory(story.events)
      const { history } = await shop.client.run(HistoryDocument, { first: 10 })
      expect(history.edges.map(({ node }) => node.id)).toEqual(deletes ? [] : [story.id])
      await (deletes ? expectGone(story, shop) : expectFairEnd(story, shop, ends))
    },
  }
}

async function expectFairEnd({ id, events, effect }: Story, { client }: Shop, ends: readonly string[]): Promise<void> {
  const { generation } = await client.run(GenerationDocument, { id })
  const isUnknown = generation?.error?.code === 'UNKNOWN_OUTCOME'
  expect(isUnknown ? ['FAILED'] : ends).toContain(generation?.status)
  expect(generation?.status).toBe(events.at(-1)?.status)
  // An answer stands: who was told that it was canceled finds it so.
  if (effect !== null && effect !== 'TOO_LATE' && generation?.images.length === 0)
    expect(generation.status).toBe('CANCELED')
  for (const { url } of generation?.images ?? []) expect((await fetch(url)).status).toBe(200)
}

async function expectGone({ id }: Story, { client, dataDir }: Shop): Promise<void> {
  expect((await client.run(GenerationDocument, { id })).generation).toBeNull()
  const folder = join(dataDir, 'images', id)
  await expect
    .poll(
      () =>
        access(folder).then(
          () => 'there',
          () => 'gone',
        ),
      { timeout: 10_000 },
    )
    .toBe('gone')
}
