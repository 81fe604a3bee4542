import { beforeAll, describe, expect, it } from 'vitest'
import type { GenerateImageInput } from '../../../schema/generated/operations.ts'
import { EstimateCostDocument, ModelsDocument } from '../../../schema/generated/operations.ts'
import { createFastClock } from '../../support/fast-clock.ts'
import { refuse } from '../../support/generating.ts'
import { startApp, type TestApp } from '../../support/start-app.ts'
import { PLAYED_VENDORS, type PlayedVendor } from '../../support/wire/vendors.ts'
import { startWireServer, type WireServer } from '../../support/wire/wire-server.ts'
import { make } from './vendor-suite.ts'

/** The names by which users of the hosted APIs know their models, and what comes of each today. */
const LIVING = [
  ['flux-1.1-pro', 'flux/flux-1.1-pro', { size: '1024x1024' }, '0.040000'],
  ['flux-1.1-pro', 'flux/flux-1.1-pro', { size: '1024x768' }, '0.040000'],
  ['flux-1.1-pro', 'flux/flux-1.1-pro', { width: 768, height: 1024 }, '0.040000'],
  ['flux-dev', 'flux/flux-dev', { size: '1024x768' }, '0.025000'],
  ['flux-1', 'flux/flux-dev', {}, '0.025000'],
  ['flux-2', 'flux/flux-2-pro', { size: '1024x1024' }, '0.030000'],
  ['flux-2', 'flux/flux-2-pro', { width: 2048, height: 2048 }, '0.075000'],
  ['flux-2-flex', 'flux/flux-2-flex', { size: '1024x1024' }, '0.050000'],
  ['stable-diffusion-xl', 'stability-ai/stable-diffusion-xl', { size: '1152x896' }, '0.009000'],
  ['stable-diffusion-xl', 'stability-ai/stable-diffusion-xl', { size: '896x1152' }, '0.009000'],
  ['ideogram-v2', 'ideogram/ideogram-v2', { size: '1024x1024' }, '0.080000'],
  ['seedream-4', 'bytedance/seedream-4', { width: 2048, height: 2048 }, '0.030000'],
  ['nano-banana-pro', 'google/gemini-3-pro-image', { width: 1024, height: 1024 }, '0.134000'],
  ['nano-banana-pro', 'google/gemini-3-pro-image', { aspectRatio: '16:9' }, '0.134000'],
] as const satisfies readonly (readonly [string, string, Partial<GenerateImageInput>, string])[]

const GONE = [
  ['dall-e-3', 'openai/dall-e-3', 'openai/gpt-image-2.6-flare', {}],
  ['openai/dall-e-3', 'openai/dall-e-3', 'openai/gpt-image-2.6-flare', { size: '1024x1792' }],
  ['dall-e-2', 'openai/dall-e-2', 'openai/gpt-image-2.6-flare', { size: '512x512' }],
  ['nano-banana', 'google/gemini-2.5-flash-image', 'google/gemini-nano-banana-2.1', {}],
  ['nano-banana-2', 'google/gemini-3.1-flash-image', 'google/gemini-nano-banana-2.1', {}],
  ['gemini-2.5-flash-image-1024x1024', 'google/gemini-2.5-flash-image', 'google/gemini-nano-banana-2.1', {}],
  ['gemini-2.5-flash-image-16:9', 'google/gemini-2.5-flash-image', 'google/gemini-nano-banana-2.1', {}],
  ['gemini-2.5-flash-image-9:16', 'google/gemini-2.5-flash-image', 'google/gemini-nano-banana-2.1', {}],
] as const satisfies readonly (readonly [string, string, string, Partial<GenerateImageInput>])[]

const PROMPT = 'a red fox in snow'

/** One server with every vendor behind it. */
let app: TestApp
let wires: readonly WireServer[]

beforeAll(async () => {
  const vendors: readonly PlayedVendor[] = Object.values(PLAYED_VENDORS)
  wires = await Promise.all(vendors.map(({ create }) => startWireServer(create)))
  const env = Object.assign(
    {},
    ...vendors.map((vendor, place) => vendor.environment(wires[place]?.origin ?? '', 'key')),
  )
  app = await startApp({ env, clock: createFastClock(20), leaseMs: 600_000 })
  return async () => {
    await app[Symbol.asyncDispose]()
    await Promise.all(wires.map((wire) => wire.close()))
  }
})

const callsSoFar = () => wires.reduce((sum, { billable }) => sum + billable.length, 0)

async function estimate(input: GenerateImageInput) {
  const { estimateCost } = await app.client.run(EstimateCostDocument, { input })
  if (estimateCost.__typename !== 'CostEstimate') throw new Error(JSON.stringify(estimateCost))
  return estimateCost
}

describe('the model that people call', () => {
  it.each(LIVING)('%s is %s, with %j at most a little above %s dollars', async (model, id, shape, price) => {
    const input = { prompt: PROMPT, model, ...shape }
    const { total, model: answering } = await estimate(input)
    expect(answering.id).toBe(id)
    // Token-priced ones add what the prompt costs.
    expect(Number(total?.max.amount)).toBeGreaterThanOrEqual(Number(price))
    expect(Number(total?.min.amount)).toBeLessThanOrEqual(Number(price) * 1.01)
    const { generation } = await make(app, input)
    expect(generation).toMatchObject({ status: 'COMPLETED', problems: [], model: { id } })
    expect(Number(generation.cost.charged?.amount)).toBeLessThanOrEqual(Number(total?.max.amount))
    const [image] = generation.images
    const { width, height } = { width: 0, height: 0, ...shape }
    if (width > 0) expect(image).toMatchObject({ width, height })
  })

  it.each(GONE)('%s was %s, and is refused with %s named', async (model, id, replacement, shape) => {
    const before = callsSoFar()
    const refused = await refuse(app.client, 'ModelUnavailableError', { prompt: PROMPT, model, ...shape })
    expect(refused).toMatchObject({ reason: 'RETIRED', replacement: { id: replacement } })
    expect(refused.message).toContain(id)
    expect(callsSoFar()).toBe(before)
  })

  it.each(GONE)('%s, which was %s, is %s where the caller does not insist, and that is said', async (...row) => {
    const [model, id, replacement, shape] = row
    const { generation } = await make(app, { prompt: PROMPT, model, strict: false, ...shape })
    expect(generation).toMatchObject({ status: 'COMPLETED', requestedModel: model, model: { id: replacement } })
    expect(generation.warnings).toContainEqual(
      expect.objectContaining({ code: 'MODEL_REPLACED', requested: id, used: replacement }),
    )
    const [image] = generation.images
    if (model.endsWith('-16:9')) expect(image).toMatchObject({ width: 1376, height: 768 })
    if (model.endsWith('-9:16')) expect(image).toMatchObject({ width: 768, height: 1376 })
  })
})

describe('models', () => {
  it('lists them all, with every provider that has a key', async () => {
    const { models } = await app.client.run(ModelsDocument, {})
    const ids = models.map(({ id }) => id)
    for (const [, id] of [...LIVING, ...GONE]) expect(ids).toContain(id)
    const usable = new Set(models.filter(({ available }) => available).map(({ id }) => id.split('/')[0]))
    expect([...usable].sort()).toEqual([...Object.keys(PLAYED_VENDORS), 'sandbox'].sort())
  })

  it.each([
    [{ provider: 'google-genai' }, 'google/gemini-3-pro-image', 'flux/flux-dev'],
    [{ lifecycle: ['RETIRED'] }, 'openai/dall-e-3', 'openai/gpt-image-2.6-flare'],
    [{ seed: true }, 'flux/flux-dev', 'openai/gpt-image-2.6-flare'],
    [{ referenceImages: true }, 'openai/gpt-image-2.6-flare', 'stability-ai/stable-image-core'],
    [{ minCount: 9 }, 'openai/gpt-image-2.6-flare', 'ideogram/ideogram-v2'],
    [{ search: 'banana' }, 'google/gemini-nano-banana-2.1', 'flux/flux-dev'],
    [{ available: false }, 'openai/dall-e-3', 'flux/flux-dev'],
  ] as const)('keeps those that are like %j', async (filter, kept, left) => {
    const { models } = await app.client.run(ModelsDocument, { filter: filter as never })
    const ids = models.map(({ id }) => id)
    expect(ids).toContain(kept)
    expect(ids).not.toContain(left)
  })
})
