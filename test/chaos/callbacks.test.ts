import { expect, it } from 'vitest'
import { GenerationDocument } from '../../schema/generated/operations.ts'
import { CALLERS, createPatientClock, FLUX, openCaller } from '../support/callers.ts'
import { follow, generate } from '../support/generating.ts'
import { assertInvariants } from '../support/invariants.ts'
import { expectWholeStory } from '../support/watch-client.ts'

const INPUT = { prompt: 'a red fox in snow', count: 1 }

it.each(CALLERS)('F17 callbacks of $name end the waiting for a job that has ended', async (caller) => {
  const { app, wire, vendorCalls } = await openCaller(caller, createPatientClock())
  wire.script('ok held=job polls=0')
  const { generation } = await generate(app.client, { ...INPUT, model: caller.model })
  await wire.until(({ path }) => caller.looks.test(path))
  wire.release()
  expectWholeStory(await follow(app.client, generation.id))
  const ended = (await app.client.run(GenerationDocument, { id: generation.id })).generation
  expect(ended).toMatchObject({ status: 'COMPLETED', problems: [] })
  expect(ended?.images).toHaveLength(1)
  expect(wire.billable).toHaveLength(1)
  expect(wire.answered).toEqual([204])
  expect(await vendorCalls('heard')).toBe(1)
})

it.each(CALLERS)(
  'F17 callbacks of $name change nothing when they come early, twice, or long after the end',
  async (caller) => {
    const { app, wire, vendorCalls } = await openCaller(caller)
    wire.script('ok held=job polls=0')
    const { generation } = await generate(app.client, { ...INPUT, model: caller.model })
    await wire.until(({ path }) => caller.looks.test(path))
    expect(await wire.callBack('good')).toEqual([204])
    wire.release()
    expectWholeStory(await follow(app.client, generation.id))
    const before = (await app.client.run(GenerationDocument, { id: generation.id })).generation
    const requests = wire.requests.length
    expect(await wire.callBack('good')).toEqual([204])
    expect(await wire.callBack('good')).toEqual([204])
    expect(await vendorCalls('late')).toBeGreaterThanOrEqual(2)
    expect((await app.client.run(GenerationDocument, { id: generation.id })).generation).toMatchObject({
      status: 'COMPLETED',
      sequence: before?.sequence,
      cost: before?.cost,
    })
    expect(wire.requests.slice(requests).filter(({ path }) => caller.looks.test(path))).toEqual([])
    expect(wire.billable).toHaveLength(1)
    const { database, storage, clock } = app.app.foundations
    await assertInvariants(database, storage, { now: clock.now() })
  },
)

it.each(CALLERS)(
  'F17 callbacks of $name are missed by nobody: a job whose call never comes is found by asking',
  async (caller) => {
    const { app, wire } = await openCaller(caller)
    wire.script('ok calls=')
    const { generation } = await generate(app.client, { ...INPUT, model: caller.model })
    expectWholeStory(await follow(app.client, generation.id))
    expect(wire.answered).toEqual([])
    expect(wire.billable).toHaveLength(1)
  },
)

it('a job of Black Forest Labs with a webhook is asked after at the polling address where one is given all the same', async () => {
  const { app, wire } = await openCaller(FLUX)
  wire.script('ok calls= told=polling')
  const { generation } = await generate(app.client, { ...INPUT, model: FLUX.model })
  expectWholeStory(await follow(app.client, generation.id))
  const looks = wire.requests.filter(({ path }) => FLUX.looks.test(path))
  expect(new Set(looks.map(({ origin }) => origin))).toEqual(new Set([wire.secondOrigin]))
})

it("tells no address of callbacks with a key of the caller's own", async () => {
  const { app, wire } = await openCaller(FLUX)
  const { generation } = await generate(app.client, { ...INPUT, model: FLUX.model, providerApiKey: 'of-the-caller' })
  expectWholeStory(await follow(app.client, generation.id))
  expect(wire.billable[0]?.json).not.toHaveProperty('webhook_url')
})
