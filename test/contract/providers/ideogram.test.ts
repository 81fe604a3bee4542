import { describe, expect, it, onTestFinished } from 'vitest'
import { createIdeogramProvider } from '../../../src/providers/ideogram/ideogram-provider.ts'
import type { ImageProvider } from '../../../src/providers/provider.ts'
import { createIdeogramWire } from '../../support/wire/ideogram.ts'
import { createCall, describeProviderContract, rejectionOf } from '../provider-contract.ts'
import { connectionFailures, type Failure, failing } from './wire-failures.ts'
import { createProviderRequest, type RequestChanges, stageNobody, stageWire, wireDeps } from './wire-stage.ts'

const create = (origin: string) => createIdeogramProvider({ ...wireDeps(origin), apiKey: null })

/** As the worker meets a model whose calls leave no reference behind. */
function createAtOnce(origin: string): ImageProvider {
  const { resume: _, ...provider } = create(origin)
  return provider
}

const LEGACY: RequestChanges = { modelName: 'V_2', wire: { api: 'generate' }, parameters: { aspectRatio: '16:9' } }
const V3: RequestChanges = { modelName: 'ideogram-v3', wire: { api: 'v3' }, parameters: { aspectRatio: '16:9' } }
const JOBS: RequestChanges = { modelName: 'ideogram-4-5', wire: { api: 'generations' } }

function stage(form: RequestChanges, modes: readonly string[], changes: RequestChanges = {}) {
  const parameters = { ...form.parameters, ...changes.parameters }
  const request = createProviderRequest({ ...form, ...changes, parameters })
  const isJobs = form === JOBS
  const provider = isJobs ? create : createAtOnce
  return () => stageWire({ vendor: createIdeogramWire, provider, request, modes, calls: isJobs ? request.count : 1 })
}

async function arrange(form: RequestChanges, modes: readonly string[], changes: RequestChanges = {}) {
  const staged = await stage(form, modes, changes)()
  onTestFinished(staged.close)
  return { ...staged, ...createCall() }
}

const failingAs = (form: RequestChanges) => failing((mode) => stage(form, [mode]))

function failuresOfEvery(form: RequestChanges): readonly Failure[] {
  const fails = failingAs(form)
  const nobody = () => stageNobody(form === JOBS ? create : createAtOnce, createProviderRequest(form))
  return [
    ...connectionFailures((mode) => stage(form, [mode]), nobody),
    fails('refused', 'REFUSED', 'ANSWERED', { providerBilled: false }),
    fails('unsafe=0', 'REFUSED', 'ANSWERED', { providerBilled: true, providerCode: 'is_image_safe' }),
    fails('unsafe=0 link=empty', 'REFUSED', 'ANSWERED', { providerBilled: true }),
    fails('unsafe=0 link=kept', 'REFUSED', 'ANSWERED', { providerBilled: true }),
    fails('unauthorized', 'UNAUTHORIZED', 'NOT_ACCEPTED'),
    fails('forbidden', 'UNAUTHORIZED', 'NOT_ACCEPTED'),
    fails('quota', 'QUOTA_EXHAUSTED', 'NOT_ACCEPTED', { providerCode: 'insufficient_funds', providerBilled: false }),
    fails('daily_limit', 'QUOTA_EXHAUSTED', 'NOT_ACCEPTED', { providerCode: 'daily_limit', providerBilled: false }),
    fails('rate_limited', 'RATE_LIMITED', 'NOT_ACCEPTED', { providerCode: 'inflight_limit', providerBilled: false }),
    fails('rate_limited retry-after=2', 'RATE_LIMITED', 'NOT_ACCEPTED', { retryAfterMs: 2000 }),
    fails('unavailable', 'UNAVAILABLE', 'NOT_ACCEPTED', { providerBilled: false }),
    fails('server_error', 'UNAVAILABLE', 'ANSWERED', { providerBilled: false }),
    fails('gateway', 'TIMEOUT', 'UNKNOWN', { providerBilled: null }),
    fails('invalid', 'INVALID_REQUEST', 'ANSWERED', { providerBilled: false }),
    fails('too_large', 'INVALID_REQUEST', 'ANSWERED', { providerBilled: false }),
    fails('retired', 'MODEL_RETIRED', 'ANSWERED', { providerBilled: false }),
    fails('expired', 'BAD_OUTPUT', 'ANSWERED', { providerBilled: true }),
    fails('private_url', 'BAD_OUTPUT', 'ANSWERED', { providerBilled: true }),
  ]
}

for (const [name, form] of [
  ['Ideogram on /generate', LEGACY],
  ['Ideogram on v3', V3],
] as const) {
  const fails = failingAs(form)
  describeProviderContract(name, {
    complete: async () => ({
      ...(await stage(form, ['ok'], { count: 3 })()),
      expected: { mimeType: 'image/png', width: 320, height: 180 },
    }),
    fewer: async () => ({ ...(await stage(form, ['unsafe=1'], { count: 3 })()), made: [0, 2] }),
    silence: stage(form, ['hang']),
    failures: [
      ...failuresOfEvery(form),
      fails('dataless', 'BAD_OUTPUT', 'ANSWERED', { providerBilled: null }),
      fails('fewer=1', 'BAD_OUTPUT', 'ANSWERED', { providerBilled: null }),
      fails('unlinked', 'BAD_OUTPUT', 'ANSWERED', { providerBilled: null }),
    ],
  })
}

const failsAsJob = failingAs(JOBS)
describeProviderContract('Ideogram on the new API', {
  complete: async () => ({
    ...(await stage(JOBS, ['ok flaky=1', 'ok polls=4', 'ok'], { count: 3 })()),
    expected: { mimeType: 'image/png', width: 256, height: 256 },
  }),
  fewer: async () => ({ ...(await stage(JOBS, ['ok', 'unsafe=0', 'ok'], { count: 3 })()), made: [0, 2] }),
  silence: stage(JOBS, ['ok held=job']),
  failures: [
    ...failuresOfEvery(JOBS),
    failsAsJob('failed', 'UNAVAILABLE', 'ANSWERED', { providerCode: 'sampler', providerBilled: null }),
    failsAsJob('failed_status', 'UNAVAILABLE', 'ANSWERED', { providerCode: 'FAILED', providerBilled: null }),
    failsAsJob('refused_job', 'REFUSED', 'ANSWERED', { providerBilled: false }),
    failsAsJob('gone', 'INVALID_REQUEST', 'UNKNOWN', { providerBilled: null }),
    failsAsJob('locked', 'UNAUTHORIZED', 'UNKNOWN', { providerBilled: null }),
    failsAsJob('unnamed', 'BAD_OUTPUT', 'ANSWERED', { providerBilled: null }),
  ],
})

const EVERYTHING: RequestChanges = {
  negativePrompt: 'blur',
  count: 2,
  parameters: { seed: 7, style: 'DESIGN', enhancePrompt: false },
}

describe('Ideogram on the wire', () => {
  it('puts everything into image_request', async () => {
    const { provider, request, wire, call } = await arrange(LEGACY, ['ok'], {
      ...EVERYTHING,
      parameters: { ...EVERYTHING.parameters, providerOptions: { color_palette: { name: 'EMBER' } } },
    })
    await provider.generate(request, call)
    expect(wire.billable[0]?.json).toEqual({
      image_request: {
        prompt: 'a red fox in snow',
        model: 'V_2',
        aspect_ratio: 'ASPECT_16_9',
        magic_prompt_option: 'OFF',
        seed: 7,
        style_type: 'DESIGN',
        negative_prompt: 'blur',
        num_images: 2,
        color_palette: { name: 'EMBER' },
      },
    })
    expect(wire.billable[0]?.headers['api-key']).toBeDefined()
  })

  it('asks for a resolution in place of a ratio where it has one', async () => {
    const size = { width: 1024, height: 1024, aspectRatio: '1:1' }
    const { provider, request, wire, call } = await arrange(LEGACY, ['ok'], { parameters: size })
    await provider.generate(request, call)
    const resolution = 'RESOLUTION_1024_1024'
    expect(wire.billable[0]?.json).toEqual({
      image_request: { prompt: 'a red fox in snow', model: 'V_2', resolution, num_images: 1 },
    })
  })

  it('sends v3 a form', async () => {
    const { provider, request, wire, call } = await arrange(V3, ['ok'], {
      ...EVERYTHING,
      parameters: {
        seed: 7,
        quality: 'TURBO',
        enhancePrompt: true,
        providerOptions: {
          style_codes: ['AAFF5733', '0133FF57'],
          style_preset: 'POP_ART',
          color_palette: { name: 'JUNGLE' },
        },
      },
    })
    await provider.generate(request, call)
    expect([...((await wire.billable[0]?.form()) ?? [])]).toEqual([
      ['prompt', 'a red fox in snow'],
      ['aspect_ratio', '16x9'],
      ['rendering_speed', 'TURBO'],
      ['magic_prompt', 'ON'],
      ['negative_prompt', 'blur'],
      ['seed', '7'],
      ['num_images', '2'],
      ['style_codes', 'AAFF5733'],
      ['style_codes', '0133FF57'],
      ['style_preset', 'POP_ART'],
      ['color_palette', '{"name":"JUNGLE"}'],
    ])
  })

  it('sends the new API a prompt and no other field that nobody has stated', async () => {
    const { provider, request, wire, call } = await arrange(JOBS, ['ok', 'ok'], { count: 2 })
    await provider.generate(request, call)
    expect(wire.billable.map(({ path, json }) => ({ path, json }))).toEqual(
      [0, 1].map(() => ({
        path: '/v2/image/generate/ideogram-4-5',
        json: { prompt: 'a red fox in snow', async: true },
      })),
    )
  })

  it.each([
    ['/generate', LEGACY],
    ['v3', V3],
  ])('tells of %s the seed of each picture, and the prompt where it was rewritten', async (_name, form) => {
    const rewriting = await arrange(form, ['jpeg'], { count: 2, parameters: { enhancePrompt: true, seed: 7 } })
    await rewriting.provider.generate(rewriting.request, rewriting.call)
    const revisedPrompt = 'A detailed picture of a red fox in snow'
    expect([...rewriting.log.images].sort((left, right) => left.index - right.index)).toMatchObject([
      { index: 0, seed: 7, revisedPrompt },
      { index: 1, seed: 8, revisedPrompt },
    ])
    const plain = await arrange(form, ['ok'])
    await plain.provider.generate(plain.request, plain.call)
    expect(plain.log.images).toMatchObject([{ seed: 1234, revisedPrompt: null }])
  })

  it('hands over the safe pictures and says that the one held back was billed', async () => {
    const { provider, request, wire, call, log } = await arrange(LEGACY, ['unsafe=1 link=kept'], { count: 3 })
    const output = await provider.generate(request, call)
    expect(log.images).toHaveLength(2)
    expect(output.failures).toMatchObject([
      { imageIndex: 1, error: { kind: 'REFUSED', delivery: 'ANSWERED', providerBilled: true } },
    ])
    expect(wire.requests.filter(({ path }) => path.endsWith('/1.png'))).toEqual([])
  })

  it('leaves open what became of pictures that the answer does not list', async () => {
    const { provider, request, call, log } = await arrange(V3, ['fewer=1'], { count: 3 })
    const output = await provider.generate(request, call)
    expect(log.images).toHaveLength(2)
    expect(output.failures).toEqual([])
  })

  it('sends no key to where the pictures lie', async () => {
    for (const form of [LEGACY, V3, JOBS]) {
      const { provider, request, wire, call } = await arrange(form, ['ok'])
      await provider.generate(request, call)
      const pictures = wire.requests.filter(({ path }) => path.startsWith('/ephemeral/'))
      expect(pictures.map(({ origin, headers }) => [origin, headers['api-key']])).toEqual([
        [wire.secondOrigin, undefined],
      ])
    }
  })

  it('names the generation to whom it may concern', async () => {
    for (const mode of ['failed', 'refused_job', 'gone', 'unsafe=0']) {
      const { provider, request, call, log } = await arrange(JOBS, [mode])
      const error = await rejectionOf(provider.generate(request, call))
      expect(error).toMatchObject({ providerRequestId: log.reference?.jobId })
    }
  })

  it('submits no further job once the vendor takes no more, and keeps those that it took', async () => {
    const { provider, request, wire, call, log } = await arrange(JOBS, ['ok', 'rate_limited'], { count: 4 })
    const output = await provider.generate(request, call)
    expect(log.images.map(({ index }) => index)).toEqual([0])
    expect(output.failures.map(({ imageIndex, error }) => [imageIndex, error.kind, error.delivery])).toEqual(
      [1, 2, 3].map((index) => [index, 'RATE_LIMITED', 'NOT_ACCEPTED']),
    )
    expect(wire.billable).toHaveLength(2)
  })

  it('does not ask after a job whose reference it cannot read, and sends nothing', async () => {
    const { wire, request, call, log } = await arrange(LEGACY, [])
    const error = await rejectionOf(Promise.resolve(create(wire.origin).resume?.({ jobId: 'x' }, request, call)))
    expect(error).toMatchObject({ name: 'ProviderError', delivery: 'UNKNOWN', providerBilled: null })
    expect(wire.requests).toEqual([])
    expect(log.steps).toEqual([])
  })

  it('follows what was taken and sends no more where the model is now asked in another form', async () => {
    const before = await arrange(JOBS, ['ok'])
    await before.provider.generate(before.request, before.call)
    const job = { id: before.log.reference?.jobId ?? '' }
    const reference = { jobId: job.id, parts: [{ state: 'TAKEN', job }, { state: 'UNSENT' }] }
    const { call, log } = createCall()
    const request = createProviderRequest({ ...LEGACY, count: 2 })
    const output = await before.provider.resume?.(reference, request, call)
    expect(log.images.map(({ index }) => index)).toEqual([0])
    expect(output?.failures).toMatchObject([{ imageIndex: 1, error: { delivery: 'NOT_SENT', providerBilled: false } }])
    expect(before.wire.billable).toHaveLength(1)
  })

  it('sends nothing for a model whose form of the API is not known', async () => {
    const { provider, request, wire, call, log } = await arrange({ modelName: 'V_9', wire: {} }, [])
    const error = await rejectionOf(provider.generate(request, call))
    expect(error).toMatchObject({ kind: 'INVALID_REQUEST', delivery: 'NOT_SENT' })
    expect(wire.requests).toEqual([])
    expect(log.steps).toEqual([])
  })
})
