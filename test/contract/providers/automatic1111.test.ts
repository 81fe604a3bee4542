import { describe, expect, it, onTestFinished } from 'vitest'
import { createAutomatic1111Provider } from '../../../src/providers/automatic1111/automatic1111-provider.ts'
import { Secret } from '../../../src/secret.ts'
import { probeImage } from '../../../src/storage/image-probe.ts'
import { createAutomatic1111Wire } from '../../support/wire/automatic1111.ts'
import { createCall, describeProviderContract, rejectionOf } from '../provider-contract.ts'
import { connectionFailures, failing } from './wire-failures.ts'
import {
  createHurriedClock,
  createProviderRequest,
  createStaging,
  type RequestChanges,
  stageWire,
  wireDeps,
} from './wire-stage.ts'

/** Its pauses are of a second; the time that it is given to stop is of two. */
const create = (origin: string, apiKey: Secret | null = null) =>
  createAutomatic1111Provider({
    ...wireDeps(origin),
    clock: createHurriedClock(1_000),
    id: 'attic',
    name: 'Attic',
    apiKey,
  })

function request(changes: RequestChanges = {}) {
  const parameters = { width: 128, height: 192, outputFormat: 'PNG' as const, ...changes.parameters }
  return createProviderRequest({ modelName: 'sdxl', ...changes, parameters })
}

const { stage, arrange, nobody, open } = createStaging({ vendor: createAutomatic1111Wire, provider: create, request })

const fails = failing(arrange, { providerBilled: false })

describeProviderContract('AUTOMATIC1111', {
  billsNobody: true,
  complete: async () => ({
    ...(await stage(['ok polls=3'], { count: 3, previews: 2 })()),
    expected: { mimeType: 'image/png', width: 128, height: 192 },
  }),
  fewer: async () => ({ ...(await stage(['ok images=2'], { count: 3 })()), made: [0, 1] }),
  silence: stage(['ok held=job']),
  failures: [
    ...connectionFailures(arrange, nobody, { billsNobody: true }),
    fails('invalid', 'INVALID_REQUEST', 'ANSWERED'),
    fails('invalid_engine', 'INVALID_REQUEST', 'ANSWERED', { providerCode: 'HTTPException' }),
    fails('out_of_memory', 'UNAVAILABLE', 'ANSWERED', { providerCode: 'OutOfMemoryError' }),
    fails('no_api', 'UNAVAILABLE', 'NOT_ACCEPTED'),
    fails('unauthorized', 'UNAUTHORIZED', 'NOT_ACCEPTED'),
    fails('unavailable', 'UNAVAILABLE', 'NOT_ACCEPTED'),
    fails('interrupted polls=3', 'UNAVAILABLE', 'ANSWERED', { providerCode: 'interrupted' }),
    fails('no_images', 'BAD_OUTPUT', 'ANSWERED'),
  ],
})

describe('AUTOMATIC1111 on the wire', () => {
  it('sends what was asked for, and nothing that it was not', async () => {
    const { provider, request: asked, wire } = await open('ok', { parameters: { width: null, height: null } })
    await provider.generate(asked, createCall().call)
    expect(wire.billable[0]?.path).toBe('/sdapi/v1/txt2img')
    expect(wire.billable[0]?.json).toEqual({
      prompt: 'a red fox in snow',
      batch_size: 1,
      send_images: true,
      save_images: false,
      force_task_id: 'pictor-att_1',
    })
  })

  it('sends every parameter under the name that it has there', async () => {
    const {
      provider,
      request: asked,
      wire,
    } = await open('ok', {
      count: 2,
      wire: { checkpoint: true, batch: 'n_iter' },
      negativePrompt: 'rain',
      parameters: { seed: 7, guidanceScale: 4.5, style: 'film', providerOptions: { steps: 5, scheduler: 'Karras' } },
    })
    await provider.generate(asked, createCall().call)
    expect(wire.billable[0]?.json).toMatchObject({
      negative_prompt: 'rain',
      seed: 7,
      width: 128,
      height: 192,
      cfg_scale: 4.5,
      styles: ['film'],
      n_iter: 2,
      override_settings: { sd_model_checkpoint: 'sdxl' },
      override_settings_restore_afterwards: true,
      steps: 5,
      scheduler: 'Karras',
    })
  })

  it('starts from a picture and its mask', async () => {
    const {
      provider,
      request: asked,
      wire,
    } = await open('ok', {
      wire: { checkpoint: 'anime' },
      referenceImages: [{ bytes: Buffer.from('one'), mimeType: 'image/png', width: 1, height: 1 }],
      mask: { bytes: Buffer.from('two'), mimeType: 'image/png', width: 1, height: 1 },
    })
    await provider.generate(asked, createCall().call)
    expect(wire.billable[0]?.path).toBe('/sdapi/v1/img2img')
    expect(wire.billable[0]?.json).toMatchObject({
      init_images: ['b25l'],
      mask: 'dHdv',
      inpainting_mask_invert: 1,
      override_settings: { sd_model_checkpoint: 'anime' },
    })
  })

  it.each([
    ['a quality', { parameters: { quality: 'high' } }, 'quality'],
    ['an aspect ratio alone', { parameters: { aspectRatio: '1:1', width: null, height: null } }, 'aspectRatio'],
    ['another format', { parameters: { outputFormat: 'JPEG' } }, 'PNG'],
    ['a mask alone', { mask: { bytes: Buffer.from('x'), mimeType: 'image/png', width: 1, height: 1 } }, 'A mask'],
    ['anything of a broken entry', { wire: { checkpont: 'x' } }, 'wire.checkpont'],
  ] as const)('sends nothing where it cannot be told %s', async (_, changes, words) => {
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

  it('shows user and password', async () => {
    const staged = await stageWire({
      vendor: (setting) => createAutomatic1111Wire(setting, { credentials: 'ann:secret' }),
      provider: (origin) => create(origin, new Secret('ann:secret')),
      request: request(),
      modes: ['ok polls=2'],
    })
    onTestFinished(staged.close)
    const { call, log } = createCall()
    await staged.provider.generate(staged.request, { ...call, apiKey: null })
    expect(log.images).toHaveLength(1)
    expect(log.progress).not.toEqual([])
  })

  it.each(['ok grid=1', 'ok grid=silent'])('does not take a grid for one of the images: %s', async (mode) => {
    const { provider, request: asked } = await open(mode, { count: 2 })
    const { call, log } = createCall()
    await provider.generate(asked, call)
    expect(log.images.map(({ index, seed }) => [index, seed])).toEqual([
      [0, 1000],
      [1, 1001],
    ])
    for (const { bytes } of log.images) expect(await probeImage(bytes)).toMatchObject({ width: 128 })
  })

  it('hands over pictures whose seeds are not told', async () => {
    const { provider, request: asked } = await open('ok info=none')
    const { call, log } = createCall()
    await provider.generate(asked, call)
    expect(log.images).toMatchObject([{ index: 0, seed: null }])
  })

  it('tells of a picture that is none as the failure of its index', async () => {
    const { provider, request: asked } = await open('broken', { count: 3 })
    const { call, log } = createCall()
    const { failures } = await provider.generate(asked, call)
    expect(log.images.map(({ index }) => index)).toEqual([0, 2])
    expect(failures).toMatchObject([{ imageIndex: 1, error: { kind: 'BAD_OUTPUT', providerBilled: false } }])
  })

  it("repeats the engine's words, and not the request that it repeats itself", async () => {
    const { provider, request: asked } = await open('out_of_memory')
    const error = await rejectionOf(provider.generate(asked, createCall().call))
    expect(String(error)).toContain('It says: CUDA out of memory.')
    expect(String(error)).not.toContain('secret')
  })

  it('lists its checkpoints', async () => {
    const { provider } = await open('ok')
    const listed = await provider.listModels?.({ apiKey: null, signal: new AbortController().signal })
    expect(listed?.map(({ name }) => name)).toEqual(['sdxl', 'anime'])
  })
})

describe('the progress of an AUTOMATIC1111 task', () => {
  it('is told, with as many previews as were asked for', async () => {
    const { provider, request: asked } = await open('ok polls=5', { previews: 2 })
    const { call, log } = createCall()
    await provider.generate(asked, call)
    expect([...new Set(log.progress)]).toEqual([0.25, 0.5, 0.75, 0.99])
    expect(log.previews.map(({ index }) => index)).toEqual([0, 0])
  })

  it('asks for no picture where no preview was asked for', async () => {
    const { provider, request: asked, wire } = await open('ok polls=3')
    const { call, log } = createCall()
    await provider.generate(asked, call)
    expect(log.previews).toEqual([])
    const asks = wire.requests.filter(({ path }) => path === '/sdapi/v1/progress')
    expect(new Set(asks.map(({ query }) => query.get('skip_current_image')))).toEqual(new Set(['true']))
  })

  it("never shows a stranger's picture while it waits behind the stranger's job", async () => {
    const { provider, request: asked } = await open('ok busy=4 polls=5', { previews: 9 })
    const { call, log } = createCall()
    await provider.generate(asked, call)
    expect(log.previews.length).toBeGreaterThan(0)
    for (const { bytes } of log.previews) expect(await probeImage(bytes)).toMatchObject({ width: 16 })
    expect(log.progress.at(0)).toBeLessThanOrEqual(0.5)
  })

  it('is not told by a server that does not say whose it is', async () => {
    const { provider, request: asked } = await open('ok polls=3 age=old', { previews: 2 })
    const { call, log } = createCall()
    await provider.generate(asked, call)
    expect([log.progress, log.previews, log.images.length]).toEqual([[], [], 1])
  })
})

describe('an AUTOMATIC1111 task that nobody waits for any more', () => {
  async function begin(mode: string) {
    const staged = await open(mode)
    const ending = new AbortController()
    const { call } = createCall({ signal: ending.signal })
    const result = staged.provider.generate(staged.request, call).catch((error: unknown) => error)
    await staged.wire.until(({ path }) => path === '/sdapi/v1/progress')
    const interrupts = () => staged.wire.requests.filter(({ path }) => path === '/sdapi/v1/interrupt').length
    return { ...staged, ending, result, interrupts }
  }

  it('is stopped', async () => {
    const { ending, result, interrupts } = await begin('ok held=job')
    ending.abort()
    expect(await result).toMatchObject({ delivery: 'UNKNOWN', providerBilled: false })
    expect(interrupts()).toBe(1)
  })

  it.each([
    ["a stranger's job runs", 'ok busy=9999'],
    ['nobody can tell whose job runs', 'ok held=job age=old'],
  ])('is left alone while %s', async (_, mode) => {
    const { ending, result, interrupts } = await begin(mode)
    ending.abort()
    expect(await result).toMatchObject({ delivery: 'UNKNOWN' })
    expect(interrupts()).toBe(0)
  })

  it('is stopped as well where a gateway has given up on it', async () => {
    const { provider, request: asked, wire } = await open('status code=504')
    await rejectionOf(provider.generate(asked, createCall().call))
    // It looks whether it is its own that runs, and here nothing does.
    expect(wire.requests.map(({ path }) => path)).toContain('/sdapi/v1/progress')
  })
})
