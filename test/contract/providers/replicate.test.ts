import { describe, expect, it, vi } from 'vitest'
import { REPLICATE_MODELS } from '../../../src/providers/catalog/replicate.ts'
import type { ReferenceImage } from '../../../src/providers/provider.ts'
import { createReplicateProvider } from '../../../src/providers/replicate/replicate-provider.ts'
import { Secret } from '../../../src/secret.ts'
import { createReplicateWire, WIRE_VERSION } from '../../support/wire/replicate.ts'
import { createCall, describeProviderContract, rejectionOf } from '../provider-contract.ts'
import { connectionFailures, type Failure, failing } from './wire-failures.ts'
import { createProviderRequest, createStaging, type RequestChanges, wireDeps } from './wire-stage.ts'

const create = (origin: string) => {
  const deps = wireDeps(origin)
  return createReplicateProvider({ ...deps, baseUrl: `${deps.baseUrl}/v1`, apiKey: null })
}

const PRO = 'black-forest-labs/flux-1.1-pro'
const DEV = 'black-forest-labs/flux-dev'
const wireOf = (name: string) => REPLICATE_MODELS.find(({ providerModel }) => providerModel === name)?.wire ?? {}
const REFERENCE: ReferenceImage = { bytes: Buffer.from('one'), mimeType: 'image/png', width: 1, height: 1 }

function request(changes: RequestChanges = {}) {
  const modelName = changes.modelName ?? PRO
  const parameters = { width: 256, height: 320, outputFormat: 'JPEG' as const, ...changes.parameters }
  return createProviderRequest({ wire: wireOf(modelName), ...changes, modelName, parameters })
}

const { stage, arrange, nobody, open } = createStaging({ vendor: createReplicateWire, provider: create, request })

const RATIO = { width: null, height: null, aspectRatio: '3:2' }

const fails = failing(arrange)

const FAILURES: readonly Failure[] = [
  ...connectionFailures(arrange, nobody),
  fails('unauthorized', 'UNAUTHORIZED', 'NOT_ACCEPTED', { providerCode: 'Unauthenticated' }),
  fails('forbidden', 'UNAUTHORIZED', 'NOT_ACCEPTED'),
  fails('quota', 'QUOTA_EXHAUSTED', 'NOT_ACCEPTED', { providerCode: 'Insufficient credit' }),
  fails('rate_limited', 'RATE_LIMITED', 'NOT_ACCEPTED'),
  fails('rate_limited retry-after=2', 'RATE_LIMITED', 'NOT_ACCEPTED', { retryAfterMs: 2000 }),
  fails('rate_limited told=3', 'RATE_LIMITED', 'NOT_ACCEPTED', { retryAfterMs: 3000 }),
  fails('rate_limited retry-after=2 told=3', 'RATE_LIMITED', 'NOT_ACCEPTED', { retryAfterMs: 2000 }),
  fails('unavailable', 'UNAVAILABLE', 'NOT_ACCEPTED'),
  fails('server_error', 'UNAVAILABLE', 'ANSWERED', { providerBilled: null }),
  fails('invalid', 'INVALID_REQUEST', 'ANSWERED', { providerBilled: false }),
  fails('retired', 'MODEL_RETIRED', 'ANSWERED', { providerBilled: false }),
  fails('no_version', 'MODEL_RETIRED', 'ANSWERED', { providerBilled: false }),
  fails('refused', 'REFUSED', 'ANSWERED', { providerCode: 'failed', providerBilled: null }),
  fails('failed', 'UNAVAILABLE', 'ANSWERED', { providerCode: 'failed', providerBilled: null }),
  fails('canceled', 'UNAVAILABLE', 'ANSWERED', { providerCode: 'canceled', providerBilled: null }),
  fails('aborted', 'UNAVAILABLE', 'ANSWERED', { providerCode: 'aborted', providerBilled: null }),
  fails('removed', 'BAD_OUTPUT', 'ANSWERED', { providerCode: 'data_removed', providerBilled: true }),
  fails('unreadable', 'BAD_OUTPUT', 'ANSWERED', { providerBilled: null }),
  fails('expired', 'BAD_OUTPUT', 'ANSWERED', { providerBilled: true }),
  fails('private_url', 'BAD_OUTPUT', 'ANSWERED', { providerBilled: true }),
  fails('lost', 'INVALID_REQUEST', 'UNKNOWN', { providerBilled: null }),
  fails('taken', 'UNAUTHORIZED', 'UNKNOWN', { providerBilled: null }),
]

describeProviderContract('Replicate, one prediction an image,', {
  complete: async () => ({
    ...(await stage(['ok flaky=1'], { count: 3 }, { calls: 3 })()),
    expected: { mimeType: 'image/jpeg', width: 256, height: 320 },
  }),
  fewer: async () => ({ ...(await stage(['ok', 'refused', 'ok'], { count: 3 })()), made: [0, 2] }),
  silence: stage(['ok held=job']),
  failures: FAILURES,
})

describeProviderContract('Replicate, one prediction for all images,', {
  complete: async () => ({
    ...(await stage(['ok'], { modelName: DEV, parameters: RATIO, count: 3 })()),
    expected: { mimeType: 'image/jpeg', width: 192, height: 128 },
  }),
  fewer: async () => ({
    ...(await stage(['ok fewer=2'], { modelName: DEV, parameters: RATIO, count: 3 })()),
    made: [0, 1],
  }),
  silence: stage(['ok held=job'], { modelName: DEV, parameters: RATIO, count: 3 }),
  failures: [],
})

describe('Replicate on the wire', () => {
  it('sends what the catalogue says of an official model, and does not have it wait', async () => {
    const parameters = { seed: 7, enhancePrompt: true, outputCompression: 90, providerOptions: { safety_tolerance: 5 } }
    const { provider, request: asked, wire } = await open('ok', { parameters, referenceImages: [REFERENCE] })
    await provider.generate(asked, createCall().call)
    expect(wire.billable[0]?.path).toBe('/v1/models/black-forest-labs/flux-1.1-pro/predictions')
    expect(wire.billable[0]?.json).toEqual({
      input: {
        prompt: 'a red fox in snow',
        aspect_ratio: 'custom',
        width: 256,
        height: 320,
        seed: 7,
        output_format: 'jpg',
        output_quality: 90,
        prompt_upsampling: true,
        image_prompt: 'data:image/png;base64,b25l',
        safety_tolerance: 5,
      },
    })
    expect(wire.billable[0]?.headers.prefer).toBeUndefined()
  })

  it('names a model that is no official one by its version', async () => {
    const {
      provider,
      request: asked,
      wire,
    } = await open('ok', {
      modelName: 'somebody/something',
      wire: { version: WIRE_VERSION, input: { prompt: '{prompt}', output_format: '{outputFormat}' } },
      parameters: { width: null, height: null, outputFormat: 'PNG' },
    })
    const { call, log } = createCall()
    await provider.generate(asked, call)
    expect(wire.billable[0]?.path).toBe('/v1/predictions')
    expect(wire.billable[0]?.json).toEqual({
      version: WIRE_VERSION,
      input: { prompt: 'a red fox in snow', output_format: 'png' },
    })
    expect(log.images).toHaveLength(1)
  })

  it.each(REPLICATE_MODELS.map((model) => [model.id, model] as const))(
    'has an entry that the model takes: %s',
    async (_, { providerModel: modelName, wire, capabilities, nativeFormats }) => {
      const isSized = capabilities.width !== null
      const parameters = {
        ...(isSized ? { width: 1024, height: 1024 } : RATIO),
        seed: capabilities.seed ? 7 : null,
        guidanceScale: capabilities.guidanceScale ? 3 : null,
        outputFormat: nativeFormats[0] ?? null,
        outputCompression: capabilities.outputCompression ? 80 : null,
      }
      const referenceImages = Array.from({ length: capabilities.maxReferenceImages }, () => REFERENCE)
      const { provider, request: asked } = await open('ok', { modelName, wire, parameters, referenceImages })
      const { call, log } = createCall()
      expect((await provider.generate(asked, call)).failures).toEqual([])
      expect(log.images).toMatchObject([{ index: 0, seed: parameters.seed }])
    },
  )

  it('asks at the addresses that it was given, and sends no key to where the pictures lie', async () => {
    const { provider, request: asked, wire } = await open('moved', { modelName: DEV, parameters: RATIO, count: 2 })
    await provider.generate(asked, createCall().call)
    const asking = wire.requests.filter(({ path }) => path.startsWith('/v1/predictions/'))
    expect(new Set(asking.map(({ origin }) => origin))).toEqual(new Set([wire.secondOrigin]))
    const files = wire.requests.filter(({ path }) => path.startsWith('/files/'))
    expect(files).toHaveLength(2)
    for (const { headers } of files) expect(headers.authorization).toBeUndefined()
  })

  it.each(['foreign', 'unnamed', 'inline'])('gets its picture all the same: %s', async (mode) => {
    const { provider, request: asked } = await open(mode)
    const { call, log } = createCall()
    await provider.generate(asked, call)
    expect(log.images).toHaveLength(1)
  })

  it('tells that the model starts, then the progress of the run', async () => {
    const { provider, request: asked } = await open('ok polls=3')
    const told: unknown[] = []
    const { call } = createCall()
    await provider.generate(asked, { ...call, onProgress: (update) => void told.push(update) })
    expect(told).toEqual([
      { progress: null, message: 'Replicate is starting the model.' },
      { progress: 0.5, message: '50%|█████     | 2/4' },
      { progress: 1 },
    ])
  })

  it('gives each of several predictions a seed of its own', async () => {
    const { provider, request: asked, wire } = await open('ok', { count: 3, parameters: { seed: 40 } })
    const { call, log } = createCall()
    await provider.generate(asked, call)
    expect(wire.billable.map(({ json }) => json)).toMatchObject([40, 41, 42].map((seed) => ({ input: { seed } })))
    expect(log.images.map(({ index, seed }) => [index, seed]).toSorted()).toEqual([0, 1, 2].map((n) => [n, 40 + n]))
  })

  it('takes words for a refusal only where they can hardly mean anything else', async () => {
    const { provider, request: asked } = await open('failed')
    const error = await rejectionOf(provider.generate(asked, createCall().call))
    expect(error).toMatchObject({ kind: 'UNAVAILABLE' })
    expect(String(error)).toContain('It says: CUDA out of memory')
  })

  it('sends nothing for an entry that has no place for a setting', async () => {
    const { provider, request: asked, wire } = await open('ok', { wire: {} })
    await expect(provider.generate(asked, createCall().call)).rejects.toMatchObject({
      kind: 'INVALID_REQUEST',
      delivery: 'NOT_SENT',
    })
    expect(wire.requests).toEqual([])
  })

  it("shows the caller's own key, and none that lies about in the environment", async () => {
    vi.stubEnv('REPLICATE_API_TOKEN', 'of-the-environment')
    const { provider, request: asked, wire } = await open('ok')
    const { call } = createCall()
    await provider.generate(asked, call)
    const shown = wire.requests.flatMap(({ headers }) => headers.authorization ?? [])
    expect(new Set(shown)).toEqual(new Set([`Bearer ${call.apiKey?.reveal()}`]))
  })
})

describe('Canceling at Replicate', () => {
  const ending = { apiKey: new Secret('key'), signal: new AbortController().signal }

  async function accept(mode: string) {
    const staged = await open([mode, mode], { count: 2 })
    const left = new AbortController()
    const { call, log } = createCall({
      signal: left.signal,
      onAccepted: async () => {
        if (staged.wire.billable.length === 2) left.abort()
      },
    })
    await staged.provider.generate(staged.request, call).catch(() => undefined)
    return { ...staged, reference: JSON.parse(JSON.stringify(log.reference)) }
  }

  it('stops every prediction that was taken', async () => {
    const { provider, wire, reference } = await accept('ok held=job')
    await provider.cancel?.(reference, ending)
    expect(wire.requests.filter(({ path }) => path.endsWith('/cancel'))).toHaveLength(2)
    expect(wire.billable).toHaveLength(2)
  })

  it('takes it for stopped when there is nothing left to stop', async () => {
    const { provider, reference } = await accept('lost')
    await expect(provider.cancel?.(reference, ending)).resolves.toBeUndefined()
  })

  it('says when it could not be asked', async () => {
    const { provider, reference } = await accept('ok held=job')
    const without = { ...ending, apiKey: new Secret('no key') }
    await expect(provider.cancel?.(reference, without)).rejects.toMatchObject({ kind: 'UNAUTHORIZED' })
  })
})
