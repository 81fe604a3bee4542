import { expect, it } from 'vitest'
import { CancelGenerationDocument, GenerationDocument } from '../../schema/generated/operations.ts'
import type { Viewer } from '../../src/viewer.ts'
import { play as playVendor, type VendorCase } from '../integration/vendors/vendor-suite.ts'
import { describeOnEachDatabase } from '../support/databases.ts'
import { follow, generate } from '../support/generating.ts'
import { buildHouse, type House } from '../support/house.ts'
import { assertInvariants } from '../support/invariants.ts'
import { createMoment } from '../support/moment.ts'
import { answer, makesAll, type Plan } from '../support/scripted-provider.ts'
import { expectWholeStory } from '../support/watch-client.ts'
import { PLAYED_VENDORS } from '../support/wire/vendors.ts'

const RACES = process.env.PICTOR_TEST_LONG ? 1_000 : 260
/** Places in a call at which a race begins. */
const STEPS = 4
/** What a pool of connections can serve before those that wait for one give up. */
const AT_ONCE = 200

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve))

describeOnEachDatabase('cancel', (open) => {
  it(`F18 decides ${RACES} races against completion, each for one of the two`, async () => {
    const house = buildHouse({ database: await open() })
    const plans = new Map<string, Plan>()
    house.provider.setDefault((turn) => (plans.get(turn.request.prompt) ?? makesAll)(turn))
    const viewer = await house.account({ limits: { requestsPerMinute: 10_000 } })
    await house.start()
    const races = Array.from({ length: RACES }, (_, index) => ({ step: index % STEPS, turns: index % 13, index }))
    const effects: Effect[] = []
    while (races.length > 0) {
      const some = races.splice(0, AT_ONCE)
      effects.push(...(await Promise.all(some.map((race) => runRace({ house, plans, viewer }, race)))))
    }
    expect(new Set(effects.map(({ effect }) => effect))).toEqual(new Set(['FREE', 'MAY_BE_BILLED', 'TOO_LATE']))
    for (const { id, effect } of effects) {
      const kinds = (await house.story(viewer, id)).map(({ event }) => event.kind)
      expect(kinds.filter((kind) => kind === 'COMPLETED' || kind === 'CANCELED')).toHaveLength(1)
      expect(kinds.at(-1)).toBe((await house.row(id)).status)
      if (effect === 'TOO_LATE') expect(kinds.at(-1)).toBe('COMPLETED')
    }
    expect(house.logger.lines.filter(({ level }) => level === 'error')).toEqual([])
    await house.assertInvariants()
  })
})

type Effect = Awaited<ReturnType<typeof runRace>>
type Track = { readonly house: House; readonly plans: Map<string, Plan>; readonly viewer: Viewer }

/** Cancels twice at once, so many turns of the event loop behind one step of the call. */
async function runRace({ house, plans, viewer }: Track, race: { step: number; turns: number; index: number }) {
  const { step, turns, index } = race
  const prompt = `race ${index}`
  const reached = createMoment()
  const stepOf = (name: number) => name === step && reached.reach()
  plans.set(prompt, async (turn) => {
    stepOf(0)
    await nextTurn()
    await turn.send()
    stepOf(1)
    await turn.image(0)
    stepOf(2)
    await turn.image(1)
    stepOf(3)
    return answer()
  })
  const id = await house.order(viewer, { count: 2, prompt })
  await reached.reached
  for (let turn = 0; turn < turns; turn++) await nextTurn()
  const cancel = () => house.domain.generations.cancel(viewer, id)
  const [one, other] = await Promise.all([cancel(), cancel()])
  expect([one.effect, other.effect]).toContain('TOO_LATE')
  return { id, effect: one.effect === 'TOO_LATE' ? other.effect : one.effect }
}

const FLUX: VendorCase = {
  vendor: PLAYED_VENDORS.flux,
  input: { prompt: 'a red fox in snow', model: 'flux/flux-1.1-pro' },
  expected: { mimeType: 'image/jpeg' },
  callsPerImage: 1,
  endings: [],
}

it('F19 a cancel of what the vendor cannot cancel stands, what it makes later is nobody’s, and says that it may be billed', async () => {
  const { app, wire } = await playVendor(FLUX, 20)
  wire.script('ok held=job')
  const { generation } = await generate(app.client, FLUX.input)
  await wire.until(({ path }) => path === '/v1/get_result')
  const { cancelGeneration } = await app.client.run(CancelGenerationDocument, { id: generation.id })
  expect(cancelGeneration).toMatchObject({ effect: 'MAY_BE_BILLED', generation: { status: 'CANCELED' } })
  await expect.poll(() => app.app.domain.worker.running(), { timeout: 10_000 }).toBe(0)
  wire.release()
  const looks = wire.requests.length
  expectWholeStory(await follow(app.client, generation.id))
  const ended = (await app.client.run(GenerationDocument, { id: generation.id })).generation
  expect(ended).toMatchObject({
    status: 'CANCELED',
    images: [],
    problems: [{ code: 'CANCELED', providerBilled: null, billed: false }],
    cost: { charged: { amount: '0.000000' }, held: { amount: '0.000000' } },
  })
  expect(wire.requests).toHaveLength(looks)
  expect(wire.billable).toHaveLength(1)
  const { database, storage, clock } = app.app.foundations
  await assertInvariants(database, storage, { now: clock.now() })
})
