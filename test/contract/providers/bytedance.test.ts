import { describe, expect, it, vi } from 'vitest'
import { createBytedanceProvider } from '../../../src/providers/bytedance/bytedance-provider.ts'
import { probeImage } from '../../../src/storage/image-probe.ts'
import { createBytedanceWire } from '../../support/wire/bytedance.ts'
import { createCall, describeProviderContract, type ProviderScenes, rejectionOf } from '../provider-contract.ts'
import { inTurn } from './in-turn.ts'
import { connectionFailures, failing } from './wire-failures.ts'
import { createProviderRequest, createStaging, type RequestChanges, stageNobody, wireDeps } from './wire-stage.ts'

const at = (origin: string) => ({ ...wireDeps(origin), baseUrl: `${origin}/api/v3`, apiKey: null })
const create = (origin: string) => createBytedanceProvider(at(origin))

function createInTurn(origin: string) {
  const deps = at(origin)
  return createBytedanceProvider({ ...deps, fetch: inTurn(deps.fetch) })
}

function request(changes: RequestChanges = {}) {
  const parameters = { width: 1280, height: 720, ...changes.parameters }
  return createProviderRequest({ modelName: 'seedream-4-0-250828', ...changes, parameters })
}

const { stage, open } = createStaging({
  vendor: createBytedanceWire,
  provider: create,
  request,
  calls: ({ count }) => count,
})

/** The same scene in either form of the call. */
function scenesOf(changes: RequestChanges): ProviderScenes {
  const arrange = (mode: string) => stage([mode], changes)
  const fails = failing(arrange)
  const failed = { providerRequestId: 'req_failed', providerBilled: false }
  const unmade = { providerRequestId: 'req_0', providerBilled: false }
  return {
    complete: async () => ({
      ...(await stage([], { ...changes, count: 3 })()),
      expected: { mimeType: 'image/jpeg', width: 1280, height: 720 },
    }),
    fewer: async () => ({
      ...(await stage(['ok', 'picture_refused', 'ok'], { ...changes, count: 3 }, { provider: createInTurn })()),
      made: [0, 2],
    }),
    silence: arrange('hang'),
    failures: [
      ...connectionFailures(arrange, () => stageNobody(create, request(changes))),
      ...['InputText', 'InputImage', 'OutputImage'].map((what, place) =>
        fails(['refused', 'refused_image', 'refused_output'][place] ?? '', 'REFUSED', 'ANSWERED', {
          ...failed,
          providerCode: `${what}SensitiveContentDetected`,
        }),
      ),
      fails('unauthorized', 'UNAUTHORIZED', 'NOT_ACCEPTED', { ...failed, providerCode: 'AuthenticationError' }),
      fails('denied', 'UNAUTHORIZED', 'NOT_ACCEPTED', { ...failed, providerCode: 'AccessDenied' }),
      fails('overdue', 'QUOTA_EXHAUSTED', 'NOT_ACCEPTED', { ...failed, providerCode: 'AccountOverdueError' }),
      fails('quota', 'QUOTA_EXHAUSTED', 'NOT_ACCEPTED', { ...failed, providerCode: 'QuotaExceeded' }),
      fails('rate_limited', 'RATE_LIMITED', 'NOT_ACCEPTED', {
        ...failed,
        providerCode: 'RateLimitExceeded.EndpointRPMExceeded',
      }),
      fails('overloaded', 'UNAVAILABLE', 'NOT_ACCEPTED', { ...failed, providerCode: 'ServerOverloaded' }),
      fails('retired', 'MODEL_RETIRED', 'NOT_ACCEPTED', { ...failed, providerCode: 'ModelNotOpen' }),
      fails('gone', 'MODEL_RETIRED', 'NOT_ACCEPTED', { ...failed, providerCode: 'InvalidEndpointOrModel.NotFound' }),
      fails('invalid', 'INVALID_REQUEST', 'ANSWERED', { ...failed, providerCode: 'InvalidParameter' }),
      fails('server_error', 'UNAVAILABLE', 'ANSWERED', {
        ...failed,
        providerBilled: null,
        providerCode: 'InternalServiceError',
      }),
      fails('picture_refused', 'REFUSED', 'ANSWERED', {
        ...unmade,
        providerCode: 'OutputImageSensitiveContentDetected',
      }),
      fails('picture_failed', 'UNAVAILABLE', 'ANSWERED', { ...unmade, providerCode: 'InternalServiceError' }),
      fails('nothing', 'BAD_OUTPUT', 'ANSWERED', { providerRequestId: 'req_0', providerBilled: null }),
      fails('expired', 'BAD_OUTPUT', 'ANSWERED', { providerBilled: true }),
      fails('private_url', 'BAD_OUTPUT', 'ANSWERED', { providerBilled: true }),
    ],
  }
}

describeProviderContract('ByteDance', scenesOf({}))
describeProviderContract('ByteDance in events', scenesOf({ previews: 2 }))

async function generate(modes: readonly string[], changes: RequestChanges = {}) {
  const { provider, request: asked, wire } = await open(modes, changes)
  const { call, log } = createCall()
  const outcome = await provider.generate(asked, call).catch((error: unknown) => error)
  return { outcome, log, wire }
}

/** From a stream that breaks off once these events were read. */
async function generateFrom(...events: readonly object[]) {
  const pieces = events.map((event) => Buffer.from(`data: ${JSON.stringify(event)}\n\n`))
  const pull = (controller: ReadableStreamDefaultController<Uint8Array>) => {
    const piece = pieces.shift()
    if (piece) controller.enqueue(piece)
    else controller.error(new TypeError('terminated'))
  }
  const headers = { 'content-type': 'text/event-stream' }
  const fetch = async () => new Response(new ReadableStream({ pull }, { highWaterMark: 0 }), { headers })
  const { call, log } = createCall()
  const provider = createBytedanceProvider({ ...at('http://127.0.0.1'), fetch })
  const outcome = await provider.generate(request({ previews: 1 }), call).catch((error: unknown) => error)
  return { outcome, log }
}

describe('ByteDance on the wire', () => {
  it('sends exactly what was asked for', async () => {
    const { wire } = await generate([], {
      parameters: {
        watermark: false,
        providerOptions: { optimize_prompt_options: { mode: 'fast' } },
      },
      referenceImages: [
        { bytes: Buffer.from('one'), mimeType: 'image/png', width: 1, height: 1 },
        { bytes: Buffer.from('two'), mimeType: 'image/webp', width: 1, height: 1 },
      ],
    })
    expect(wire.billable[0]?.headers.authorization).toBe('Bearer sk-canary-7f3c9a51e2')
    expect(wire.billable[0]?.json).toEqual({
      model: 'seedream-4-0-250828',
      prompt: 'a red fox in snow',
      size: '1280x720',
      watermark: false,
      image: ['data:image/png;base64,b25l', 'data:image/webp;base64,dHdv'],
      response_format: 'url',
      optimize_prompt_options: { mode: 'fast' },
    })
  })

  it('leaves out what was left open: the mark that the vendor puts on is the vendor’s to choose then', async () => {
    const { wire } = await generate([], { parameters: { width: null, height: null } })
    const prompt = 'a red fox in snow'
    expect(wire.billable[0]?.json).toEqual({ model: 'seedream-4-0-250828', prompt, response_format: 'url' })
  })

  it('sends seed and guidance to the model that has them, each picture with a seed of its own', async () => {
    const { wire, log } = await generate([], {
      modelName: 'seedream-3-0-t2i-250415',
      count: 2,
      parameters: { width: 1024, height: 1024, seed: 7, guidanceScale: 2.5 },
    })
    expect(wire.billable.map(({ json }) => (json as { seed: number }).seed).sort()).toEqual([7, 8])
    expect(wire.billable[0]?.json).toMatchObject({ guidance_scale: 2.5 })
    expect(log.images.map(({ index, seed }) => [index, seed]).sort()).toEqual([
      [0, 7],
      [1, 8],
    ])
  })

  it('asks the newer models for a format', async () => {
    const { wire, log } = await generate([], {
      modelName: 'dola-seedream-5-0-pro-260628',
      parameters: { outputFormat: 'PNG' },
      referenceImages: [{ bytes: Buffer.from('one'), mimeType: 'image/png', width: 1, height: 1 }],
    })
    expect(wire.billable[0]?.json).toMatchObject({ output_format: 'png', image: 'data:image/png;base64,b25l' })
    expect(await probeImage(log.images[0]?.bytes ?? new Uint8Array())).toMatchObject({ mimeType: 'image/png' })
  })

  it('is told by Seedream 4.5 that 1024x1024 is too small', async () => {
    const parameters = { width: 1024, height: 1024 }
    const { outcome } = await generate([], { modelName: 'seedream-4-5-251128', parameters })
    expect(outcome).toMatchObject({ kind: 'INVALID_REQUEST', providerCode: 'InvalidParameter', providerBilled: false })
  })

  it('fetches the picture without the key, from where it lies', async () => {
    const { wire } = await generate([])
    const download = wire.requests.find(({ path }) => path.startsWith('/pictures/'))
    expect(download?.origin).toBe(wire.secondOrigin)
    expect(download?.headers.authorization).toBeUndefined()
  })

  it.each([0, 1])('takes a picture inside the answer as well, with %i previews asked for', async (previews) => {
    const { wire, log } = await generate(['base64'], { previews })
    expect(log.images).toHaveLength(1)
    expect(wire.requests).toHaveLength(1)
  })

  it('tells the tokens of all pictures, and whose requests they were', async () => {
    const { outcome } = await generate(['ok', 'untold'], { count: 2 })
    expect(outcome).toMatchObject({ failures: [], usage: { imageOutputTokens: 16_384, totalTokens: 16_384 } })
    const { requestId } = outcome as { requestId: string }
    expect(requestId.split(' ').sort()).toEqual(['req_0', 'req_1'])
  })

  it('takes an error beside an empty list for the failure that it is', async () => {
    const { outcome } = await generate(['answer_failed'])
    expect(outcome).toMatchObject({ kind: 'UNAVAILABLE', delivery: 'ANSWERED', providerCode: 'InternalServiceError' })
  })

  it('shows nobody the key that the vendor quotes', async () => {
    const { outcome } = await generate(['unauthorized'])
    expect((outcome as Error).message).toBe('ByteDance did not accept the key.')
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
})

describe('ByteDance in events', () => {
  it('shows previews as they come, and the picture after them', async () => {
    const { log, wire } = await generate(['ok previews=2'], { previews: 2 })
    expect(wire.billable[0]?.json).toMatchObject({ stream: true, response_format: 'url' })
    expect(log.previews.map(({ index }) => index)).toEqual([0, 0])
    expect(log.images).toHaveLength(1)
  })

  it('passes over a preview that is none', async () => {
    const { log } = await generate(['bad_preview previews=1'], { previews: 1 })
    expect([log.previews.length, log.images.length]).toEqual([0, 1])
  })

  it.each(['unfinished', 'whole'])('keeps the picture that has come: %s', async (mode) => {
    const { outcome, log } = await generate([mode], { previews: 1 })
    expect(outcome).toMatchObject({ failures: [], requestId: 'req_0' })
    expect(log.images).toHaveLength(1)
  })

  const NEWS = { type: 'image_generation.something_new' }
  const MADE = { type: 'image_generation.partial_succeeded', b64_json: 'cGljdHVyZQ==', size: '1x1' }
  const REFUSED = { code: 'OutputImageSensitiveContentDetected', message: 'Sensitive.' }

  it('keeps the picture that had come when the connection broke off', async () => {
    const { outcome, log } = await generateFrom(NEWS, MADE)
    expect(outcome).toMatchObject({ failures: [], usage: null })
    expect(log.images.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(['picture'])
  })

  it('knows the failure that had been told when the connection broke off, and nothing where none was', async () => {
    const { outcome: told } = await generateFrom(NEWS, { type: 'image_generation.partial_failed', error: REFUSED })
    expect(told).toMatchObject({ kind: 'REFUSED', delivery: 'ANSWERED', providerBilled: false })
    const { outcome: bare } = await generateFrom({ error: REFUSED })
    expect(bare).toMatchObject({ kind: 'REFUSED', delivery: 'ANSWERED' })
    const { outcome: open } = await generateFrom(NEWS)
    expect(open).toMatchObject({ kind: 'UNAVAILABLE', delivery: 'UNKNOWN', providerBilled: null })
  })

  it('does not go on without its caller: what onImage throws ends the stream', async () => {
    const { provider, request: asked } = await open([], { previews: 1 })
    const lease = new Error('The lease is lost.')
    const { call } = createCall({ onImage: () => Promise.reject(lease) })
    expect(await rejectionOf(provider.generate(asked, call))).toBe(lease)
  })
})
