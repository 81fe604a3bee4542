import { describe, expect, it } from 'vitest'
import { createComfyuiProvider } from '../../../src/providers/comfyui/comfyui-provider.ts'
import { Secret } from '../../../src/secret.ts'
import { createComfyuiWire } from '../../support/wire/comfyui.ts'
import type { Graph } from '../../support/wire/comfyui-graph.ts'
import { makePicture } from '../../support/wire/pictures.ts'
import type { WireServer } from '../../support/wire/wire-server.ts'
import { createCall, describeProviderContract, rejectionOf } from '../provider-contract.ts'
import { EDITING, ONE_RUN, RUN_AN_IMAGE } from './comfyui-workflow.ts'
import { connectionFailures, failing } from './wire-failures.ts'
import { createProviderRequest, createStaging, type RequestChanges, wireDeps } from './wire-stage.ts'

const create = (origin: string) =>
  createComfyuiProvider({ ...wireDeps(origin), id: 'studio', name: 'Studio', apiKey: null })

function request(changes: RequestChanges = {}) {
  const parameters = { width: 128, height: 192, outputFormat: 'PNG' as const, ...changes.parameters }
  return createProviderRequest({ modelName: 'portrait', wire: ONE_RUN, ...changes, parameters })
}

const { stage, arrange, nobody, open } = createStaging({
  vendor: createComfyuiWire,
  provider: create,
  request,
  calls: ({ wire, count }) => (wire === ONE_RUN ? 1 : count),
})

/** What was submitted first. */
function graphOf({ billable }: WireServer): Graph {
  const [first] = billable
  return (first?.json as { prompt?: Graph } | undefined)?.prompt ?? {}
}

const fails = failing(arrange, { providerBilled: false })

describeProviderContract('ComfyUI, one run for all images,', {
  billsNobody: true,
  complete: async () => ({
    ...(await stage(['ok flaky=1'], { count: 3, previews: 2 })()),
    expected: { mimeType: 'image/png', width: 128, height: 192 },
  }),
  fewer: async () => ({ ...(await stage(['ok images=2'], { count: 3 })()), made: [0, 1] }),
  silence: stage(['ok held=job']),
  failures: [
    // An answer that is lost after the engine has taken the run is looked for, and found: see below.
    ...connectionFailures(arrange, nobody, { billsNobody: true }).filter(({ title }) => title !== 'truncate'),
    fails('invalid', 'INVALID_REQUEST', 'ANSWERED', { providerCode: 'prompt_outputs_failed_validation' }),
    fails('no_outputs', 'INVALID_REQUEST', 'ANSWERED', { providerCode: 'prompt_no_outputs' }),
    fails('elsewhere', 'UNAVAILABLE', 'NOT_ACCEPTED'),
    fails('unauthorized', 'UNAUTHORIZED', 'NOT_ACCEPTED'),
    fails('unavailable', 'UNAVAILABLE', 'NOT_ACCEPTED'),
    fails('server_error', 'UNAVAILABLE', 'ANSWERED'),
    fails('failed', 'UNAVAILABLE', 'ANSWERED', { providerCode: 'torch.OutOfMemoryError' }),
    fails('failed_mute', 'UNAVAILABLE', 'ANSWERED', { providerCode: 'torch.OutOfMemoryError' }),
    fails('failed_mute mute=1', 'UNAVAILABLE', 'ANSWERED'),
    fails('interrupted', 'UNAVAILABLE', 'ANSWERED', { providerCode: 'execution_interrupted' }),
    fails('forgotten', 'UNAVAILABLE', 'ANSWERED'),
    fails('no_images', 'BAD_OUTPUT', 'ANSWERED'),
  ],
})

describeProviderContract('ComfyUI, one run for each image,', {
  billsNobody: true,
  complete: async () => ({
    ...(await stage(['ok'], { wire: RUN_AN_IMAGE, count: 3, previews: 1 })()),
    expected: { mimeType: 'image/png', width: 128, height: 192 },
  }),
  fewer: async () => ({
    ...(await stage(['ok', 'failed', 'ok'], { wire: RUN_AN_IMAGE, count: 3 })()),
    made: [0, 2],
  }),
  silence: stage(['ok held=job'], { wire: RUN_AN_IMAGE, count: 2 }),
  failures: [],
})

describe('ComfyUI on the wire', () => {
  it('puts each value in its place and leaves the rest of the graph as it is', async () => {
    const parameters = { seed: 7, guidanceScale: 4.5, providerOptions: { steps: 5, sampler: 'dpmpp_2m' } }
    const { provider, request: asked, wire } = await open(['ok'], { count: 2, negativePrompt: 'rain', parameters })
    await provider.generate(asked, createCall().call)
    const body = wire.billable[0]?.json as Readonly<Record<string, unknown>>
    const { 3: sampler, ...rest } = ONE_RUN.graph
    expect(body).toEqual({
      client_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      prompt_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      prompt: {
        ...rest,
        3: { ...sampler, inputs: { ...sampler.inputs, seed: 7, cfg: 4.5, steps: 5, sampler_name: 'dpmpp_2m' } },
        5: { class_type: 'EmptyLatentImage', inputs: { width: 128, height: 192, batch_size: 2 } },
        6: { class_type: 'CLIPTextEncode', inputs: { text: 'a red fox in snow', clip: ['4', 1] } },
        7: { class_type: 'CLIPTextEncode', inputs: { text: 'rain', clip: ['4', 1] } },
      },
    })
  })

  it('draws a seed where none was given, tells which, and another one for another attempt', async () => {
    const { provider, request: asked, wire } = await open(['ok', 'ok'], { count: 2 })
    const first = createCall()
    await provider.generate(asked, first.call)
    const sent = graphOf(wire)[3]?.inputs.seed
    expect(Number.isInteger(sent)).toBe(true)
    expect(first.log.images.map(({ seed }) => seed)).toEqual([sent, sent])
    const other = createCall()
    await provider.generate(asked, { ...other.call, attemptId: 'att_2' })
    expect(other.log.images[0]?.seed).not.toBe(sent)
  })

  it('counts the seed up where each image is a run of its own', async () => {
    const { provider, request: asked } = await open(['ok'], { wire: RUN_AN_IMAGE, count: 3, parameters: { seed: 40 } })
    const { call, log } = createCall()
    await provider.generate(asked, call)
    const seeds = log.images.toSorted((left, right) => left.index - right.index).map(({ seed }) => seed)
    expect(seeds).toEqual([40, 41, 42])
  })

  it('uploads reference images and the mask before anything else, and names them in the graph', async () => {
    const pictures = await Promise.all([0, 1, 2].map((index) => makePicture({ width: 8, height: 8, index })))
    const [first, second, mask] = pictures.map(
      (bytes) => ({ bytes, mimeType: 'image/png', width: 8, height: 8 }) as const,
    )
    if (!first || !second || !mask) return expect.unreachable()
    const {
      provider,
      request: asked,
      wire,
    } = await open(['ok'], {
      modelName: 'flux.safetensors',
      wire: EDITING,
      referenceImages: [first, second],
      mask,
    })
    const { call, log } = createCall({
      onSending: async () => expect(wire.requests.map(({ path }) => path)).toEqual(Array(3).fill('/upload/image')),
    })
    await provider.generate(asked, call)
    expect(log.images).toHaveLength(1)
    const form = await wire.requests[0]?.form()
    expect(form?.get('image')).toHaveProperty('size', first.bytes.length)
    const nameOf = (node: number) => graphOf(wire)[node]?.inputs.image
    expect(nameOf(10)).toMatch(/^refs\/pictor-[0-9a-f]{32}\.png$/)
    expect(nameOf(11)).toBe(nameOf(10))
    expect(new Set([nameOf(10), nameOf(12), nameOf(13)]).size).toBe(3)
    expect(graphOf(wire)[4]?.inputs.ckpt_name).toBe('flux.safetensors')
  })

  it('shows a key to a proxy that stands before the engine, also where the socket is opened', async () => {
    const { wire } = await open([])
    const provider = createComfyuiProvider({
      ...wireDeps(wire.origin),
      id: 'studio',
      name: 'Studio',
      apiKey: new Secret('ann:secret'),
    })
    await provider.generate(request(), { ...createCall().call, apiKey: null })
    const shown = new Set(wire.requests.map(({ headers }) => headers.authorization))
    expect(shown).toEqual(new Set([`Basic ${Buffer.from('ann:secret').toString('base64')}`]))
  })

  it.each([
    ['a parameter', { parameters: { quality: 'high' } }, 'wire.inputs.quality'],
    [
      'a format that a graph does not make by itself',
      { parameters: { outputFormat: 'WEBP' } },
      'wire.inputs.outputFormat',
    ],
    ['an option', { parameters: { providerOptions: { loras: 'x' } } }, 'wire.inputs.options.loras'],
    ['a link in an option', { parameters: { providerOptions: { steps: ['4', 0] } } }, 'The option steps'],
    ['a mask', { mask: { bytes: Buffer.from('x'), mimeType: 'image/png', width: 1, height: 1 } }, 'wire.inputs.mask'],
    ['no reference image where it needs two', { wire: EDITING }, 'wire.inputs.referenceImages'],
    [
      'several images of a graph that makes the same one each time',
      { count: 2, wire: { graph: ONE_RUN.graph, inputs: { ...ONE_RUN.inputs, seed: undefined, count: undefined } } },
      'wire.inputs.seed',
    ],
    ['anything of a broken entry', { wire: { graph: ONE_RUN.graph } }, 'wire.inputs'],
  ] as const)('sends nothing where there is no place for %s', async (_, changes, key) => {
    const { provider, request: asked, wire } = await open([], changes as RequestChanges)
    const { call, log } = createCall()
    const error = await rejectionOf(provider.generate(asked, call))
    expect(error).toMatchObject({
      kind: 'INVALID_REQUEST',
      delivery: 'NOT_SENT',
      message: expect.stringContaining(key),
    })
    expect(log.steps).toEqual([])
    expect(wire.requests).toEqual([])
  })

  it('keeps the picture of a run that failed after it, and says why the rest is missing', async () => {
    const { provider, request: asked } = await open(['failed_late images=1'], { count: 2 })
    const { call, log } = createCall()
    const output = await provider.generate(asked, call)
    expect(log.images.map(({ index }) => index)).toEqual([0])
    expect(output.failures).toMatchObject([
      { imageIndex: 1, error: { kind: 'UNAVAILABLE', delivery: 'ANSWERED', providerBilled: false } },
    ])
  })

  it('tells of a picture that cannot be fetched as the failure of its index', async () => {
    const { provider, request: asked } = await open(['lost_file'], { count: 2 })
    const { failures } = await provider.generate(asked, createCall().call)
    expect(failures.map(({ imageIndex, error }) => [imageIndex, error.kind])).toEqual([
      [0, 'BAD_OUTPUT'],
      [1, 'BAD_OUTPUT'],
    ])
  })

  it('takes pictures that are only shown where a graph saves none', async () => {
    const { provider, request: asked } = await open(['ok type=temp'])
    const { call, log } = createCall()
    await provider.generate(asked, call)
    expect(log.images).toHaveLength(1)
  })

  it('repeats the first line of what the engine says, and nothing of its machine', async () => {
    const { provider, request: asked } = await open(['failed'])
    const error = await rejectionOf(provider.generate(asked, createCall().call))
    expect(String(error)).toContain('KSampler: Allocation on device')
    expect(String(error)).not.toMatch(/path of a file|\/opt/)
  })
})
