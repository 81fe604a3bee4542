import { describe, expect, it, vi } from 'vitest'
import { FAL_MODELS } from '../../../src/providers/catalog/fal.ts'
import { createFalProvider } from '../../../src/providers/fal/fal-provider.ts'
import type { ReferenceImage } from '../../../src/providers/provider.ts'
import { Secret } from '../../../src/secret.ts'
import { createFalWire } from '../../support/wire/fal.ts'
import { createCall, describeProviderContract, rejectionOf } from '../provider-contract.ts'
import { connectionFailures, failing } from './wire-failures.ts'
import { createProviderRequest, createStaging, type RequestChanges, wireDeps } from './wire-stage.ts'

const create = (origin: string) => createFalProvider({ ...wireDeps(origin), apiKey: null })

const wireOf = (name: string) => FAL_MODELS.find(({ providerModel }) => providerModel === name)?.wire ?? {}

function request(changes: RequestChanges = {}) {
  const modelName = changes.modelName ?? 'fal-ai/flux/dev'
  const parameters = { width: 256, height: 320, outputFormat: 'PNG' as const, ...changes.parameters }
  return createProviderRequest({ wire: wireOf(modelName), ...changes, modelName, parameters })
}

const { stage, arrange, nobody, open } = createStaging({ vendor: createFalWire, provider: create, request })

const fails = failing(arrange)

describeProviderContract('fal', {
  complete: async () => ({
    ...(await stage(['ok flaky=1 early=1'], { count: 3 })()),
    expected: { mimeType: 'image/png', width: 256, height: 320 },
  }),
  fewer: async () => ({ ...(await stage(['ok flagged=1'], { count: 3 })()), made: [0, 2] }),
  silence: stage(['ok held=job']),
  failures: [
    ...connectionFailures(arrange, nobody),
    fails('unauthorized', 'UNAUTHORIZED', 'NOT_ACCEPTED'),
    fails('forbidden', 'UNAUTHORIZED', 'NOT_ACCEPTED'),
    fails('quota', 'QUOTA_EXHAUSTED', 'NOT_ACCEPTED'),
    fails('quota_402', 'QUOTA_EXHAUSTED', 'NOT_ACCEPTED'),
    fails('rate_limited', 'RATE_LIMITED', 'NOT_ACCEPTED'),
    fails('rate_limited retry-after=2', 'RATE_LIMITED', 'NOT_ACCEPTED', { retryAfterMs: 2000 }),
    fails('unavailable', 'UNAVAILABLE', 'NOT_ACCEPTED', { providerCode: 'runner_scheduling_failure' }),
    fails('server_error', 'UNAVAILABLE', 'ANSWERED', { providerCode: 'internal_error', providerBilled: false }),
    fails('retired', 'MODEL_RETIRED', 'ANSWERED', { providerBilled: false }),
    fails('refused', 'REFUSED', 'ANSWERED', { providerCode: 'content_policy_violation', providerBilled: null }),
    fails('ok flagged=0', 'REFUSED', 'ANSWERED', { providerCode: 'has_nsfw_concepts', providerBilled: null }),
    fails('invalid', 'INVALID_REQUEST', 'ANSWERED', { providerCode: 'value_error', providerBilled: null }),
    fails('bad_request', 'INVALID_REQUEST', 'ANSWERED', { providerCode: 'bad_request', providerBilled: false }),
    fails('failed', 'UNAVAILABLE', 'ANSWERED', { providerCode: 'runner_server_error', providerBilled: false }),
    fails('unscheduled', 'UNAVAILABLE', 'ANSWERED', {
      providerCode: 'runner_scheduling_failure',
      providerBilled: false,
    }),
    fails('timeout', 'TIMEOUT', 'ANSWERED', { providerCode: 'request_timeout', providerBilled: false }),
    fails('dropped', 'TIMEOUT', 'ANSWERED', { providerCode: 'request_timeout', providerBilled: false }),
    fails('canceled', 'UNAVAILABLE', 'ANSWERED', { providerCode: 'client_cancelled', providerBilled: null }),
    fails('no_media', 'BAD_OUTPUT', 'ANSWERED', { providerCode: 'no_media_generated', providerBilled: null }),
    fails('failed_status', 'UNAVAILABLE', 'ANSWERED', { providerCode: 'runner_disconnected', providerBilled: null }),
    fails('unreadable', 'BAD_OUTPUT', 'ANSWERED', { providerBilled: null }),
    fails('expired', 'BAD_OUTPUT', 'ANSWERED', { providerBilled: true }),
    fails('private_url', 'BAD_OUTPUT', 'ANSWERED', { providerBilled: true }),
    fails('lost', 'INVALID_REQUEST', 'UNKNOWN', { providerBilled: null }),
    fails('taken', 'UNAUTHORIZED', 'UNKNOWN', { providerBilled: null }),
  ],
})

describe('fal on the wire', () => {
  it('sends what the catalogue says of the app, and asks the queue for no more than it does by itself', async () => {
    const parameters = { seed: 7, guidanceScale: 3.5, providerOptions: { num_inference_steps: 20 } }
    const { provider, request: asked, wire } = await open('ok', { count: 2, parameters })
    await provider.generate(asked, createCall().call)
    expect(wire.billable[0]?.path).toBe('/fal-ai/flux/dev')
    expect(wire.billable[0]?.json).toEqual({
      prompt: 'a red fox in snow',
      image_size: { width: 256, height: 320 },
      num_images: 2,
      seed: 7,
      output_format: 'png',
      guidance_scale: 3.5,
      num_inference_steps: 20,
    })
    expect(wire.billable[0]?.headers).toMatchObject({
      'x-fal-queue-priority': 'normal',
      'x-fal-request-timeout': '480',
      'x-app-fal-disable-fallback': 'true',
    })
    expect(wire.billable[0]?.headers['x-fal-no-retry']).toBeUndefined()
    expect(wire.billable[0]?.query.size).toBe(0)
  })

  it.each(FAL_MODELS.map((model) => [model.id, model] as const))(
    'has an entry that the app takes: %s',
    async (_, model) => {
      const parameters = { seed: 7, ...(model.capabilities.enhancePrompt && { enhancePrompt: true }) }
      const { providerModel: modelName, wire } = model
      const { provider, request: asked } = await open('ok', { modelName, wire, parameters })
      const { call, log } = createCall()
      expect((await provider.generate(asked, call)).failures).toEqual([])
      expect(log.images).toMatchObject([{ index: 0, seed: 7 }])
    },
  )

  it('edits reference images of an app that was added as data', async () => {
    const reference: ReferenceImage = { bytes: Buffer.from('one'), mimeType: 'image/webp', width: 1, height: 1 }
    const {
      provider,
      request: asked,
      wire,
    } = await open('ok', {
      modelName: 'fal-ai/nano-banana/edit',
      wire: {
        input: { prompt: '{prompt}', aspect_ratio: '{aspectRatio}', image_urls: '{images}' },
      },
      parameters: { width: null, height: null, outputFormat: null, aspectRatio: '16:9' },
      referenceImages: [reference, reference],
    })
    await provider.generate(asked, createCall().call)
    const uri = 'data:image/webp;base64,b25l'
    expect(wire.billable[0]?.json).toEqual({ prompt: asked.prompt, aspect_ratio: '16:9', image_urls: [uri, uri] })
  })

  it('asks at the addresses that it was given, and sends no key to where the pictures lie', async () => {
    const { provider, request: asked, wire } = await open('moved', { count: 2 })
    await provider.generate(asked, createCall().call)
    const asking = wire.requests.filter(({ path }) => path.includes('/requests/'))
    expect(new Set(asking.map(({ origin }) => origin))).toEqual(new Set([wire.secondOrigin]))
    expect(asking.at(-1)?.path).toMatch(/^\/fal-ai\/flux\/requests\/[\w-]+$/)
    const files = wire.requests.filter(({ path }) => path.startsWith('/files/'))
    expect(files).toHaveLength(2)
    for (const { headers } of files) expect(headers.authorization).toBeUndefined()
  })

  it.each(['foreign', 'unnamed'])('builds the addresses itself where those given cannot be used: %s', async (mode) => {
    const { provider, request: asked, wire } = await open(mode)
    const { call, log } = createCall()
    await provider.generate(asked, call)
    expect(log.images).toHaveLength(1)
    expect(new Set(wire.requests.map(({ path }) => path.split('/').slice(0, 4).join('/')))).toContain(
      '/fal-ai/flux/requests',
    )
  })

  it('reads pictures that come inside the answer, or as a single one', async () => {
    for (const mode of ['inline', 'single']) {
      const { provider, request: asked } = await open(mode)
      const { call, log } = createCall()
      await provider.generate(asked, call)
      expect(log.images).toMatchObject([{ index: 0, seed: 42, revisedPrompt: null }])
    }
  })

  it('tells the place in the queue, then the progress of the run', async () => {
    const { provider, request: asked } = await open('ok polls=4')
    const told: unknown[] = []
    const { call } = createCall()
    await provider.generate(asked, { ...call, onProgress: (update) => void told.push(update) })
    expect(told).toEqual([
      { progress: null, message: 'It waits in the queue of fal. 2 ahead of it.' },
      { progress: null, message: 'It waits in the queue of fal. 1 ahead of it.' },
      { progress: 0.5, message: '50%|█████     | 2/4' },
      { progress: 1 },
    ])
  })

  it("shows the caller's own key, and none that lies about in the environment", async () => {
    vi.stubEnv('FAL_KEY', 'of-the-environment')
    const { provider, request: asked, wire } = await open('ok')
    const { call } = createCall()
    await provider.generate(asked, call)
    const shown = wire.requests.flatMap(({ headers }) => headers.authorization ?? [])
    expect(new Set(shown)).toEqual(new Set([`Key ${call.apiKey?.reveal()}`]))
  })
})

describe('fal with several images', () => {
  it('makes as many calls as the app needs for them, each with a seed of its own', async () => {
    const { provider, request: asked, wire } = await open(['ok', 'ok'], { count: 6, parameters: { seed: 40 } })
    const { call, log } = createCall()
    const output = await provider.generate(asked, call)
    expect(output).toMatchObject({ failures: [], usage: null, reportedUsdMicros: null })
    expect(output.requestId?.split(' ')).toHaveLength(2)
    expect(wire.billable.map(({ json }) => json)).toMatchObject([
      { num_images: 4, seed: 40 },
      { num_images: 2, seed: 44 },
    ])
    const seeds = log.images.toSorted((left, right) => left.index - right.index).map(({ seed }) => seed)
    expect(seeds).toEqual([40, null, null, null, 44, null])
  })

  it('fails only the images of the call that failed', async () => {
    const staged = await open(['ok', 'refused'], { count: 6 })
    const { call, log } = createCall()
    const output = await staged.provider.generate(staged.request, call)
    expect(log.images).toHaveLength(4)
    expect(output.failures).toMatchObject([
      { imageIndex: 4, error: { kind: 'REFUSED' } },
      { imageIndex: 5, error: { kind: 'REFUSED' } },
    ])
  })

  it('leaves open why the app has made fewer than it was asked for', async () => {
    const { provider, request: asked } = await open('ok fewer=1', { count: 3 })
    const { call, log } = createCall()
    expect((await provider.generate(asked, call)).failures).toEqual([])
    expect(log.images.map(({ index }) => index)).toEqual([0])
  })

  it('throws the failure of a call that was to make all of them', async () => {
    const { provider, request: asked } = await open('refused', { count: 3 })
    await expect(provider.generate(asked, createCall().call)).rejects.toMatchObject({ kind: 'REFUSED' })
  })

  it('keeps the division of its jobs after a crash, whatever the catalogue says by then', async () => {
    const { provider, request: asked, wire } = await open(['ok', 'ok'], { count: 6 })
    const first = createCall()
    await provider.generate(asked, first.call)
    const reference = JSON.parse(JSON.stringify(first.log.reference))
    const { call, log } = createCall({ delivered: new Set([0, 1, 2, 3, 5]) })
    await provider.resume?.(reference, { ...asked, wire: { input: 'nonsense' } }, call)
    expect(log.images.map(({ index }) => index)).toEqual([4])
    expect(wire.billable).toHaveLength(2)
  })
})

describe('What fal is not asked', () => {
  it.each([
    ['an entry without a place for a setting', { wire: {}, parameters: { seed: 7 } }, 'no place for {seed}'],
    ['a name that is no app', { modelName: 'flux', wire: { input: { prompt: '{prompt}' } } }, 'Invalid app id'],
    ['an address in place of a name', { modelName: 'https://fal.run/fal-ai/flux' }, 'An address is no name'],
  ])('sends nothing for %s', async (_, changes: RequestChanges, message) => {
    const parameters = { width: null, height: null, outputFormat: null, ...changes.parameters }
    const { provider, request: asked, wire } = await open('ok', { ...changes, parameters })
    const error = await rejectionOf(provider.generate(asked, createCall().call))
    expect(error).toMatchObject({ name: 'ProviderError', kind: 'INVALID_REQUEST', delivery: 'NOT_SENT' })
    expect(String(error)).toContain(message)
    expect(wire.requests).toEqual([])
  })
})

describe('Canceling at fal', () => {
  const ending = (): { apiKey: Secret; signal: AbortSignal } => ({
    apiKey: new Secret('key'),
    signal: new AbortController().signal,
  })

  async function accept(mode: string, count = 1) {
    const calls = Math.ceil(count / 4)
    const staged = await open(Array(calls).fill(mode), { count })
    const left = new AbortController()
    const { call, log } = createCall({
      signal: left.signal,
      onAccepted: async () => {
        if (staged.wire.billable.length === calls) left.abort()
      },
    })
    await staged.provider.generate(staged.request, call).catch(() => undefined)
    return { ...staged, reference: JSON.parse(JSON.stringify(log.reference)) }
  }
  const cancelsOf = (requests: readonly { method: string; path: string }[]) =>
    requests.filter(({ method, path }) => method === 'PUT' && path.endsWith('/cancel'))

  it('stops every job that was taken', async () => {
    const { provider, wire, reference } = await accept('ok held=job', 6)
    await provider.cancel?.(reference, ending())
    expect(cancelsOf(wire.requests)).toHaveLength(2)
    expect(wire.billable).toHaveLength(2)
  })

  it('takes it for stopped when there is nothing left to stop', async () => {
    const { provider, wire, reference } = await accept('ok polls=0')
    await provider.cancel?.(reference, ending())
    expect(cancelsOf(wire.requests)).toHaveLength(1)
  })

  it('says when it could not be asked', async () => {
    const { provider, reference } = await accept('ok held=job')
    const without = { ...ending(), apiKey: new Secret('no key') }
    await expect(provider.cancel?.(reference, without)).rejects.toMatchObject({ kind: 'UNAUTHORIZED' })
  })
})
