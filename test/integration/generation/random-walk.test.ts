import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Secret } from '../../../src/secret.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import type { Database } from '../../../src/store/database.ts'
import type { LedgerEntryRow } from '../../../src/store/tables.ts'
import type { Viewer } from '../../../src/viewer.ts'
import { describeOnEachDatabase } from '../../support/databases.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { createFakeIds } from '../../support/fake-ids.ts'
import { buildHouse, type House, PRICE_MICROS, pricedModel } from '../../support/house.ts'
import { assertInvariants } from '../../support/invariants.ts'
import { createScriptedProvider } from '../../support/scripted-provider.ts'
import { createTinyPng } from '../../support/tiny-png.ts'
import { makeModel } from '../../unit/generation/request-plan-fixtures.ts'
import { createRandomPlan, type Step, steps } from './random-plans.ts'

const CREDIT_MICROS = 12 * PRICE_MICROS
const LEASE_MS = 15_000
const EASEL = pricedModel({ capabilities: makeModel({ maxReferenceImages: 2 }).capabilities })
const PICTURES = [1, 2].map((color) => ({ base64: Buffer.from(createTinyPng(color)).toString('base64') }))
const OWN_KEY = new Secret('sk-of-the-walker')

const actions = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant('order' as const),
        steps,
        count: fc.integer({ min: 1, max: 3 }),
        pictures: fc.constantFrom(0, 0, 0, 1, 2),
        key: fc.constantFrom(null, null, 'k1', 'k2'),
        deadlineSeconds: fc.constantFrom(null, null, null, 3),
        end: fc.constantFrom(null, 'ann'),
        ownKey: fc.constantFrom(false, false, true),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('keep' as const), ownKey: fc.boolean() }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('cancel' as const), which: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), which: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('retry' as const), which: fc.nat(), steps }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(250, 1_000, 4_000) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('turns' as const), count: fc.integer({ min: 1, max: 8 }) }) },
  ),
  { minLength: 5, maxLength: 25 },
)

type Action = typeof actions extends fc.Arbitrary<(infer One)[]> ? One : never

describeOnEachDatabase('a random walk', (open) => {
  it('ends every generation and breaks no invariant, whatever happens in whatever order', {
    timeout: 120_000,
  }, async () => {
    const database = await open()
    const runs = database.dialect === 'sqlite' ? 60 : 12
    const storage = createMemoryStorage({ clock: createFakeClock() })
    const world = { database, storage, ids: createFakeIds() }
    await fc.assert(
      fc.asyncProperty(actions, fc.constantFrom('fail' as const, 'retry-once' as const), (walk, unknownOutcome) =>
        walkThrough(world, walk, unknownOutcome),
      ),
      { numRuns: runs, endOnFailure: true },
    )
  })
})

/** What outlives every house, and every walk. */
type World = Pick<House, 'database' | 'storage' | 'ids'>

async function walkThrough(
  world: World,
  walk: readonly Action[],
  unknownOutcome: 'fail' | 'retry-once',
): Promise<void> {
  const walker = await createWalker(world, unknownOutcome)
  for (const action of walk) {
    await walker.act(action)
    await assertInvariants(world.database, world.storage, { live: true })
  }
  await walker.settle()
  await assertInvariants(world.database, world.storage, { now: walker.clock.now() })
  expect(walker.robbed).toEqual([])
  await expectBooks(world.database, walker)
  await expectNoNeedlessSend(world.database, walker, unknownOutcome === 'fail' ? 0 : 1)
}

type Walker = Awaited<ReturnType<typeof createWalker>>

/** One house after the other on the same data: a crash drops one and builds the next. */
async function createWalker(world: World, unknownOutcome: 'fail' | 'retry-once') {
  const clock = createFakeClock()
  const ordered = new Map<string, readonly Step[]>()
  const acknowledged: string[] = []
  const deleted = new Set<string>()
  const sent: string[] = []
  /** Calls to which fewer pictures came than were promised. */
  const robbed: string[] = []
  const build = () => {
    const provider = createScriptedProvider({ keyed: true })
    const plan = createRandomPlan(ordered, () => crash())
    provider.setDefault((turn) => {
      const { prompt, referenceImages, parameters } = turn.request
      if (referenceImages.length !== parameters.referenceImages) robbed.push(prompt)
      return plan(turn)
    })
    return buildHouse({ ...world, clock, providers: [provider], models: [EASEL], config: { unknownOutcome } })
  }
  let house = build()
  let crashed = false
  const viewer: Viewer = await house.account({ billing: 'PREPAID', creditMicros: CREDIT_MICROS })
  await house.start()

  function crash(): void {
    house.kill()
    crashed = true
  }

  async function rebuild(): Promise<void> {
    sent.push(...house.provider.sends)
    crashed = false
    house = build()
    if (world.database.dialect === 'sqlite') return house.start()
    // Nobody can tell that the other process is dead before its leases have run out.
    await house.start()
    await house.pass(2 * LEASE_MS)
  }

  /** Of a house that dies meanwhile no answer ever comes. */
  async function ask(work: () => Promise<unknown>): Promise<void> {
    const outcome = { done: false }
    void work().then(
      () => (outcome.done = true),
      () => (outcome.done = true),
    )
    while (!outcome.done && !crashed) await nextTurn()
    if (crashed) await rebuild()
  }

  async function act(action: Action): Promise<void> {
    const chosen = 'which' in action ? acknowledged[action.which % Math.max(1, acknowledged.length)] : undefined
    const { generations } = house.domain
    switch (action.kind) {
      case 'order':
        return ask(async () => order(action))
      case 'keep':
        return ask(async () => keepKey(action.ownKey))
      case 'cancel':
        return ask(async () => chosen && generations.cancel(viewer, chosen))
      case 'delete':
        return ask(async () => chosen && generations.delete(viewer, chosen).then(() => deleted.add(chosen)))
      case 'retry':
        return ask(async () => chosen && retry(chosen, action.steps))
      case 'pass':
        return ask(() => house.pass(action.ms))
      case 'turns':
        for (let turn = 0; turn < action.count; turn++) await nextTurn()
        return crashed ? rebuild() : undefined
      case 'crash':
        crash()
        return rebuild()
    }
  }

  async function keepKey(isKept: boolean): Promise<unknown> {
    const { providerKeys } = house.domain
    const { accountId } = viewer
    return isKept ? providerKeys.set(accountId, 'test', OWN_KEY) : providerKeys.remove(accountId, 'test')
  }

  async function order(action: Action & { kind: 'order' }) {
    const { steps: plan, count, pictures, key, deadlineSeconds, end, ownKey } = action
    const prompt = `walk ${ordered.size}`
    ordered.set(prompt, plan)
    const referenceImages = pictures === 0 ? null : PICTURES.slice(0, pictures)
    const providerApiKey = ownKey ? OWN_KEY : null
    const input = { prompt, count, referenceImages, idempotencyKey: key, deadlineSeconds, providerApiKey }
    const { generation } = await house.create({ ...viewer, endUser: end }, input)
    if (!acknowledged.includes(generation.id)) acknowledged.push(generation.id)
  }

  async function retry(id: string, plan: readonly Step[]) {
    const prompt = `walk ${ordered.size}`
    ordered.set(prompt, plan)
    const overrides = { prompt, model: null, seed: null, count: null, strict: null, providerOptions: null }
    const { generation } = await house.domain.generations.retry(viewer, id, overrides, null)
    acknowledged.push(generation.id)
  }

  /** From here on everything goes well, and then everything must end. */
  async function settle(): Promise<void> {
    if (crashed) await rebuild()
    for (const [prompt, plan] of ordered)
      ordered.set(
        prompt,
        plan.filter((step) => step !== 'wait' && step !== 'crash'),
      )
    crash()
    await rebuild()
    for (let round = 0; round < 400 && (await countOpen(world.database)) > 0; round++) await house.pass(1_000)
    await house.pass(61_000)
    sent.push(...house.provider.sends)
    house.kill()
  }

  return { act, settle, clock, viewer, acknowledged, deleted, sent, robbed }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

async function countOpen(database: Database): Promise<number> {
  const rows = await database.read.selectFrom('generations').select('id').where('finishedAt', 'is', null).execute()
  return rows.length
}

/** The books once more, counted from the entries alone. */
async function expectBooks(database: Database, { viewer, acknowledged, deleted }: Walker): Promise<void> {
  const { accountId } = viewer
  const of = database.read
  const generations = await of.selectFrom('generations').selectAll().where('accountId', '=', accountId).execute()
  const entries = await of.selectFrom('ledgerEntries').selectAll().where('accountId', '=', accountId).execute()
  const account = await of.selectFrom('accounts').selectAll().where('id', '=', accountId).executeTakeFirstOrThrow()
  const sum = (rows: readonly LedgerEntryRow[]) => rows.reduce((total, { amountMicros }) => total + amountMicros, 0)
  const paid = generations.filter(({ keySource }) => keySource === 'SERVER')
  const images = paid.reduce((total, { imageCount }) => total + imageCount, 0)
  expect(generations.map(({ finishedAt }) => finishedAt)).not.toContain(null)
  expect(generations.map(({ id }) => id)).toEqual(expect.arrayContaining(acknowledged))
  expect(generations.filter(({ deletedAt }) => deletedAt !== null).map(({ id }) => id)).toEqual(
    expect.arrayContaining([...deleted]),
  )
  expect(sum(entries)).toBe(CREDIT_MICROS - images * PRICE_MICROS)
  expect(account).toMatchObject({ balanceMicros: sum(entries), heldMicros: 0 })
  expect(account.balanceMicros).toBeGreaterThanOrEqual(0)
}

/** One billable call an attempt, and none behind a call that may have been carried out, but by the operator's word. */
async function expectNoNeedlessSend(database: Database, { viewer, sent }: Walker, allowed: number): Promise<void> {
  expect(new Set(sent).size).toBe(sent.length)
  const attempts = await database.read
    .selectFrom('attempts')
    .innerJoin('generations', 'generations.id', 'attempts.generationId')
    .selectAll('attempts')
    .where('accountId', '=', viewer.accountId)
    .where('deletedAt', 'is', null)
    .execute()
  for (const { generationId } of attempts) {
    const own = attempts.filter((attempt) => attempt.generationId === generationId)
    const last = Math.max(...own.map(({ number }) => number))
    const doubtful = own.filter(({ number, id, problem }) => {
      const isKnown = problem !== null && JSON.parse(problem).code !== 'UNKNOWN_OUTCOME'
      return number < last && sent.includes(id) && !isKnown
    })
    expect(doubtful.length).toBeLessThanOrEqual(allowed)
  }
}
