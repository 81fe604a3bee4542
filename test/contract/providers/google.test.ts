import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { GOOGLE_MODELS } from '../../../src/providers/catalog/google.ts'
import { createGoogleProvider } from '../../../src/providers/google/google-provider.ts'
import { Secret } from '../../../src/secret.ts'
import { createGoogleWire } from '../../support/wire/google.ts'
import { startWireServer } from '../../support/wire/wire-server.ts'
import { createCall, describeProviderContract, rejectionOf } from '../provider-contract.ts'
import { inTurn } from './in-turn.ts'
import { connectionFailures, failing } from './wire-failures.ts'
import { createProviderRequest, createStaging, type RequestChanges, wireDeps } from './wire-stage.ts'

const create = (origin: string) => createGoogleProvider({ ...wireDeps(origin), apiKey: null })

function createInTurn(origin: string) {
  const deps = wireDeps(origin)
  return createGoogleProvider({ ...deps, fetch: inTurn(deps.fetch), apiKey: null })
}

function wireOf(modelName: string) {
  return GOOGLE_MODELS.find((model) => model.providerModel === modelName)?.wire ?? {}
}

function request(changes: RequestChanges = {}) {
  const { modelName = 'gemini-nano-banana-2.1' } = changes
  const parameters = { width: 1376, height: 768, aspectRatio: '16:9', ...changes.parameters }
  return createProviderRequest({ modelName, wire: wireOf(modelName), ...changes, parameters })
}

const { stage, arrange, nobody, open } = createStaging({
  vendor: createGoogleWire,
  provider: create,
  request,
  calls: ({ count }) => count,
})

const fails = failing(arrange)
const BLOCK_REASONS = ['SAFETY', 'OTHER', 'BLOCKLIST', 'PROHIBITED_CONTENT', 'IMAGE_SAFETY', 'MODEL_ARMOR', 'JAILBREAK']
const REFUSING_ENDS = [
  ...['SAFETY', 'RECITATION', 'BLOCKLIST', 'PROHIBITED_CONTENT', 'SPII', 'LANGUAGE', 'NO_IMAGE'],
  ...['IMAGE_SAFETY', 'IMAGE_PROHIBITED_CONTENT', 'IMAGE_RECITATION', 'IMAGE_OTHER', 'IMAGE_SOMETHING_NEW'],
]
const FAILED_ENDS = ['MAX_TOKENS', 'OTHER', 'MALFORMED_RESPONSE', 'MALFORMED_FUNCTION_CALL', 'SOMETHING_NEW']

describeProviderContract('Google', {
  complete: async () => ({
    ...(await stage([], { count: 3 })()),
    expected: { mimeType: 'image/jpeg', width: 1376, height: 768 },
  }),
  fewer: async () => ({
    ...(await stage(['ok', 'refused_output', 'ok'], { count: 3 }, { provider: createInTurn })()),
    made: [0, 2],
  }),
  silence: stage(['hang']),
  failures: [
    ...connectionFailures(arrange, nobody),
    ...BLOCK_REASONS.map((reason) =>
      fails(`refused reason=${reason}`, 'REFUSED', 'ANSWERED', {
        providerCode: reason,
        providerRequestId: 'resp_blocked',
        providerBilled: null,
      }),
    ),
    ...REFUSING_ENDS.map((reason) =>
      fails(`refused_output reason=${reason}`, 'REFUSED', 'ANSWERED', {
        providerCode: reason,
        providerRequestId: 'resp_0',
        providerBilled: null,
      }),
    ),
    fails('ok reason=IMAGE_SAFETY', 'REFUSED', 'ANSWERED', { providerCode: 'IMAGE_SAFETY', providerBilled: null }),
    fails('text_only', 'REFUSED', 'ANSWERED', { providerCode: 'STOP', providerBilled: null }),
    ...FAILED_ENDS.map((reason) =>
      fails(`ended reason=${reason}`, 'BAD_OUTPUT', 'ANSWERED', { providerCode: reason, providerBilled: null }),
    ),
    fails('ended', 'BAD_OUTPUT', 'ANSWERED', { providerCode: 'STOP', providerBilled: null }),
    fails('nothing', 'BAD_OUTPUT', 'ANSWERED', { providerBilled: null }),
    // The SDK would go on with another billable request by itself.
    fails('parts', 'BAD_OUTPUT', 'ANSWERED', { providerCode: 'CONTINUATION', providerBilled: null }),
    fails('unauthorized', 'UNAUTHORIZED', 'NOT_ACCEPTED', { providerCode: 'API_KEY_INVALID', providerBilled: false }),
    fails('forbidden', 'UNAUTHORIZED', 'NOT_ACCEPTED', { providerCode: 'PERMISSION_DENIED' }),
    fails('precondition', 'UNAUTHORIZED', 'NOT_ACCEPTED', { providerCode: 'FAILED_PRECONDITION' }),
    fails('retired', 'MODEL_RETIRED', 'NOT_ACCEPTED', { providerCode: 'NOT_FOUND', providerBilled: false }),
    fails('invalid', 'INVALID_REQUEST', 'ANSWERED', { providerCode: 'INVALID_ARGUMENT', providerBilled: false }),
    fails('rate_limited', 'RATE_LIMITED', 'NOT_ACCEPTED', { providerCode: 'RESOURCE_EXHAUSTED' }),
    fails('rate_limited retry=12s', 'RATE_LIMITED', 'NOT_ACCEPTED', { retryAfterMs: 12_000 }),
    fails('rate_limited retry=34.074s', 'RATE_LIMITED', 'NOT_ACCEPTED', { retryAfterMs: 34_074 }),
    fails('rate_limited retry=soon', 'RATE_LIMITED', 'NOT_ACCEPTED'),
    fails('quota', 'QUOTA_EXHAUSTED', 'NOT_ACCEPTED', { providerCode: 'RESOURCE_EXHAUSTED', providerBilled: false }),
    fails('quota_zero', 'QUOTA_EXHAUSTED', 'NOT_ACCEPTED'),
    fails('prepaid', 'QUOTA_EXHAUSTED', 'NOT_ACCEPTED'),
    fails('canceled', 'TIMEOUT', 'UNKNOWN', { providerCode: 'CANCELLED', providerBilled: null }),
    fails('server_error', 'UNAVAILABLE', 'ANSWERED', { providerCode: 'INTERNAL', providerBilled: null }),
    fails('unavailable', 'UNAVAILABLE', 'NOT_ACCEPTED', { providerCode: 'UNAVAILABLE', providerBilled: false }),
    fails('deadline', 'TIMEOUT', 'UNKNOWN', { providerCode: 'DEADLINE_EXCEEDED', providerBilled: null }),
    fails('status code=404', 'MODEL_RETIRED', 'NOT_ACCEPTED'),
  ],
})

describe('Google on the wire', () => {
  afterEach(() => {
    vi.unstubAllEnvs()
  })

  async function generate(modes: readonly string[], changes: RequestChanges = {}) {
    const { provider, request: asked, wire } = await open(modes, changes)
    const { call, log } = createCall()
    const output = await provider.generate(asked, call)
    return { output, log, wire }
  }

  it('sends exactly what was asked for', async () => {
    const { wire } = await generate([], {
      parameters: {
        ...{ width: 2752, height: 1536, seed: 7 },
        providerOptions: {
          temperature: 0.5,
          safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }],
        },
      },
      referenceImages: [
        { bytes: Buffer.from('one'), mimeType: 'image/png', width: 1, height: 1 },
        { bytes: Buffer.from('two'), mimeType: 'image/webp', width: 1, height: 1 },
      ],
    })
    const [sent] = wire.billable
    expect(sent?.path).toBe('/v1beta/models/gemini-nano-banana-2.1:generateContent')
    expect(sent?.json).toEqual({
      contents: [
        {
          role: 'user',
          parts: [
            { text: 'a red fox in snow' },
            { inlineData: { mimeType: 'image/png', data: 'b25l' } },
            { inlineData: { mimeType: 'image/webp', data: 'dHdv' } },
          ],
        },
      ],
      generationConfig: {
        responseModalities: ['IMAGE'],
        imageConfig: { aspectRatio: '16:9', imageSize: '2K' },
        seed: 7,
        temperature: 0.5,
      },
      safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }],
    })
  })

  it.each([
    ['no size', { width: null, height: null, aspectRatio: null }, undefined],
    ['a ratio without published pixels', { width: null, height: null, aspectRatio: '1:4' }, { aspectRatio: '1:4' }],
  ])('leaves open what was left open: %s', async (_, parameters, imageConfig) => {
    const { wire } = await generate([], { parameters })
    const generationConfig = { responseModalities: ['IMAGE'], ...(imageConfig && { imageConfig }) }
    expect(wire.billable[0]?.json).toMatchObject({ generationConfig })
    expect(JSON.stringify(wire.billable[0]?.json).includes('imageConfig')).toBe(imageConfig !== undefined)
  })

  it('sends no tier to the model that has none', async () => {
    const { wire, log } = await generate([], {
      modelName: 'gemini-2.5-flash-image',
      parameters: { width: 1344, height: 768 },
    })
    expect(wire.billable[0]?.json).toMatchObject({ generationConfig: { imageConfig: { aspectRatio: '16:9' } } })
    expect(JSON.stringify(wire.billable[0]?.json)).not.toContain('imageSize')
    expect(log.images).toHaveLength(1)
  })

  it('sends nothing where the catalogue does not say what a size is called', async () => {
    const { provider, request: asked, wire } = await open([], { parameters: { width: 1000, height: 1000 } })
    const { call, log } = createCall()
    const error = await rejectionOf(provider.generate(asked, call))
    expect(error).toMatchObject({ kind: 'INVALID_REQUEST', delivery: 'NOT_SENT' })
    expect([log.steps, wire.requests]).toEqual([[], []])
  })

  it('gives each picture a seed of its own, and says which', async () => {
    const { wire, log } = await generate([], { count: 3, parameters: { seed: 7 } })
    const seeds = wire.billable.map(
      ({ json }) => (json as { generationConfig: { seed: number } }).generationConfig.seed,
    )
    expect(seeds.sort()).toEqual([7, 8, 9])
    expect(log.images.map(({ index, seed }) => [index, seed]).sort()).toEqual([
      [0, 7],
      [1, 8],
      [2, 9],
    ])
  })

  it('reads the tokens by kind, thoughts among the words, and adds them up', async () => {
    const picture = { bytes: Buffer.from('one'), mimeType: 'image/png' as const, width: 1, height: 1 }
    const { output } = await generate([], { count: 2, referenceImages: [picture] })
    expect(output.usage).toEqual({
      inputTokens: 10,
      imageInputTokens: 1120,
      outputTokens: 360,
      imageOutputTokens: 2240,
      totalTokens: 3730,
    })
    expect(output.requestId?.split(' ').sort()).toEqual(['resp_0', 'resp_1'])
  })

  it('takes all that came out for the picture where the kinds are not told apart, and nothing where nothing is told', async () => {
    const { output: lumped } = await generate(['lumped'])
    expect(lumped.usage).toMatchObject({
      inputTokens: 5,
      imageInputTokens: 0,
      imageOutputTokens: 1127,
      outputTokens: 173,
    })
    const { output: untold } = await generate(['untold'])
    expect(untold.usage).toBeNull()
  })

  it('makes at most four calls at a time', async () => {
    const { provider, request: asked, wire } = await open(Array(6).fill('ok held=answer'), { count: 6 })
    const done = provider.generate(asked, createCall().call)
    await vi.waitUntil(() => wire.billable.length === 4)
    await new Promise((resolve) => setImmediate(resolve))
    expect(wire.billable).toHaveLength(4)
    wire.release()
    await done
    expect(wire.billable).toHaveLength(6)
  })

  it('begins no further call after one that was told to come back later', async () => {
    const { provider, request: asked, wire } = await open(['rate_limited'], { count: 6 }, { provider: createInTurn })
    const { call, log } = createCall()
    const { failures } = await provider.generate(asked, call)
    expect(wire.billable).toHaveLength(4)
    expect(log.images.map(({ index }) => index)).toEqual([1, 2, 3])
    expect(failures.map(({ imageIndex, error }) => [imageIndex, error.kind, error.delivery])).toEqual(
      [0, 4, 5].map((index) => [index, 'RATE_LIMITED', 'NOT_ACCEPTED']),
    )
  })

  it('says in the vendor’s words why there is no picture, and repeats no address', async () => {
    const { provider, request: asked } = await open(['refused_output', 'text_only', 'rate_limited'])
    const messages: string[] = []
    for (const _ of [1, 2, 3]) {
      const error = await rejectionOf(provider.generate(asked, createCall().call))
      messages.push(error instanceof Error ? error.message : '')
    }
    expect(messages).toEqual([
      'Google declined to paint this. It says: See … for what is not made.',
      'Google answered in words and painted nothing. It says: I cannot paint that, but I can describe it.',
      'Google takes no more requests at the moment. It says: Quota exceeded. See …',
    ])
  })

  it('hears nothing of the environment', async () => {
    const warn = vi.spyOn(console, 'warn')
    onTestFinished(() => warn.mockRestore())
    vi.stubEnv('GOOGLE_API_KEY', 'another-key')
    vi.stubEnv('GOOGLE_GENAI_USE_VERTEXAI', 'true')
    vi.stubEnv('GOOGLE_GENAI_USE_ENTERPRISE', 'true')
    vi.stubEnv('GOOGLE_CLOUD_PROJECT', 'project')
    vi.stubEnv('GOOGLE_GEMINI_BASE_URL', 'http://127.0.0.1:1')
    vi.stubEnv('GOOGLE_GENAI_API_VERSION', 'v9')
    const { wire } = await generate([])
    expect(wire.billable[0]?.path).toBe('/v1beta/models/gemini-nano-banana-2.1:generateContent')
    expect(wire.billable[0]?.headers['x-goog-api-key']).toBe('sk-canary-7f3c9a51e2')
    expect(warn).not.toHaveBeenCalled()
  })

  it.each([
    ['auth_tokens/abc', 'INVALID_REQUEST'],
    ['two\nlines', 'UNAUTHORIZED'],
  ])('does not send with a key of a form that is not taken: %j', async (key, kind) => {
    const { provider, request: asked, wire } = await open([])
    const error = await rejectionOf(provider.generate(asked, { ...createCall().call, apiKey: new Secret(key) }))
    expect(error).toMatchObject({ kind, delivery: 'NOT_SENT' })
    expect(wire.requests).toEqual([])
  })

  it('lists the models that paint, page by page', async () => {
    const { provider, wire } = await open([])
    const { apiKey, signal } = createCall().call
    const listed = await provider.listModels?.({ apiKey, signal })
    expect(listed).toEqual([
      { name: 'gemini-3-pro-image', shutsDownAt: null },
      { name: 'gemini-nano-banana-2.1', shutsDownAt: null },
    ])
    expect(wire.requests.map(({ query }) => query.get('pageToken'))).toEqual([null, 'page2'])
  })

  it('turns no pages without end, and takes a list that is none for an empty one', async () => {
    let models: unknown = [{ name: 'models/gemini-3-pro-image' }]
    await using wire = await startWireServer(() => ({
      isBillable: () => false,
      handle: () => ({ body: { models, nextPageToken: 'more' } }),
    }))
    const { apiKey, signal } = createCall().call
    const provider = create(wire.origin)
    expect(await provider.listModels?.({ apiKey, signal })).toHaveLength(10)
    models = { name: 'models/gemini-3-pro-image' }
    expect(await provider.listModels?.({ apiKey, signal })).toEqual([])
  })
})
