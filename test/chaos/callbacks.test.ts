import { describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { GenerationDocument } from '../../schema/generated/operations.ts'
import { createSystemClock } from '../../src/clock.ts'
import { startFaultProxy } from '../support/fault-proxy.ts'
import { follow, generate } from '../support/generating.ts'
import { assertInvariants } from '../support/invariants.ts'
import { startApp, type TestApp } from '../support/start-app.ts'
import { expectWholeStory } from '../support/watch-client.ts'
import { CALL_KINDS, type CallKind } from '../support/wire/callbacks.ts'
import { PLAYED_VENDORS } from '../support/wire/vendors.ts'
import { startWireServer } from '../support/wire/wire-server.ts'

type Caller = {
  readonly name: 'flux' | 'fal' | 'replicate'
  readonly model: string
  /** Of the requests that ask after a job. */
  readonly looks: RegExp
  /** What its signature cannot tell. */
  readonly blindTo?: CallKind
}

/** What it signs holds no time that is certain. */
const FLUX: Caller = { name: 'flux', model: 'flux/flux-1.1-pro', looks: /^\/v1\/get_result/, blindTo: 'stale' }
const CALLERS: readonly Caller[] = [
  FLUX,
  { name: 'fal', model: 'fal/fal-ai/flux/dev', looks: /\/status$/ },
  { name: 'replicate', model: 'replicate/flux-1.1-pro', looks: /^\/v1\/predictions\/[^/]+$/ },
]

/** Pauses between two looks end by a call alone; every other time is what it is. */
function createPatientClock() {
  const clock = createSystemClock()
  const isPause = (ms: number) => ms > 500 && ms <= 3_000 && ms !== 1_000
  return { ...clock, sleep: (ms: number, signal?: AbortSignal) => clock.sleep(isPause(ms) ? 600_000 : ms, signal) }
}

/** The vendor on one side, a proxy with a known address on the other: vendors call at the address of the proxy. */
async function open({ name }: Caller, clock = createSystemClock()) {
  const vendor = PLAYED_VENDORS[name]
  const wire = await startWireServer(vendor.create)
  const proxy = await startFaultProxy(0)
  const app = await startApp({
    env: {
      ...vendor.environment(wire.origin, 'canary-4e7d'),
      PUBLIC_URL: `http://127.0.0.1:${proxy.port}`,
      PICTOR_CALLBACKS: name,
    },
    clock,
    leaseMs: 600_000,
  })
  proxy.leadTo(app.app.port)
  onTestFinished(async () => {
    await app[Symbol.asyncDispose]()
    await proxy.stop()
    await wire.close()
  })
  return { app, wire, vendorCalls: (verdict: string) => countCalls(app, name, verdict) }
}

async function countCalls(app: TestApp, provider: string, verdict: string): Promise<number> {
  const line = `pictor_vendor_callbacks_total{provider="${provider}",verdict="${verdict}"} `
  const text = await app.app.foundations.metrics.render()
  return Number(
    text
      .split('\n')
      .find((each) => each.startsWith(line))
      ?.slice(line.length) ?? 0,
  )
}

function readWebhook(json: unknown): { readonly webhook_url: string } {
  return z.object({ webhook_url: z.string() }).parse(json)
}

const INPUT = { prompt: 'a red fox in snow', count: 1 }

describe.each(CALLERS)('Callbacks of $name', (caller) => {
  it('F17 end the waiting for a job that has ended', async () => {
    const { app, wire, vendorCalls } = await open(caller, createPatientClock())
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

  it('F17 change nothing when they come early, twice, or long after the end', async () => {
    const { app, wire, vendorCalls } = await open(caller)
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
  })

  it('F17 are refused when somebody else signed them, nobody did, they are old, or they were changed', async () => {
    const { app, wire, vendorCalls } = await open(caller)
    wire.script('ok held=job polls=0 calls=')
    const { generation } = await generate(app.client, { ...INPUT, model: caller.model })
    await wire.until(({ path }) => caller.looks.test(path))
    const kinds = CALL_KINDS.filter((kind) => kind !== 'good' && kind !== caller.blindTo)
    for (const kind of kinds) expect([kind, ...(await wire.callBack(kind))]).toEqual([kind, 401])
    expect(await vendorCalls('forged')).toBe(kinds.length)
    expect(await vendorCalls('heard')).toBe(0)
    wire.release()
    expectWholeStory(await follow(app.client, generation.id))
  })

  it('F17 are missed by nobody: a job whose call never comes is found by asking', async () => {
    const { app, wire } = await open(caller)
    wire.script('ok calls=')
    const { generation } = await generate(app.client, { ...INPUT, model: caller.model })
    expectWholeStory(await follow(app.client, generation.id))
    expect(wire.answered).toEqual([])
    expect(wire.billable).toHaveLength(1)
  })
})

describe('A job of Black Forest Labs with a webhook', () => {
  it('is asked after at the polling address where one is given all the same', async () => {
    const { app, wire } = await open(FLUX)
    wire.script('ok calls= told=polling')
    const { generation } = await generate(app.client, { ...INPUT, model: FLUX.model })
    expectWholeStory(await follow(app.client, generation.id))
    const looks = wire.requests.filter(({ path }) => FLUX.looks.test(path))
    expect(new Set(looks.map(({ origin }) => origin))).toEqual(new Set([wire.secondOrigin]))
  })
})

describe('The address of callbacks', () => {
  it('F17 takes nothing but what a vendor was told to send', async () => {
    const { app, wire, vendorCalls } = await open(FLUX)
    wire.script('ok held=job polls=0 calls=')
    const { generation } = await generate(app.client, { ...INPUT, model: FLUX.model })
    await wire.until(({ path }) => FLUX.looks.test(path))
    const { webhook_url } = readWebhook(wire.billable[0]?.json)
    const post = (url: string, body = '{}') => fetch(url, { method: 'POST', body })
    expect((await post(webhook_url.replace('/0/', '/1/'))).status).toBe(404)
    expect((await post(`${app.origin}/callbacks/flux/att/0/${'A'.repeat(43)}`)).status).toBe(404)
    expect((await post(`${app.origin}/callbacks/`)).status).toBe(404)
    expect((await fetch(webhook_url)).status).toBe(405)
    expect((await post(webhook_url, ' '.repeat(8 * 1024 * 1024 + 1))).status).toBe(413)
    expect(await vendorCalls('too_large')).toBe(1)
    wire.release()
    expectWholeStory(await follow(app.client, generation.id))
  })

  it("is not told with a key of the caller's own", async () => {
    const { app, wire } = await open(FLUX)
    const { generation } = await generate(app.client, { ...INPUT, model: FLUX.model, providerApiKey: 'of-the-caller' })
    expectWholeStory(await follow(app.client, generation.id))
    expect(wire.billable[0]?.json).not.toHaveProperty('webhook_url')
  })
})
