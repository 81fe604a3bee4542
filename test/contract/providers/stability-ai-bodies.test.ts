import { describe, expect, it, onTestFinished } from 'vitest'
import { planRequest } from '../../../src/generation/request-plan.ts'
import { STABILITY_MODELS } from '../../../src/providers/catalog/stability-ai.ts'
import type { ReferenceImage } from '../../../src/providers/provider.ts'
import { createStabilityProvider } from '../../../src/providers/stability-ai/stability-provider.ts'
import { probeImage } from '../../../src/storage/image-probe.ts'
import { makePicture } from '../../support/wire/pictures.ts'
import { createStabilityWire } from '../../support/wire/stability-ai.ts'
import type { WireRequest } from '../../support/wire/wire-server.ts'
import { makeInput } from '../../unit/generation/request-plan-fixtures.ts'
import { createCall, rejectionOf } from '../provider-contract.ts'
import { createProviderRequest, type RequestChanges, stageWire, wireDeps } from './wire-stage.ts'

const SD3 = { api: 'v2beta', endpoint: 'sd3', model: 'sd3.5-large', imageMode: 'image-to-image' }
const CORE = { api: 'v2beta', endpoint: 'core' }
const SDXL = { modelName: 'stable-diffusion-xl-1024-v1-0', wire: { api: 'v1' } }

async function run(changes: RequestChanges, modes: readonly string[] = []) {
  const stage = await stageWire({
    vendor: createStabilityWire,
    provider: (origin) => createStabilityProvider({ ...wireDeps(origin), apiKey: null }),
    request: createProviderRequest(changes),
    modes,
  })
  onTestFinished(stage.close)
  const { call, log } = createCall()
  const output = stage.provider.generate(stage.request, call)
  return { output, wire: stage.wire, log }
}

async function fieldsOf(request: WireRequest | undefined): Promise<Record<string, unknown>> {
  const form = await request?.form()
  return Object.fromEntries(
    [...(form ?? [])].map(([name, value]) => [name, value instanceof File ? value.type : value]),
  )
}

async function makeReference(width: number, height: number): Promise<ReferenceImage> {
  return { bytes: await makePicture({ width, height }), mimeType: 'image/png', width, height }
}

describe('Stability AI on the wire', () => {
  it('sends a form with exactly what the endpoint declares, and no file', async () => {
    const { output, wire } = await run({
      wire: CORE,
      negativePrompt: 'dogs',
      parameters: { aspectRatio: '3:2', seed: 7, style: 'line-art', outputFormat: 'JPEG' },
    })
    await output
    const [request] = wire.billable
    expect(request?.path).toBe('/v2beta/stable-image/generate/core')
    expect(request?.headers.accept).toBe('application/json')
    expect(await fieldsOf(request)).toEqual({
      prompt: 'a red fox in snow',
      negative_prompt: 'dogs',
      aspect_ratio: '3:2',
      seed: '7',
      style_preset: 'line-art',
      output_format: 'jpeg',
    })
  })

  it('leaves out what was not asked for', async () => {
    const { output, wire } = await run({ wire: { api: 'v2beta', endpoint: 'ultra' } })
    await output
    expect(await fieldsOf(wire.billable[0])).toEqual({ prompt: 'a red fox in snow' })
  })

  it('starts sd3 from a reference image with its mode, its strength and no aspect ratio', async () => {
    const { output, wire, log } = await run({
      wire: SD3,
      referenceImages: [await makeReference(320, 180)],
      parameters: { aspectRatio: '16:9', guidanceScale: 4.5, providerOptions: { strength: 0.8 } },
    })
    await output
    expect(await fieldsOf(wire.billable[0])).toEqual({
      prompt: 'a red fox in snow',
      model: 'sd3.5-large',
      mode: 'image-to-image',
      image: 'image/png',
      strength: '0.8',
      cfg_scale: '4.5',
    })
    const [image] = log.images
    expect(image && (await probeImage(image.bytes))).toMatchObject({ width: 320, height: 180 })
  })

  it('starts ultra from a reference image in a ratio of its own, with the strength that the schema tells of', async () => {
    const { output, wire } = await run({
      wire: { api: 'v2beta', endpoint: 'ultra' },
      referenceImages: [await makeReference(64, 64)],
      parameters: { aspectRatio: '16:9' },
    })
    await output
    expect(await fieldsOf(wire.billable[0])).toEqual({
      prompt: 'a red fox in snow',
      image: 'image/png',
      strength: '0.5',
      aspect_ratio: '16:9',
    })
  })

  it('sends nothing where the vendor would drop the aspect ratio', async () => {
    const referenceImages = [await makeReference(64, 64)]
    const { output, wire, log } = await run({ wire: SD3, referenceImages, parameters: { aspectRatio: '16:9' } })
    const error = await rejectionOf(output)
    expect(error).toMatchObject({ kind: 'INVALID_REQUEST', delivery: 'NOT_SENT', providerBilled: false })
    expect(String(error)).toContain('aspectRatio')
    expect(log.steps).toEqual([])
    expect(wire.requests).toEqual([])
  })

  it('sends nothing that is larger than the vendor takes', async () => {
    const reference: ReferenceImage = {
      bytes: Buffer.alloc(10 * 1024 * 1024),
      mimeType: 'image/png',
      width: 9,
      height: 9,
    }
    const { output, wire } = await run({ wire: SD3, referenceImages: [reference] })
    expect(await rejectionOf(output)).toMatchObject({ kind: 'INVALID_REQUEST', delivery: 'NOT_SENT' })
    expect(wire.requests).toEqual([])
  })

  it('sends v1 one body for all images, with a weight below zero for what is not wanted', async () => {
    const { output, wire, log } = await run({
      ...SDXL,
      count: 2,
      negativePrompt: 'dogs',
      parameters: {
        width: 1344,
        height: 768,
        seed: 7,
        guidanceScale: 9,
        style: 'anime',
        outputFormat: 'PNG',
        providerOptions: { steps: 20, sampler: 'K_LMS' },
      },
    })
    await output
    expect(wire.billable.map(({ path }) => path)).toEqual([
      '/v1/generation/stable-diffusion-xl-1024-v1-0/text-to-image',
    ])
    expect(wire.billable[0]?.json).toEqual({
      text_prompts: [{ text: 'a red fox in snow' }, { text: 'dogs', weight: -1 }],
      samples: 2,
      width: 1344,
      height: 768,
      seed: 7,
      cfg_scale: 9,
      style_preset: 'anime',
      steps: 20,
      sampler: 'K_LMS',
    })
    expect(log.images.map(({ seed }) => seed)).toEqual([7, 8])
  })

  it.each([
    ['a size outside the list', { ...SDXL, parameters: { width: 1024, height: 768 } }],
    ['a style that there is not', { wire: CORE, parameters: { style: 'oil' } }],
    ['a format that sd3 has not', { wire: SD3, parameters: { outputFormat: 'WEBP' as const } }],
  ])('is told of %s in the words of the vendor', async (_, changes) => {
    const { output } = await run(changes)
    const error = await rejectionOf(output)
    expect(error).toMatchObject({ kind: 'INVALID_REQUEST', providerCode: 'bad_request', providerBilled: false })
    expect(String(error)).toMatch(/It says: .*(allowed)/)
  })
})

describe('What Stability AI hands over', () => {
  it('asks for one image after the other with the next seed each, and tells which seed each has', async () => {
    const { output, wire, log } = await run({ wire: CORE, count: 3, parameters: { seed: 4_294_967_293 } })
    await output
    const sent = await Promise.all(wire.billable.map(async (each) => Number((await fieldsOf(each)).seed)))
    expect(sent.sort((left, right) => left - right)).toEqual([1, 4_294_967_293, 4_294_967_294])
    const told = log.images.sort((left, right) => left.index - right.index).map(({ seed }) => seed)
    expect(told).toEqual([4_294_967_293, 4_294_967_294, 1])
  })

  it.each([
    ['v2beta', { wire: CORE }],
    ['v1', SDXL],
  ])('takes bytes with headers for as good as JSON (%s)', async (_, changes) => {
    const { output, log } = await run({ ...changes, parameters: { seed: 12 } }, ['bytes'])
    await output
    expect(log.images).toMatchObject([{ index: 0, seed: 12 }])
    const [image] = log.images
    expect(image && (await probeImage(image.bytes))).toMatchObject({ width: 1024, height: 1024 })
  })

  it('keeps what was made when one artifact failed and another was filtered', async () => {
    const { output, log } = await run({ ...SDXL, count: 4 }, ['ok failed=0 filtered=2'])
    const { failures, requestId } = await output
    expect(log.images.map(({ index }) => index)).toEqual([1, 3])
    expect(failures).toMatchObject([
      { imageIndex: 0, error: { kind: 'UNAVAILABLE', providerCode: 'ERROR', providerRequestId: requestId } },
      { imageIndex: 2, error: { kind: 'REFUSED', providerCode: 'CONTENT_FILTERED', providerRequestId: requestId } },
    ])
  })

  it('leaves open what v1 left out, and takes no more than was asked for', async () => {
    const fewer = await run({ ...SDXL, count: 3 }, ['ok fewer=2'])
    expect((await fewer.output).failures).toEqual([])
    expect(fewer.log.images.map(({ index }) => index)).toEqual([0, 1])
    const more = await run({ ...SDXL, count: 2 }, ['ok more=2'])
    await more.output
    expect(more.log.images.map(({ index }) => index)).toEqual([0, 1])
  })

  it('begins no further image once the key is refused', async () => {
    const unauthorized = Array.from({ length: 4 }, () => 'unauthorized')
    const { output, wire } = await run({ wire: CORE, count: 10 }, unauthorized)
    const { failures } = await output
    expect(failures.map(({ error }) => error.kind)).toEqual(Array.from({ length: 10 }, () => 'UNAUTHORIZED'))
    expect(wire.billable).toHaveLength(4)
  })

  it('tells of every request that made an image', async () => {
    const { output } = await run({ wire: CORE, count: 2 })
    expect((await output).requestId).toMatch(/^req_\S+ req_\S+$/)
  })
})

describe('The models of Stability AI', () => {
  it.each(STABILITY_MODELS.map((model) => [model.id, model] as const))(
    '%s is taken as it is declared',
    async (_, model) => {
      const { capabilities } = model
      const [style = null] = capabilities.styles
      const input = makeInput({
        count: 2,
        seed: capabilities.maxSeed,
        style,
        aspectRatio: capabilities.aspectRatios.at(-1) ?? null,
        size: capabilities.sizes.at(-1) ?? null,
        negativePrompt: capabilities.negativePrompt ? 'dogs' : null,
        guidanceScale: capabilities.guidanceScaleRange?.max ?? null,
        outputFormat: model.nativeFormats.at(-1) ?? null,
      })
      const { parameters, negativePrompt, count } = planRequest(model, {}, input)
      const asked = { modelName: model.providerModel, wire: model.wire, negativePrompt, count, parameters }
      const { output, log } = await run(asked)
      expect((await output).failures).toEqual([])
      expect(log.images).toHaveLength(2)
    },
  )

  it('makes SDXL in each of its sizes, in thirty steps at most', async () => {
    const model = STABILITY_MODELS.find(({ wire }) => wire.api === 'v1')
    for (const size of model?.capabilities.sizes ?? []) {
      if (!model) continue
      const { parameters } = planRequest(model, {}, makeInput({ size, providerOptions: { steps: 30 } }))
      const { output, log } = await run({ ...SDXL, parameters })
      await output
      const [image] = log.images
      const { width, height } = (image && (await probeImage(image.bytes))) ?? {}
      expect(`${width}x${height}`).toBe(size)
    }
    expect(model?.capabilities.sizes).toHaveLength(9)
  })

  it.each(['steps', 'samples', 'seed', 'width', 'init_image'])(
    'takes no option `%s` that costs more or hides',
    (name) => {
      for (const model of STABILITY_MODELS) {
        const input = makeInput({ providerOptions: { [name]: 50 } })
        expect(() => planRequest(model, {}, input)).toThrow()
      }
    },
  )
})
