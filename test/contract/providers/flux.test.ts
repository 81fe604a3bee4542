import { describe, expect, it, onTestFinished } from 'vitest'
import { createFluxProvider } from '../../../src/providers/flux/flux-provider.ts'
import { createFluxWire } from '../../support/wire/flux.ts'
import { createCall, describeProviderContract } from '../provider-contract.ts'
import { connectionFailures, failing } from './wire-failures.ts'
import { createProviderRequest, createStaging, type RequestChanges, wireDeps } from './wire-stage.ts'

const create = (origin: string) => createFluxProvider({ ...wireDeps(origin), apiKey: null })

function request(changes: RequestChanges = {}) {
  const parameters = { width: 256, height: 320, outputFormat: 'PNG' as const, ...changes.parameters }
  return createProviderRequest({
    modelName: 'flux-pro-1.1',
    wire: { size: 'pixels', image: 'image_prompt' },
    ...changes,
    parameters,
  })
}

const { stage, arrange, nobody, open } = createStaging({
  vendor: createFluxWire,
  provider: create,
  request,
  calls: ({ count }) => count,
})

const fails = failing(arrange)

describeProviderContract('Black Forest Labs', {
  complete: async () => ({
    ...(await stage(['ok flaky=1'], { count: 3 })()),
    expected: { mimeType: 'image/png', width: 256, height: 320 },
  }),
  fewer: async () => ({ ...(await stage(['ok', 'refused_output', 'ok'], { count: 3 })()), made: [0, 2] }),
  silence: stage(['ok held=job']),
  failures: [
    ...connectionFailures(arrange, nobody),
    fails('refused', 'REFUSED', 'ANSWERED', { providerCode: 'Request Moderated', providerBilled: false }),
    fails('refused_output', 'REFUSED', 'ANSWERED', { providerCode: 'Content Moderated', providerBilled: null }),
    fails('failed', 'UNAVAILABLE', 'ANSWERED', { providerCode: 'Error', providerBilled: null }),
    fails('gone', 'INVALID_REQUEST', 'UNKNOWN', { providerCode: 'Task not found', providerBilled: null }),
    fails('unauthorized', 'UNAUTHORIZED', 'NOT_ACCEPTED'),
    fails('quota', 'QUOTA_EXHAUSTED', 'NOT_ACCEPTED'),
    fails('rate_limited', 'RATE_LIMITED', 'NOT_ACCEPTED'),
    fails('rate_limited retry-after=2', 'RATE_LIMITED', 'NOT_ACCEPTED', { retryAfterMs: 2000 }),
    fails('unavailable', 'UNAVAILABLE', 'NOT_ACCEPTED'),
    fails('server_error', 'UNAVAILABLE', 'ANSWERED', { providerBilled: null }),
    fails('invalid', 'INVALID_REQUEST', 'ANSWERED'),
    fails('expired', 'BAD_OUTPUT', 'ANSWERED', { providerBilled: true }),
    fails('private_url', 'BAD_OUTPUT', 'ANSWERED', { providerBilled: true }),
  ],
})

describe('Black Forest Labs on the wire', () => {
  it('believes that a job is gone only when it is told so again and again', async () => {
    const { provider, request: asked, wire, close } = await stage(['ok unknown=2'])()
    onTestFinished(close)
    const { call, log } = createCall()
    expect(await provider.generate(asked, call)).toMatchObject({ failures: [] })
    expect(log.images).toHaveLength(1)
    expect(wire.billable).toHaveLength(1)
  })

  it('sends exactly what the endpoint declares', async () => {
    const {
      provider,
      request: asked,
      wire,
      close,
    } = await stage(['ok'], {
      modelName: 'flux-2-flex',
      wire: { size: 'pixels', enhance: true },
      parameters: { seed: 7, guidanceScale: 4.5, enhancePrompt: false, providerOptions: { steps: 20 } },
      referenceImages: [0, 1].map(() => ({ bytes: Buffer.from('one'), mimeType: 'image/png', width: 1, height: 1 })),
    })()
    onTestFinished(close)
    await provider.generate(asked, createCall().call)
    expect(wire.billable[0]?.json).toEqual({
      prompt: 'a red fox in snow',
      width: 256,
      height: 320,
      seed: 7,
      output_format: 'png',
      guidance: 4.5,
      prompt_upsampling: false,
      steps: 20,
      input_image: 'b25l',
      input_image_2: 'b25l',
    })
  })

  it('adds up what the vendor says that it costs', async () => {
    const { provider, request: asked } = await open(['ok cost=4.5', 'ok cost=3'], { count: 2 })
    const output = await provider.generate(asked, createCall().call)
    expect(output.reportedUsdMicros).toBe(75_000)
  })

  it('asks at the address that it was given, and sends no key to where the pictures lie', async () => {
    const { provider, request: asked, wire } = await open(['ok'])
    await provider.generate(asked, createCall().call)
    const polls = wire.requests.filter(({ path }) => path === '/v1/get_result')
    expect(new Set(polls.map(({ origin }) => origin))).toEqual(new Set([wire.secondOrigin]))
    const sample = wire.requests.find(({ path }) => path.startsWith('/samples/'))
    expect(sample?.headers['x-key']).toBeUndefined()
  })
})
