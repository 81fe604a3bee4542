import { describe, expect, it } from 'vitest'
import { createSystemClock } from '../../src/clock.ts'
import { createIds } from '../../src/ids.ts'
import type { GenerationParameters } from '../../src/providers/model.ts'
import type { ProviderRequest } from '../../src/providers/provider.ts'
import type { ProviderErrorKind } from '../../src/providers/provider-error.ts'
import { createSandboxProvider } from '../../src/providers/sandbox/sandbox-provider.ts'
import { BrokenImageError, probeImage } from '../../src/storage/image-probe.ts'
import { createFakeClock } from '../support/fake-clock.ts'
import { createFakeIds } from '../support/fake-ids.ts'
import { createCall, describeProviderContract, rejectionOf } from './provider-contract.ts'

const PARAMETERS: GenerationParameters = {
  width: 64,
  height: 64,
  aspectRatio: null,
  quality: null,
  style: null,
  background: null,
  outputFormat: 'PNG',
  outputCompression: null,
  seed: null,
  guidanceScale: null,
  enhancePrompt: null,
  watermark: null,
  referenceImages: 0,
  providerOptions: null,
}

type Changes = Partial<Omit<ProviderRequest, 'parameters'>> & { readonly parameters?: Partial<GenerationParameters> }

function createRequest(directives: string, changes: Changes = {}): ProviderRequest {
  return {
    modelName: 'painter',
    prompt: `a red fox in snow [[sandbox ${directives}]]`,
    negativePrompt: null,
    count: 1,
    previews: 0,
    wire: {},
    referenceImages: [],
    mask: null,
    ...changes,
    parameters: { ...PARAMETERS, ...changes.parameters },
  }
}

const createProvider = () => createSandboxProvider({ clock: createSystemClock(), ids: createIds() })
const stage = (directives: string, changes?: Changes) => () => ({
  provider: createProvider(),
  request: createRequest(directives, changes),
  restart: createProvider,
})
const fails = (kind: ProviderErrorKind, delivery: 'NOT_SENT' | 'NOT_ACCEPTED' | 'ANSWERED' | 'UNKNOWN', how = '') => {
  const directives = `delay=0 fail=${kind.toLowerCase()} ${how}`
  return { title: directives, arrange: stage(directives), kind, delivery }
}

describeProviderContract('The sandbox', {
  complete: () => ({
    ...stage('delay=20', { count: 3, previews: 2, parameters: { width: 96, height: 64, outputFormat: 'WEBP' } })(),
    expected: { mimeType: 'image/webp', width: 96, height: 64 },
  }),
  fewer: () => ({ ...stage('delay=0 fail-image=1', { count: 3 })(), made: [0, 2] }),
  silence: stage('delay=0 hang'),
  failures: [
    fails('REFUSED', 'ANSWERED'),
    fails('RATE_LIMITED', 'NOT_ACCEPTED'),
    { ...fails('RATE_LIMITED', 'NOT_ACCEPTED', 'retry-after=3000'), retryAfterMs: 3000 },
    fails('UNAVAILABLE', 'NOT_ACCEPTED'),
    fails('TIMEOUT', 'ANSWERED'),
    fails('TIMEOUT', 'UNKNOWN', 'at=submit'),
    fails('INVALID_REQUEST', 'ANSWERED'),
    fails('UNAUTHORIZED', 'NOT_ACCEPTED'),
    fails('QUOTA_EXHAUSTED', 'NOT_ACCEPTED'),
    fails('MODEL_RETIRED', 'NOT_ACCEPTED'),
    fails('BAD_OUTPUT', 'ANSWERED'),
    fails('UNAVAILABLE', 'NOT_SENT', 'at=before-send'),
    fails('UNAVAILABLE', 'ANSWERED', 'at=running'),
    fails('REFUSED', 'ANSWERED', 'at=output'),
    { title: 'unknown', arrange: stage('delay=0 unknown'), kind: 'UNAVAILABLE', delivery: 'UNKNOWN' },
    { title: 'a directive that is not there', arrange: stage('dely=0'), kind: 'INVALID_REQUEST', delivery: 'NOT_SENT' },
    {
      title: 'a retired model',
      arrange: stage('delay=0', { modelName: 'daguerreotype' }),
      kind: 'MODEL_RETIRED',
      delivery: 'NOT_SENT',
    },
    {
      title: 'an unknown model',
      arrange: stage('delay=0', { modelName: 'pianter' }),
      kind: 'INVALID_REQUEST',
      delivery: 'NOT_SENT',
    },
    {
      title: 'a transparent JPEG',
      arrange: stage('delay=0', { parameters: { outputFormat: 'JPEG', background: 'TRANSPARENT' } }),
      kind: 'INVALID_REQUEST',
      delivery: 'NOT_SENT',
    },
  ],
})

async function generate(directives: string, changes?: Changes, attemptNumber = 1) {
  const { call, log } = createCall({ attemptNumber })
  const output = await createProvider().generate(createRequest(directives, changes), call)
  return { output, log }
}

describe('the sandbox', () => {
  it('hands over the same bytes for the same prompt, size and seed, whatever the directives', async () => {
    const seeded = { parameters: { seed: 7 } }
    const [one, two] = [await generate('delay=0', seeded), await generate('delay=5 steps=3 sync', seeded)]
    expect(one.log.images[0]?.bytes).toEqual(two.log.images[0]?.bytes)
    const other = await generate('delay=0', { parameters: { seed: 8 } })
    expect(other.log.images[0]?.bytes).not.toEqual(one.log.images[0]?.bytes)
  })

  it('takes a random seed where none is given, and one more for each further image', async () => {
    const { log } = await generate('delay=0', { count: 3 })
    const [first = -1, ...further] = log.images.map((image) => image.seed ?? -1)
    expect(first).toBeGreaterThanOrEqual(0)
    expect(further).toEqual([first + 1, first + 2])
    const again = await generate('delay=0', { parameters: { seed: first + 2 } })
    expect(again.log.images[0]?.bytes).toEqual(log.images[2]?.bytes)
  })

  it('bills a job that was done and whose output is lost, and nothing that failed before', async () => {
    const { call } = createCall()
    const lost = createProvider().generate(createRequest('delay=0 fail=unavailable at=output'), call)
    await expect(lost).rejects.toMatchObject({ providerBilled: true })
    const failed = createProvider().generate(createRequest('delay=0 fail=unavailable at=running'), createCall().call)
    await expect(failed).rejects.toMatchObject({ providerBilled: false })
  })

  it('fails the first attempts and then succeeds', async () => {
    for (const attemptNumber of [1, 2]) {
      const failing = generate('delay=0 fail=unavailable times=2', {}, attemptNumber)
      await expect(failing).rejects.toMatchObject({ kind: 'UNAVAILABLE', delivery: 'NOT_ACCEPTED' })
    }
    const { log } = await generate('delay=0 fail=unavailable times=2', {}, 3)
    expect(log.images).toHaveLength(1)
  })

  it('makes too few images without a word', async () => {
    const { output, log } = await generate('delay=0 images=1', { count: 3 })
    expect(log.images.map((image) => image.index)).toEqual([0])
    expect(output.failures).toEqual([])
  })

  it('lets single images fail as it is told', async () => {
    const { output, log } = await generate('delay=0 fail-image=0,2 fail=bad_output', { count: 3 })
    expect(log.images.map((image) => image.index)).toEqual([1])
    expect(output.failures.map(({ imageIndex, error }) => [imageIndex, error.kind])).toEqual([
      [0, 'BAD_OUTPUT'],
      [2, 'BAD_OUTPUT'],
    ])
  })

  it.each(['broken', 'broken=page'])('hands over bytes that are no picture: %s', async (directive) => {
    for (const outputFormat of ['PNG', 'JPEG', 'WEBP'] as const) {
      const { log } = await generate(`delay=0 ${directive}`, { parameters: { outputFormat } })
      const probing = probeImage(log.images[0]?.bytes ?? new Uint8Array())
      await expect(probing).rejects.toBeInstanceOf(BrokenImageError)
    }
  })

  it('has no job to go on from when it answers within the call', async () => {
    const { log } = await generate('delay=0 sync')
    expect(log.steps).toEqual(['sending', 'image'])
    expect(log.reference).toBeNull()
  })

  it('says that it rewrote the prompt', async () => {
    const { log } = await generate('delay=0 revise="a fox, in oil"')
    expect(log.images[0]?.revisedPrompt).toBe('a fox, in oil')
  })

  it('shows as many previews of each image as are asked for, before the image', async () => {
    const { call, log } = createCall()
    const told: string[] = []
    await createProvider().generate(createRequest('delay=0 steps=1', { count: 2, previews: 3 }), {
      ...call,
      onPreview: ({ index }) => void told.push(`preview ${index}`),
      onImage: async ({ index }) => void told.push(`image ${index}`),
    })
    expect(told).toEqual([0, 1].flatMap((index) => [...Array(3).fill(`preview ${index}`), `image ${index}`]))
    expect(log.progress).toEqual([1])
  })
})

describe('a job of the sandbox', () => {
  it('takes the time that it is told to, and tells each step at its moment', async () => {
    const clock = createFakeClock()
    const { call, log } = createCall()
    const provider = createSandboxProvider({ clock, ids: createFakeIds() })
    const result = provider.generate(createRequest('delay=1000 steps=4', { parameters: { seed: 1 } }), call)
    await clock.advance(249)
    expect(log.progress).toEqual([])
    await clock.advance(501)
    expect(log.progress).toEqual([0.25, 0.5, 0.75])
    await clock.advance(249)
    expect(log.images).toEqual([])
    await clock.advance(1)
    await result
    expect(log.images).toHaveLength(1)
    expect(log.progress).toEqual([0.25, 0.5, 0.75, 1])
  })

  it('is resumed for the time that is left, and delivers what it would have delivered', async () => {
    const clock = createFakeClock()
    const request = createRequest('delay=1000 steps=2')
    const crash = new AbortController()
    const first = createCall({ signal: crash.signal })
    const crashed = createSandboxProvider({ clock, ids: createFakeIds() }).generate(request, first.call)
    const rejected = rejectionOf(crashed)
    await clock.advance(700)
    crash.abort()
    await rejected
    const { call, log } = createCall()
    const restarted = createSandboxProvider({ clock, ids: createFakeIds() })
    const result = restarted.resume?.(JSON.parse(JSON.stringify(first.log.reference)), request, call)
    await clock.advance(299)
    expect(log.images).toEqual([])
    await clock.advance(1)
    await result
    expect(log.progress).toEqual([1])
    expect(log.images[0]?.seed).toBe(first.log.reference?.seed)
  })

  it('stops when it is canceled, and a canceled job that nobody runs is no fault', async () => {
    const provider = createProvider()
    const { call, log } = createCall({
      onAccepted: async (reference) => {
        setImmediate(() => provider.cancel?.(reference, { apiKey: null, signal: AbortSignal.timeout(1000) }))
      },
    })
    const hanging = provider.generate(createRequest('delay=0 hang'), call)
    await expect(hanging).rejects.toMatchObject({ providerCode: 'sandbox_canceled', delivery: 'ANSWERED' })
    expect(log.images).toEqual([])
    await provider.cancel?.({ jobId: 'sandbox_gone' }, { apiKey: null, signal: AbortSignal.timeout(1000) })
  })

  it('is not known by a reference that is none of its own', async () => {
    const resumed = createProvider().resume?.({ jobId: 'x' }, createRequest('delay=0'), createCall().call)
    await expect(resumed).rejects.toMatchObject({ kind: 'INVALID_REQUEST', delivery: 'ANSWERED' })
  })
})
