import { describe, expect, it } from 'vitest'
import { planRequest } from '../../../src/generation/request-plan.ts'
import { createPriceSnapshot, type PriceSnapshot } from '../../../src/ledger/price-snapshot.ts'
import { estimateImages, settle } from '../../../src/ledger/pricing.ts'
import { GOOGLE_MODELS } from '../../../src/providers/catalog/google.ts'
import type { Model } from '../../../src/providers/model.ts'
import { createModelCatalog } from '../../../src/providers/model-catalog.ts'
import { GOOGLE_WIRE_MODELS } from '../../support/wire/google-fields.ts'
import { catchProblems, makeInput } from '../generation/request-plan-fixtures.ts'

const catalog = createModelCatalog(GOOGLE_MODELS, { defaultModel: 'google/gemini-nano-banana-2.1' })
const PRO = catalog.get('google/gemini-3-pro-image')

function priceOf(model: Model, size: readonly [number, number] | null, more: { referenceImages?: number } = {}) {
  const [width, height] = size ?? [null, null]
  const factors = { quality: null, promptBytes: 0, referenceImages: 0, previews: 0, ...more }
  const snapshot = createPriceSnapshot(model, { width, height, ...factors }, { usdRate: '1', markup: '1' })
  return snapshot ?? expect.unreachable('The price should be known.')
}

function usdOf(snapshot: PriceSnapshot): readonly number[] {
  const { minMicros, maxMicros } = estimateImages(snapshot, 1)
  return [minMicros / 1e6, maxMicros / 1e6]
}

describe('the models of Google', () => {
  it.each([
    ['16:9', '1376x768', '16:9'],
    ['9:16', '768x1376', '9:16'],
    ['1:4', null, '1:4'],
  ])('plans the ratio %s as %s', (aspectRatio, size, named) => {
    const { model, aliasParameters } = catalog.resolve({ model: null, provider: 'google' })
    const { parameters } = planRequest(model, aliasParameters, makeInput({ aspectRatio }))
    const { width, height } = parameters
    expect([width && `${width}x${height}`, parameters.aspectRatio]).toEqual([size, named])
  })

  it('asks for no ratio and no tier that the vendor refuses', () => {
    for (const { providerModel, capabilities, wire } of GOOGLE_MODELS) {
      const taken = GOOGLE_WIRE_MODELS[providerModel] ?? expect.unreachable()
      const named = Object.values(wire.sizes as Record<string, { aspectRatio: string; imageSize: string | null }>)
      expect([...capabilities.aspectRatios, ...named.map(({ aspectRatio }) => aspectRatio)]).toSatisfy(
        (ratios: string[]) => ratios.every((ratio) => taken.ratios.includes(ratio)),
      )
      expect([...new Set(named.map(({ imageSize }) => imageSize))].sort()).toEqual(
        taken.tiers.length === 0 ? [null] : [...taken.tiers].sort(),
      )
    }
  })

  it('says of every size that it declares what it is called on the wire', () => {
    for (const { capabilities, wire } of GOOGLE_MODELS)
      expect(Object.keys(wire.sizes ?? {})).toEqual(capabilities.sizes)
  })

  it.each([
    ['gemini-2.5-flash-image-1024x1024', '1024x1024'],
    ['gemini-2.5-flash-image-16:9', '1344x768'],
    ['gemini-2.5-flash-image-9:16', '768x1344'],
  ])('knows the old name %s', (name, size) => {
    const { model, aliasParameters } = catalog.resolve({ model: name, provider: null })
    const { parameters } = planRequest(model, aliasParameters, makeInput({}))
    expect([model.id, `${parameters.width}x${parameters.height}`]).toEqual(['google/gemini-2.5-flash-image', size])
    expect(model.lifecycle).toMatchObject({ state: 'RETIRED', replacement: 'google/gemini-nano-banana-2.1' })
  })
})

describe('the options of Google', () => {
  const plan = (providerOptions: object) => planRequest(PRO, {}, makeInput({ providerOptions }))

  it('takes safety settings and temperature', () => {
    const safetySettings = [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'OFF' }]
    expect(plan({ safetySettings, temperature: 1 }).parameters.providerOptions).toEqual({
      safetySettings,
      temperature: 1,
    })
  })

  it.each([
    [{ candidateCount: 4 }],
    [{ imageConfig: { imageSize: '4K' } }],
    [{ tools: [{ googleSearch: {} }] }],
    [{ automaticContinuation: true }],
    [{ safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'NEVER' }] }],
    [{ safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'OFF', method: 'SEVERITY' }] }],
  ])('takes nothing else: %j', (options) => {
    expect(catchProblems(() => plan(options))).not.toEqual([])
  })
})

describe('the prices of Google', () => {
  it.each([
    ['gemini-nano-banana-2.1', [1024, 1024], [0.0336, 0.0336]],
    ['gemini-nano-banana-2.1', [2048, 2048], [0.0336, 0.0504]],
    ['gemini-nano-banana-2.1', [4096, 4096], [0.06, 0.0756]],
    ['gemini-3-pro-image', [1376, 768], [0.1344, 0.1344]],
    ['gemini-3-pro-image', [2752, 1536], [0.1344, 0.1344]],
    ['gemini-3-pro-image', [5504, 3072], [0.24, 0.24]],
    ['gemini-3.1-flash-lite-image', [1024, 1024], [0.0336, 0.0336]],
    ['gemini-3.1-flash-image', [512, 512], [0.04482, 0.04482]],
    ['gemini-3.1-flash-image', [4096, 4096], [0.1512, 0.1512]],
    ['gemini-2.5-flash-image', [1024, 1024], [0.0387, 0.0387]],
  ] as const)('are those of the list for a picture of %s at %j', (name, size, [min, max]) => {
    const model = catalog.get(`google/${name}`)
    const [least, most] = usdOf(priceOf(model, size))
    const framing = model.prices.reduce(
      (sum, { unit, usd }) =>
        sum + (({ MILLION_INPUT_TOKENS: 8, MILLION_OUTPUT_TOKENS: 2048 }[unit as string] ?? 0) * Number(usd)) / 1e6,
      0,
    )
    expect(least).toBeCloseTo(min, 6)
    expect(most).toBeCloseTo(max + framing, 5)
  })

  it('count reference images, and cover every tier where the size is left open', () => {
    const [least = 0, most = 0] = usdOf(priceOf(PRO, [1024, 1024]))
    const [leastOfTwo = 0, mostOfTwo = 0] = usdOf(priceOf(PRO, [1024, 1024], { referenceImages: 2 }))
    expect([leastOfTwo - least, mostOfTwo - most].map((usd) => usd.toFixed(5))).toEqual(['0.00224', '0.00224'])
    const [, open = 0] = usdOf(priceOf(PRO, null))
    expect(open).toBe(usdOf(priceOf(PRO, [4096, 4096]))[1])
  })

  it('settle by what was used', () => {
    const snapshot = priceOf(PRO, [1024, 1024])
    const tokens = { inputTokens: 5, imageInputTokens: 0, outputTokens: 180, imageOutputTokens: 1120 }
    const images = [{ width: 1024, height: 1024 }]
    const { totalMicros } = settle(snapshot, { heldMicros: 1_000_000, images, tokens })
    expect(totalMicros).toBe(10 + 180 * 12 + 1120 * 120)
  })
})
