import { describe, expect, it } from 'vitest'
import { createOpenaiCompatibleProvider } from '../../../src/providers/openai-compatible/openai-compatible-provider.ts'
import { Secret } from '../../../src/secret.ts'
import { type CompatibleEngine, createOpenaiCompatibleWire } from '../../support/wire/openai-compatible.ts'
import type { WireSetting } from '../../support/wire/wire-server.ts'
import { createCall, describeProviderContract, rejectionOf } from '../provider-contract.ts'
import { connectionFailures, type Failure } from './wire-failures.ts'
import { createProviderRequest, createStaging, type RequestChanges, wireDeps } from './wire-stage.ts'

const create = (origin: string) =>
  createOpenaiCompatibleProvider({
    ...wireDeps(origin),
    baseUrl: `${origin}/v1`,
    id: 'rack',
    name: 'Rack',
    apiKey: new Secret('of-the-server'),
  })

function request(changes: RequestChanges = {}) {
  const parameters = { width: 128, height: 192, outputFormat: 'PNG' as const, ...changes.parameters }
  return createProviderRequest({ modelName: 'qwen-image', ...changes, parameters })
}

type Options = Parameters<typeof createOpenaiCompatibleWire>[1]
/** The same server with other settings of its own. */
const as = (options: Options) => ({
  vendor: (setting: WireSetting) => createOpenaiCompatibleWire(setting, options),
})
const { stage, arrange, nobody, open } = createStaging({ ...as({}), provider: create, request })

type More = Partial<Failure> & { readonly engine?: CompatibleEngine }
const fails = (
  mode: string,
  kind: Failure['kind'],
  delivery: Failure['delivery'],
  { engine = 'vllm-omni', ...more }: More = {},
): Failure => ({ title: `${mode} of ${engine}`, arrange: stage([mode], {}, as({ engine })), kind, delivery, ...more })

const REFUSED = { providerRequestId: 'req_1', providerBilled: false } as const

describeProviderContract('An OpenAI-compatible server', {
  complete: async () => ({
    ...(await stage(['ok'], { count: 3 })()),
    expected: { mimeType: 'image/png', width: 128, height: 192 },
  }),
  fewer: async () => ({ ...(await stage(['ok images=2'], { count: 3 })()), made: [0, 1] }),
  silence: stage(['hang']),
  failures: [
    ...connectionFailures(arrange, nobody),
    ...(['sd-server', 'localai', 'vllm-omni'] as const).flatMap((engine) => [
      fails('invalid', 'INVALID_REQUEST', 'ANSWERED', { engine, ...REFUSED }),
      fails('server_error', 'UNAVAILABLE', 'ANSWERED', { engine, providerRequestId: 'req_1', providerBilled: null }),
      fails('unavailable', 'UNAVAILABLE', 'NOT_ACCEPTED', { engine, ...REFUSED }),
      fails('retired_plain', 'MODEL_RETIRED', 'ANSWERED', { engine, ...REFUSED }),
    ]),
    fails('unauthorized', 'UNAUTHORIZED', 'NOT_ACCEPTED', { providerCode: 'invalid_api_key' }),
    fails('rate_limited', 'RATE_LIMITED', 'NOT_ACCEPTED', { providerCode: 'rate_limit_exceeded' }),
    fails('rate_limited retry-after=2', 'RATE_LIMITED', 'NOT_ACCEPTED', { retryAfterMs: 2000 }),
    fails('quota', 'QUOTA_EXHAUSTED', 'NOT_ACCEPTED', { providerCode: 'insufficient_quota', providerBilled: false }),
    fails('refused', 'REFUSED', 'ANSWERED', { providerCode: 'content_policy_violation', ...REFUSED }),
    fails('refused_output', 'REFUSED', 'ANSWERED', { providerCode: 'moderation_blocked', ...REFUSED }),
    fails('retired', 'MODEL_RETIRED', 'ANSWERED', { providerCode: 'model_not_found', ...REFUSED }),
    fails('no_images', 'BAD_OUTPUT', 'ANSWERED', { providerRequestId: 'req_1', providerBilled: null }),
    fails('ok link=private', 'BAD_OUTPUT', 'ANSWERED', { providerBilled: true }),
    fails('ok link=gone', 'BAD_OUTPUT', 'ANSWERED', { providerBilled: true }),
  ],
})

describe('an OpenAI-compatible server on the wire', () => {
  it('is sent nothing but what every one of them takes', async () => {
    const { provider, request: asked, wire } = await open('ok', { count: 2 })
    await provider.generate(asked, createCall().call)
    expect(wire.billable[0]?.path).toBe('/v1/images/generations')
    expect(wire.billable[0]?.json).toEqual({ model: 'qwen-image', prompt: 'a red fox in snow', n: 2, size: '128x192' })
  })

  it('is sent the fields that its entry names', async () => {
    const {
      provider,
      request: asked,
      wire,
    } = await open('ok', {
      wire: { fields: ['negative_prompt', 'seed', 'true_cfg_scale', 'response_format'] },
      negativePrompt: 'rain',
      parameters: { seed: 7, guidanceScale: 4.5, providerOptions: { num_inference_steps: 20 } },
    })
    const { call, log } = createCall()
    await provider.generate(asked, call)
    expect(wire.billable[0]?.json).toMatchObject({
      negative_prompt: 'rain',
      seed: 7,
      true_cfg_scale: 4.5,
      response_format: 'b64_json',
      num_inference_steps: 20,
    })
    expect(log.images).toMatchObject([{ seed: 7, revisedPrompt: 'a red fox, revised' }])
  })

  it('leaves out the fields of its entry that nobody asked for', async () => {
    const fields = ['negative_prompt', 'seed', 'guidance_scale', 'quality']
    const { provider, request: asked, wire } = await open('ok', { wire: { fields } })
    await provider.generate(asked, createCall().call)
    expect(Object.keys(wire.billable[0]?.json ?? {})).toEqual(['model', 'prompt', 'n', 'size'])
  })

  it('is sent settings inside the prompt where it reads them there', async () => {
    const {
      provider,
      request: asked,
      wire,
    } = await open(
      'ok',
      {
        wire: { fields: ['seed', 'output_format'], extraArgs: true },
        parameters: { seed: 7, outputFormat: 'WEBP', providerOptions: { sample_steps: 8 } },
      },
      as({ engine: 'sd-server' }),
    )
    const { call, log } = createCall()
    await provider.generate(asked, call)
    expect(wire.billable[0]?.json).toMatchObject({
      prompt: 'a red fox in snow<sd_cpp_extra_args>{"seed":7,"sample_steps":8}</sd_cpp_extra_args>',
      output_format: 'webp',
    })
    expect(log.images).toHaveLength(1)
  })

  it('is sent the negative prompt behind a pipe where it reads it there', async () => {
    const changes = { wire: { negative: 'pipe' }, negativePrompt: 'rain' }
    const { provider, request: asked, wire } = await open('ok', changes, as({ engine: 'localai' }))
    await provider.generate(asked, createCall().call)
    expect(wire.billable[0]?.json).toMatchObject({ prompt: 'a red fox in snow|rain' })
  })

  it('is sent pictures and mask as files', async () => {
    const picture = (text: string) =>
      ({ bytes: Buffer.from(text), mimeType: 'image/webp', width: 1, height: 1 }) as const
    const {
      provider,
      request: asked,
      wire,
    } = await open('ok', {
      wire: { edits: 'image[]', fields: ['seed'] },
      parameters: { seed: 7 },
      referenceImages: [picture('one'), picture('two')],
      mask: { ...picture('mask'), mimeType: 'image/png' },
    })
    await provider.generate(asked, createCall().call)
    const [sent] = wire.billable
    expect(sent?.path).toBe('/v1/images/edits')
    const form = await sent?.form()
    const files = form?.getAll('image[]') as File[]
    expect(await Promise.all(files.map((file) => file.text()))).toEqual(['one', 'two'])
    expect(files.map(({ name, type }) => [name, type])).toEqual([
      ['image-1.webp', 'image/webp'],
      ['image-2.webp', 'image/webp'],
    ])
    expect(form?.get('mask')).toMatchObject({ name: 'mask.png', type: 'image/png' })
    expect(['model', 'prompt', 'n', 'size', 'seed'].map((name) => form?.get(name))).toEqual([
      'qwen-image',
      'a red fox in snow',
      '1',
      '128x192',
      '7',
    ])
  })

  it.each([
    ['a seed', { parameters: { seed: 1 } }, '`seed`'],
    ['a negative prompt', { negativePrompt: 'rain' }, '`negativePrompt`'],
    ['another format', { parameters: { outputFormat: 'JPEG' } }, '`outputFormat`'],
    ['a ratio alone', { parameters: { aspectRatio: '1:1', width: null, height: null } }, '`aspectRatio`'],
    ['a watermark', { parameters: { watermark: false } }, '`watermark`'],
    ['a pipe that is part of the prompt', { prompt: 'a|b', wire: { negative: 'pipe' } }, '"|"'],
    [
      'settings that a prompt brings along',
      { prompt: '<sd_cpp_extra_args>{}</sd_cpp_extra_args>', wire: { extraArgs: true } },
      'settings',
    ],
    [
      'pictures',
      { referenceImages: [{ bytes: Buffer.from('x'), mimeType: 'image/png', width: 1, height: 1 }] },
      'wire.edits',
    ],
    ['anything of a broken entry', { wire: { fields: ['steps'] } }, 'wire.fields'],
  ] as const)('is not asked where it cannot be told %s', async (_, changes, words) => {
    const { provider, request: asked, wire } = await open('ok', changes as RequestChanges)
    const { call, log } = createCall()
    const error = await rejectionOf(provider.generate(asked, call))
    expect(error).toMatchObject({
      kind: 'INVALID_REQUEST',
      delivery: 'NOT_SENT',
      message: expect.stringContaining(words),
    })
    expect(log.steps).toEqual([])
    expect(wire.requests).toEqual([])
  })

  it.each(['relative', 'absolute', 'data'])('hands over pictures that lie behind links: %s', async (link) => {
    const { provider, request: asked, wire } = await open(`ok link=${link}`, { count: 2 })
    const { call, log } = createCall()
    const { failures } = await provider.generate(asked, call)
    expect([log.images.length, failures]).toEqual([2, []])
    const fetched = wire.requests.filter(({ path }) => path.startsWith('/generated-images/'))
    expect(fetched.every(({ headers }) => headers.authorization === undefined)).toBe(true)
  })

  it('takes no more images than were asked for', async () => {
    const { provider, request: asked } = await open('ok extra=2', { count: 2 })
    const { call, log } = createCall()
    await provider.generate(asked, call)
    expect(log.images.map(({ index }) => index)).toEqual([0, 1])
  })

  it('tells of a picture that is none as the failure of its index', async () => {
    const { provider, request: asked } = await open('broken', { count: 3 })
    const { call, log } = createCall()
    const { failures } = await provider.generate(asked, call)
    expect(log.images.map(({ index }) => index)).toEqual([0, 2])
    expect(failures).toMatchObject([{ imageIndex: 1, error: { kind: 'BAD_OUTPUT', providerRequestId: 'req_1' } }])
  })

  it.each([
    [
      'ok usage=told',
      { inputTokens: 12, imageInputTokens: 8, outputTokens: null, imageOutputTokens: 100, totalTokens: 120 },
    ],
    ['ok', null],
  ])('tells the tokens that it counts, and none where it counts none: %s', async (mode, usage) => {
    const { provider, request: asked } = await open(mode)
    expect((await provider.generate(asked, createCall().call)).usage).toEqual(usage)
  })

  it('lists its models', async () => {
    const { provider } = await open('ok')
    const listed = await provider.listModels?.({ apiKey: null, signal: new AbortController().signal })
    expect(listed).toEqual(['sd-cpp-local', 'qwen-image'].map((name) => ({ name, shutsDownAt: null })))
  })
})

describe('the key of an OpenAI-compatible server', () => {
  it("is the server's own where the caller brings none", async () => {
    const { provider, request: asked } = await open('ok', {}, as({ key: 'of-the-server' }))
    const { call, log } = createCall()
    await provider.generate(asked, { ...call, apiKey: null })
    expect(log.images).toHaveLength(1)
  })

  it.each([
    ['billed, for all one knows, where one is shown', new Secret('a'), null],
    ['out of the question as a reason for a bill where none is shown', null, false],
  ])('makes a failed call %s', async (_, apiKey, providerBilled) => {
    const { wire } = await open('server_error')
    const deps = { ...wireDeps(wire.origin), baseUrl: `${wire.origin}/v1`, id: 'rack', name: 'Rack', apiKey }
    const provider = createOpenaiCompatibleProvider(deps)
    const error = await rejectionOf(provider.generate(request(), { ...createCall().call, apiKey: null }))
    expect(error).toMatchObject({ kind: 'UNAVAILABLE', delivery: 'ANSWERED', providerBilled })
    expect(wire.billable[0]?.headers.authorization).toBe(apiKey === null ? undefined : 'Bearer a')
  })
})
