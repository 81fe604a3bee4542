import OpenAI, { APIError } from 'openai'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { paint } from '../../../examples/openai-sdk.ts'
import { probeImage } from '../../../src/storage/image-probe.ts'
import { createSdk } from '../../support/rest.ts'
import { createTestAccount, PRICED_PAINTER, startApp, type TestAccount, type TestApp } from '../../support/start-app.ts'
import { createTinyPng } from '../../support/tiny-png.ts'

const QUICK = { prompt: 'a red fox in snow [[sandbox delay=0]]', size: '64x64' } as const

let app: TestApp
let account: TestAccount
let sdk: OpenAI
beforeAll(async () => {
  app = await startApp({ models: [PRICED_PAINTER] })
  account = await createTestAccount(app.app, { billing: 'PREPAID', creditMicros: 1_000_000 })
  sdk = createSdk(app, account.secret)
})
afterAll(() => app[Symbol.asyncDispose]())

async function failureOf(promise: Promise<unknown>): Promise<APIError> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  )
  if (error instanceof APIError) return error
  throw new Error(`It did not fail as an API does: ${error}`)
}

describe('images.generate', () => {
  it('answers with addresses and all that is known of what was made', async () => {
    const answer = await sdk.images.generate({ ...QUICK, model: 'sandbox/painter', n: 2 })
    expect(answer).toMatchObject({
      id: expect.stringMatching(/^gen_/),
      created: expect.any(Number),
      status: 'completed',
      provider: 'sandbox',
      model: 'sandbox/painter',
      size: '64x64',
      output_format: 'png',
      usage: { cost: '0.080000', credits: '80.000000', currency: 'USD', latency_ms: expect.any(Number) },
      remaining_credits: '920.000000',
      problems: [],
      warnings: [],
    })
    expect(answer.data).toHaveLength(2)
    for (const { url, b64_json } of answer.data ?? []) {
      expect(b64_json).toBeNull()
      const bytes = new Uint8Array(await (await fetch(url ?? '')).arrayBuffer())
      expect(await probeImage(bytes)).toMatchObject({ mimeType: 'image/png', width: 64, height: 64 })
    }
  })

  it('answers with the bytes where they are asked for, the same that the address has', async () => {
    const { data } = await sdk.images.generate({ ...QUICK, response_format: 'b64_json' })
    const [image] = data ?? []
    const fetched = Buffer.from(await (await fetch(image?.url ?? '')).arrayBuffer())
    expect(Buffer.from(image?.b64_json ?? '', 'base64').equals(fetched)).toBe(true)
  })

  it('takes what the hosted APIs add to the official fields', async () => {
    const extra = {
      provider: 'sandbox',
      model: 'painter',
      prompt: QUICK.prompt,
      width: 64,
      height: 128,
      count: 1,
      negative_prompt: 'people',
      seed: 7,
      guidance_scale: 3.5,
      user: 'ada',
      tags: ['one', 'two'],
      metadata: { order: 42 },
      priority: 'high',
      deadline_seconds: 60,
      max_cost: 0.04,
      fallback_models: ['sandbox/etching'],
      output_format: 'webp',
      output_compression: 80,
      background: 'opaque',
      style: 'hills',
      quality: 'draft',
    } as unknown as OpenAI.ImageGenerateParams
    expect(await sdk.images.generate({ ...extra, stream: false })).toMatchObject({
      size: '64x128',
      output_format: 'webp',
      background: 'opaque',
      quality: 'draft',
      user: 'ada',
      tags: ['one', 'two'],
      metadata: { order: 42 },
      negative_prompt: 'people',
      data: [{ seed: 7, width: 64, height: 128, mime_type: 'image/webp' }],
    })
  })

  it('gives out what signs the messages to an address that comes with it', async () => {
    const body = { ...QUICK, webhook_url: 'https://hooks.invalid/fox' }
    expect(await sdk.images.generate(body)).toMatchObject({ webhook_secret: expect.stringMatching(/^whsec_/) })
  })

  it('tells what is missing of a partial result beside what was made', async () => {
    const prompt = 'a red fox [[sandbox delay=0 fail-image=1]]'
    const answer = await sdk.images.generate({ ...QUICK, prompt, n: 2 })
    expect(answer.data).toHaveLength(1)
    expect(answer).toMatchObject({ usage: { cost: '0.040000' }, problems: [{ image_index: 1, billed: false }] })
  })
})

describe('a stream', () => {
  it('shows previews, then the picture with what it cost, in the official events', async () => {
    const prompt = 'a red fox in snow [[sandbox delay=60]]'
    const stream = await sdk.images.generate({ ...QUICK, prompt, stream: true, partial_images: 2 })
    const events = []
    for await (const event of stream) events.push(event)
    expect(events.at(-1)).toMatchObject({
      type: 'image_generation.completed',
      size: '64x64',
      output_format: 'png',
      usage: { cost: '0.040000' },
    })
    const partials = events.slice(0, -1)
    expect(partials.length).toBeGreaterThan(0)
    expect(new Set(partials.map(({ type }) => type))).toEqual(new Set(['image_generation.partial_image']))
    for (const { b64_json } of events) {
      expect(await probeImage(Buffer.from(b64_json, 'base64'))).toMatchObject({ width: 64, height: 64 })
    }
  })

  it('tells of each picture as it comes, and of the use of all in the last alone', async () => {
    const stream = await sdk.images.generate({ ...QUICK, n: 3, stream: true })
    const events = []
    for await (const event of stream) events.push(event)
    expect(events).toMatchObject([
      { type: 'image_generation.completed', image_index: 0, usage: null },
      { type: 'image_generation.completed', image_index: 1, usage: null },
      { type: 'image_generation.completed', image_index: 2, usage: { cost: '0.120000' } },
    ])
  })

  it('is what the example shows, and the same under the same key', async () => {
    const prompt = 'a red fox in snow [[sandbox delay=60]]'
    const first = await paint(sdk, prompt, 'order-17')
    expect(first.previews).toBeGreaterThan(0)
    expect(await probeImage(first.image)).toMatchObject({ mimeType: 'image/png' })
    const again = await paint(sdk, prompt, 'order-17')
    expect(again.image.equals(first.image)).toBe(true)
  })

  it('ends with an error that the SDK throws', async () => {
    const stream = await sdk.images.generate({ ...QUICK, prompt: 'a [[sandbox delay=0 fail=refused]]', stream: true })
    const read = async () => {
      for await (const _ of stream);
    }
    expect(await failureOf(read())).toMatchObject({ code: 'moderation_blocked', type: 'image_generation_user_error' })
  })
})

describe('images.edit', () => {
  const file = (bytes: Uint8Array) => new File([new Uint8Array(bytes)], 'fox.png', { type: 'image/png' })
  const picture = () => file(createTinyPng(3))

  it('starts from pictures and a mask of a form', async () => {
    const glass = { width: 4, height: 4, channels: 4, background: '#0000' } as const
    const mask = file(await sharp({ create: glass }).png().toBuffer())
    const answer = await sdk.images.edit({ image: [picture(), picture()], mask, ...QUICK })
    expect(answer).toMatchObject({ status: 'completed', data: [{ width: 64, height: 64 }] })
  })

  it('streams in the events of edits', async () => {
    const types = []
    for await (const { type } of await sdk.images.edit({ image: picture(), ...QUICK, stream: true })) types.push(type)
    expect(types).toEqual(['image_edit.completed'])
  })

  it('starts from data URIs, and from ids of earlier images, in JSON', async () => {
    const made = await sdk.images.generate(QUICK)
    const [image] = (made.data ?? []) as readonly { id?: string }[]
    const uri = `data:image/png;base64,${Buffer.from(createTinyPng(4)).toString('base64')}`
    const body = { ...QUICK, images: [{ image_url: uri }, { file_id: image?.id }] }
    expect(await sdk.post('/images/edits', { body })).toMatchObject({ status: 'completed' })
  })
})

describe('errors', () => {
  it.each([
    [{ prompt: ' ' }, 400, 'prompt', 'invalid_value'],
    [{ ...QUICK, n: 1.5 }, 400, 'n', 'invalid_type'],
    [{ ...QUICK, n: 1_000_000 }, 400, 'n', 'invalid_value'],
    [{ ...QUICK, output_format: 'gif' }, 400, 'output_format', 'invalid_value'],
    [{ ...QUICK, promt: 'a fox' }, 400, 'promt', 'unknown_parameter'],
    [{ size: '64x64' }, 400, 'prompt', 'missing_required_parameter'],
    [{ ...QUICK, model: 'nobody/knows' }, 404, 'model', 'model_not_found'],
    [{ ...QUICK, aspect_ratio: '1:1' }, 400, 'size', 'invalid_value'],
    [{ ...QUICK, partial_images: 2 }, 400, 'partial_images', 'invalid_value'],
    [{ ...QUICK, max_cost: '0.01' }, 402, null, 'cost_limit'],
    [{ ...QUICK, model: 'sandbox/daguerreotype' }, 404, 'model', 'model_unavailable'],
    [{ ...QUICK, additional_params: { fast: true } }, 400, 'additional_params', 'invalid_value'],
  ])('%j is refused with %i at %s as %s', async (body, status, param, code) => {
    const error = await failureOf(sdk.images.generate(body as OpenAI.ImageGenerateParamsNonStreaming))
    expect(error).toMatchObject({ status, param, code, requestID: expect.any(String) })
  })

  it('tells all faults together', async () => {
    const body = { ...QUICK, size: '64x65', n: 50, seed: -1 } as OpenAI.ImageGenerateParamsNonStreaming
    const error = await failureOf(sdk.images.generate(body))
    expect(error.error).toMatchObject({ param: 'seed', errors: [{ param: 'seed' }] })
    const next = await failureOf(sdk.images.generate({ ...QUICK, size: '64x65', n: 50 }))
    const { errors } = next.error as { errors: readonly { param: string }[] }
    expect(errors.map(({ param }) => param).toSorted()).toEqual(['n', 'size'])
  })

  it('has classes of the SDK for a wrong key, a missing scope, an empty purse and what is asked too often', async () => {
    const reader = await createTestAccount(app.app, { scopes: ['read'] })
    const poor = await createTestAccount(app.app, { billing: 'PREPAID', creditMicros: 1 })
    const busy = await createTestAccount(app.app, { limits: { requestsPerMinute: 1 } })
    const asked = (secret: string) => failureOf(createSdk(app, secret).images.generate(QUICK))
    expect(await asked('pk_wrong')).toBeInstanceOf(OpenAI.AuthenticationError)
    expect(await asked(reader.secret)).toBeInstanceOf(OpenAI.PermissionDeniedError)
    expect(await asked(poor.secret)).toMatchObject({
      status: 402,
      code: 'insufficient_credits',
      error: { required: { amount: '0.040000' }, balance: { amount: '0.000001' } },
    })
    await createSdk(app, busy.secret).images.generate(QUICK)
    const limited = await asked(busy.secret)
    expect(limited).toBeInstanceOf(OpenAI.RateLimitError)
    expect(Number(limited.headers?.get('retry-after'))).toBeGreaterThan(0)
    expect(Number(limited.headers?.get('retry-after-ms'))).toBeGreaterThan(0)
    expect(limited.headers?.get('ratelimit')).toContain('"account";r=0')
  })

  it('names the generation that failed, and forbids to make another by itself', async () => {
    const failed = await failureOf(sdk.images.generate({ ...QUICK, prompt: 'a [[sandbox delay=0 fail=timeout]]' }))
    expect(failed).toBeInstanceOf(OpenAI.InternalServerError)
    expect(failed).toMatchObject({
      status: 504,
      error: { generation_id: expect.stringMatching(/^gen_/), billed: false },
    })
    expect(failed.headers?.get('x-should-retry')).toBe('false')
  })
})
