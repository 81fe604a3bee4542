import OpenAI, { APIError } from 'openai'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { probeImage } from '../../../src/storage/image-probe.ts'
import { startFaultProxy } from '../../support/fault-proxy.ts'
import { assertInvariants } from '../../support/invariants.ts'
import { askRest, createSdk } from '../../support/rest.ts'
import { createTestAccount, startApp, type TestAccount, type TestApp } from '../../support/start-app.ts'
import { PLAYED_VENDORS } from '../../support/wire/vendors.ts'
import { startWireServer, type WireServer } from '../../support/wire/wire-server.ts'

/** The SDK on both sides: a caller of ours here, and OpenAI behind us. */
const MODEL = 'gpt-image-2.6-flare'
const ASKED = { model: MODEL, prompt: 'a red fox in snow', size: '1024x640', quality: 'low' } as const

let wire: WireServer
let app: TestApp
beforeAll(async () => {
  wire = await startWireServer(PLAYED_VENDORS.openai.create)
  const vendor = PLAYED_VENDORS.openai.environment(wire.origin, 'sk-canary-2f81')
  // Else it would not answer to the name of a proxy.
  app = await startApp({ env: { ...vendor, PICTOR_AUTH: 'required' }, leaseMs: 600_000 })
})
afterAll(async () => {
  await app[Symbol.asyncDispose]()
  await wire.close()
})

/** An account of its own, so that its history holds what one test has made. */
async function open(maxRetries = 0): Promise<{ account: TestAccount; sdk: OpenAI; calls(): number }> {
  const account = await createTestAccount(app.app, { billing: 'PREPAID', creditMicros: 10_000_000 })
  const before = wire.billable.length
  return { account, sdk: createSdk(app, account.secret, { maxRetries }), calls: () => wire.billable.length - before }
}

const History = z.object({ data: z.array(z.object({ id: z.string(), status: z.string(), usage: z.unknown() })) })

async function historyOf(account: TestAccount) {
  const { body } = await askRest(app, '/images/history', { secret: account.secret })
  return History.parse(body).data
}

describe('a GPT image model', () => {
  it('answers with bytes as its callers expect, and with the tokens that the vendor counts', async () => {
    const { sdk, calls } = await open()
    const answer = await sdk.images.generate(ASKED)
    const [image] = answer.data ?? []
    const bytes = Buffer.from(image?.b64_json ?? '', 'base64')
    expect(await probeImage(bytes)).toMatchObject({ width: 1024, height: 640 })
    expect(answer).toMatchObject({ provider: 'openai', model: `openai/${MODEL}`, quality: 'low', size: '1024x640' })
    expect(answer.usage?.input_tokens).toBeGreaterThan(0)
    expect(answer.usage?.total_tokens).toBe((answer.usage?.input_tokens ?? 0) + (answer.usage?.output_tokens ?? 0))
    expect(calls()).toBe(1)
  })

  it('answers with addresses alone where they are asked for', async () => {
    const { sdk } = await open()
    const { data } = await sdk.images.generate({ ...ASKED, response_format: 'url' })
    expect(data).toMatchObject([{ url: expect.stringMatching(/^http/), b64_json: null }])
  })

  it('is paid for with a key of the caller’s own, which costs no credits', async () => {
    const { sdk } = await open()
    const own = { ...ASKED, byok_api_key: 'sk-of-my-own-7c1e' }
    const answer = await sdk.images.generate(own)
    expect(answer).toMatchObject({ usage: { own_key: true, cost: '0.000000' } })
    expect(wire.billable.at(-1)?.headers.authorization).toBe('Bearer sk-of-my-own-7c1e')
    expect(JSON.stringify(answer)).not.toContain('sk-of-my-own')
  })

  it('streams the previews of the vendor, in order, and then the picture', async () => {
    const { sdk, calls } = await open()
    const events = []
    for await (const event of await sdk.images.generate({ ...ASKED, stream: true, partial_images: 2 }))
      events.push(event)
    expect(events.at(-1)).toMatchObject({
      type: 'image_generation.completed',
      usage: { output_tokens: expect.any(Number) },
    })
    expect(events.slice(0, -1)).toMatchObject(
      events.slice(0, -1).map((_, index) => ({ type: 'image_generation.partial_image', partial_image_index: index })),
    )
    expect(events.length).toBeGreaterThan(1)
    expect(calls()).toBe(1)
  })

  it('edits with a mask and its own settings', async () => {
    const { sdk } = await open()
    const paint = (background: string) =>
      sharp({ create: { width: 64, height: 64, channels: 4, background } })
        .png()
        .toBuffer()
    const file = async (color: string) => new File([new Uint8Array(await paint(color))], 'a.png', { type: 'image/png' })
    const answer = await sdk.images.edit({
      ...ASKED,
      image: [await file('#f00'), await file('#0f0')],
      mask: await file('#0000'),
      complexity: 'low',
    })
    expect(answer.data).toHaveLength(1)
    const form = await wire.billable.at(-1)?.form()
    expect(form?.getAll('image[]')).toHaveLength(2)
    expect(form?.get('mask')).toBeInstanceOf(File)
    expect(form?.get('complexity')).toBe('low')
  })

  it('is refused in the words of the vendor', async () => {
    const { sdk } = await open()
    wire.script('refused')
    const error = await sdk.images.generate(ASKED).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(OpenAI.BadRequestError)
    expect(error).toMatchObject({
      code: 'moderation_blocked',
      param: 'prompt',
      error: { provider_code: 'moderation_blocked' },
    })
  })
})

describe('who is cut off while waiting', () => {
  it('loses nothing: the generation completes, the history has it, and it is charged once', async () => {
    const { account, sdk, calls } = await open()
    wire.script('ok held=answer')
    const hangUp = new AbortController()
    const waiting = sdk.images.generate(ASKED, { signal: hangUp.signal })
    await wire.until(() => calls() === 1)
    hangUp.abort()
    await expect(waiting).rejects.toThrow('aborted')
    const [running] = await historyOf(account)
    expect(running?.status).toBe('running')
    wire.release()
    const prefer = { prefer: 'wait=20' }
    const { body } = await askRest(app, `/images/generations/${running?.id}`, {
      secret: account.secret,
      headers: prefer,
    })
    expect(body).toMatchObject({
      status: 'completed',
      data: [{ width: 1024 }],
      usage: { cost: expect.stringMatching(/^0\.0*[1-9]/) },
    })
    expect(await historyOf(account)).toHaveLength(1)
    expect(calls()).toBe(1)
    await assertInvariants(app.app.foundations.database, app.app.foundations.storage)
  })

  it('gets the same generation under the same Idempotency-Key: one call at the vendor, one charge', async () => {
    const { account, sdk, calls } = await open()
    const headers = { 'Idempotency-Key': 'order-42' }
    const hangUp = new AbortController()
    const cut = sdk.images.generate(ASKED, { headers, signal: hangUp.signal })
    await wire.until(() => calls() === 1)
    hangUp.abort()
    await expect(cut).rejects.toThrow('aborted')
    const answer = await sdk.images.generate(ASKED, { headers })
    expect(answer).toMatchObject({ status: 'completed', replayed: true })
    expect(await historyOf(account)).toHaveLength(1)
    expect(calls()).toBe(1)
    const other = await sdk.images
      .generate({ ...ASKED, prompt: 'a wolf' }, { headers })
      .catch((reason: unknown) => reason)
    expect(other).toBeInstanceOf(OpenAI.UnprocessableEntityError)
    expect(other).toMatchObject({ code: 'idempotency_conflict', param: 'Idempotency-Key' })
  })

  it('is led to the same generation when the SDK sends the call again by itself, without any key', async () => {
    const { account, calls } = await open()
    const proxy = await startFaultProxy(app.app.port)
    const through = { origin: `http://127.0.0.1:${proxy.port}` }
    wire.script('ok delay=200')
    const waiting = createSdk(through, account.secret, { maxRetries: 2 }).images.generate(ASKED)
    await wire.until(() => calls() === 1)
    proxy.cutAll()
    const answer = await waiting
    expect(answer).toMatchObject({ status: 'completed', replayed: true, data: [{ b64_json: expect.any(String) }] })
    expect(await historyOf(account)).toHaveLength(1)
    expect(calls()).toBe(1)
    await proxy.stop()
  })

  it('is never made to pay again by a repetition of its own: a vendor that fails is told once', async () => {
    const { account, sdk, calls } = await open(2)
    wire.script('reset')
    const error = await sdk.images.generate(ASKED).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(APIError)
    expect(error).toMatchObject({ status: expect.any(Number), error: { generation_id: expect.any(String) } })
    expect(await historyOf(account)).toHaveLength(1)
    expect(calls()).toBe(1)
  })
})
