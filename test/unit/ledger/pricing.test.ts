import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createPriceSnapshot, type PriceSnapshot } from '../../../src/ledger/price-snapshot.ts'
import { estimateImages, priceImages, settle } from '../../../src/ledger/pricing.ts'
import type { Model, PriceRule, TokenEstimate } from '../../../src/providers/model.ts'

type Prices = readonly (Pick<PriceRule, 'unit' | 'usd'> & Partial<PriceRule>)[]
type Tokens = readonly (Pick<TokenEstimate, 'unit' | 'min' | 'max'> & Partial<TokenEstimate>)[]
type Capabilities = Partial<Pick<Model['capabilities'], 'sizes' | 'width' | 'height' | 'minPixels' | 'maxPixels'>>

function model(prices: Prices, tokens: Tokens = [], capabilities: Capabilities = {}) {
  return {
    prices: prices.map((rule) => ({ size: null, quality: null, asOf: 1_000, source: 'vendor', ...rule })),
    tokenEstimates: tokens.map((estimate) => ({ size: null, quality: null, ...estimate })),
    capabilities: { sizes: [], width: null, height: null, minPixels: null, maxPixels: null, ...capabilities },
  }
}

const square = { width: 1024, height: 1024, quality: null, referenceImages: 0, promptBytes: 0, previews: 0 }
const open = { width: null, height: null, quality: null, referenceImages: 0, promptBytes: 0, previews: 0 }
const dollars = { usdRate: '1', markup: '1' }

function known(snapshot: PriceSnapshot | null): PriceSnapshot {
  if (!snapshot) throw new Error('The price is unknown.')
  return snapshot
}

const bySizeAndQuality = model([
  { unit: 'IMAGE', usd: '0.01' },
  { unit: 'IMAGE', usd: '0.02', quality: 'high' },
  { unit: 'IMAGE', usd: '0.03', size: '1536x1024' },
  { unit: 'IMAGE', usd: '0.04', size: '1536x1024', quality: 'high' },
])

describe('createPriceSnapshot', () => {
  it.each([
    [1024, 1024, null, '0.01'],
    [1024, 1024, 'high', '0.02'],
    [1536, 1024, 'low', '0.03'],
    [1536, 1024, 'high', '0.04'],
  ])('takes the most specific price of %ix%i in quality %s', (width, height, quality, usd) => {
    const parameters = { width, height, quality: quality ?? 'low', referenceImages: 0, promptBytes: 0, previews: 0 }
    const snapshot = known(createPriceSnapshot(bySizeAndQuality, parameters, dollars))
    expect(snapshot.units.map((unit) => unit.rates.map((rate) => [rate.minUsd, rate.maxUsd]))).toEqual([[[usd, usd]]])
  })

  it('prefers a price by size to one by quality, and the later of two alike', () => {
    const prices = model([
      { unit: 'IMAGE', usd: '0.05', size: '1024x1024' },
      { unit: 'IMAGE', usd: '0.06', size: '1024x1024' },
      { unit: 'IMAGE', usd: '0.02', quality: 'high' },
    ])
    const snapshot = createPriceSnapshot(prices, { ...square, quality: 'high' }, dollars)
    expect(estimateImages(known(snapshot), 1).maxMicros).toBe(60_000)
  })

  it('knows no price where the model has none, and does not call it 0', () => {
    const snapshot = createPriceSnapshot(model([]), square, dollars)
    expect(snapshot).toBeNull()
    expect(priceImages(snapshot, { images: [{ count: 1, size: null }], tokens: null })).toBeNull()
    expect(estimateImages(snapshot, 1)).toBeNull()
  })

  it('knows that a free model costs 0', () => {
    const snapshot = known(createPriceSnapshot(model([{ unit: 'IMAGE', usd: '0' }]), square, dollars))
    expect(estimateImages(snapshot, 4)).toMatchObject({ minMicros: 0, maxMicros: 0 })
  })

  it('knows no price where none applies to the size and quality', () => {
    const prices = model([{ unit: 'IMAGE', usd: '0.04', size: '512x512' }])
    expect(createPriceSnapshot(prices, square, dollars)).toBeNull()
    const qualities = model([{ unit: 'IMAGE', usd: '0.04', quality: 'high' }])
    expect(createPriceSnapshot(qualities, { ...square, quality: 'low' }, dollars)).toBeNull()
  })

  it('knows no price where one of several units has none', () => {
    const prices = model([
      { unit: 'IMAGE', usd: '0.04' },
      { unit: 'MILLION_INPUT_TOKENS', usd: '5' },
    ])
    expect(createPriceSnapshot(prices, square, dollars)).toBeNull()
  })

  it('knows no price by megapixels of a size without bounds', () => {
    const prices: Prices = [{ unit: 'MEGAPIXEL', usd: '0.025' }]
    expect(createPriceSnapshot(model(prices), open, dollars)).toBeNull()
    expect(createPriceSnapshot(model(prices, [], { maxPixels: 4_194_304 }), open, dollars)).not.toBeNull()
  })

  it('knows no price where only the first megapixel has one and the image has more', () => {
    const prices = model([{ unit: 'FIRST_MEGAPIXEL', usd: '0.03' }])
    expect(createPriceSnapshot(prices, square, dollars)).not.toBeNull()
    expect(createPriceSnapshot(prices, { ...square, width: 1040 }, dollars)).toBeNull()
  })

  it('knows no price for reference images of unknown size that are billed', () => {
    const prices = model([
      { unit: 'IMAGE', usd: '0.03' },
      { unit: 'INPUT_MEGAPIXEL', usd: '0.015' },
    ])
    expect(createPriceSnapshot(prices, { ...square, referenceImages: 1 }, dollars)).toBeNull()
    const reference = { width: 1100, height: 1000 }
    const snapshot = createPriceSnapshot(prices, { ...square, referenceImages: 1 }, dollars, [reference])
    expect(estimateImages(known(snapshot), 2).maxMicros).toBe(2 * (30_000 + 2 * 15_000))
    expect(estimateImages(known(createPriceSnapshot(prices, square, dollars)), 2).lines).toHaveLength(1)
  })

  it('counts the pictures that go in, once for each image that is made of them', () => {
    const prices = model([
      { unit: 'IMAGE', usd: '0.02' },
      { unit: 'INPUT_IMAGE', usd: '0.008' },
    ])
    const snapshot = known(createPriceSnapshot(prices, { ...square, referenceImages: 3 }, dollars))
    expect(estimateImages(snapshot, 2).maxMicros).toBe(2 * (20_000 + 3 * 8_000))
    expect(estimateImages(known(createPriceSnapshot(prices, square, dollars)), 2).lines).toHaveLength(1)
  })

  it('spans the prices of all sizes while the provider chooses the size', () => {
    const snapshot = known(createPriceSnapshot(bySizeAndQuality, { ...open, quality: 'high' }, dollars))
    expect(estimateImages(snapshot, 3)).toMatchObject({ minMicros: 60_000, maxMicros: 120_000 })
  })

  it('spans the prices of all qualities where the provider chooses, by name or by default', () => {
    for (const quality of [null, 'auto']) {
      const snapshot = known(createPriceSnapshot(bySizeAndQuality, { ...square, quality }, dollars))
      expect(estimateImages(snapshot, 1)).toMatchObject({ minMicros: 10_000, maxMicros: 20_000 })
    }
  })

  it('names the oldest check and every source once', () => {
    const prices = model([
      { unit: 'FIRST_MEGAPIXEL', usd: '0.03', asOf: 2_000, source: 'a' },
      { unit: 'FURTHER_MEGAPIXEL', usd: '0.015', asOf: 1_500, source: 'b' },
      { unit: 'IMAGE', usd: '0.001', asOf: 1_700, source: 'a' },
    ])
    expect(createPriceSnapshot(prices, square, dollars)).toMatchObject({ asOf: 1_500, source: 'a, b' })
  })

  it('survives being stored as JSON', () => {
    const snapshot = known(createPriceSnapshot(bySizeAndQuality, open, { usdRate: '0.92', markup: '1.2' }))
    const stored = JSON.parse(JSON.stringify(snapshot)) as PriceSnapshot
    expect(stored).toEqual(snapshot)
    expect(estimateImages(stored, 3)).toEqual(estimateImages(snapshot, 3))
  })
})

describe('priceImages', () => {
  it('bills the first and the further megapixels, each begun one in full', () => {
    const prices = model([
      { unit: 'FIRST_MEGAPIXEL', usd: '0.03' },
      { unit: 'FURTHER_MEGAPIXEL', usd: '0.015' },
    ])
    const price = (width: number, height: number) =>
      estimateImages(known(createPriceSnapshot(prices, { ...square, width, height }, dollars)), 1).maxMicros
    expect(price(1024, 1024)).toBe(30_000)
    expect(price(512, 512)).toBe(30_000)
    expect(price(1408, 1408)).toBe(45_000)
    expect(price(2048, 2048)).toBe(75_000)
  })

  it('explains itself in lines that add up to the upper bound', () => {
    const prices = model(
      [
        { unit: 'MILLION_INPUT_TOKENS', usd: '5' },
        { unit: 'MILLION_IMAGE_OUTPUT_TOKENS', usd: '30' },
      ],
      [
        { unit: 'MILLION_INPUT_TOKENS', min: 10, max: 500 },
        { unit: 'MILLION_IMAGE_OUTPUT_TOKENS', min: 1756, max: 1756, size: '1024x1024', quality: 'medium' },
        { unit: 'MILLION_IMAGE_OUTPUT_TOKENS', min: 196, max: 7024 },
      ],
    )
    const snapshot = known(createPriceSnapshot(prices, { ...square, quality: 'medium' }, dollars))
    expect(estimateImages(snapshot, 2)).toEqual({
      // The prompt may be read once for both.
      minMicros: 50 + 105_360,
      maxMicros: 5_000 + 105_360,
      lines: [
        {
          label: 'Input tokens, at most',
          quantity: '0.001000',
          unit: 'MILLION_INPUT_TOKENS',
          unitPriceMicros: 5_000_000,
          totalMicros: 5_000,
        },
        {
          label: 'Image output tokens',
          quantity: '0.003512',
          unit: 'MILLION_IMAGE_OUTPUT_TOKENS',
          unitPriceMicros: 30_000_000,
          totalMicros: 105_360,
        },
      ],
    })
  })

  it('keeps fractions of a micro-unit until the end and rounds each unit up once', () => {
    const prices = model(
      [{ unit: 'MILLION_INPUT_TOKENS', usd: '0.3' }],
      [{ unit: 'MILLION_INPUT_TOKENS', min: 1, max: 7 }],
    )
    const snapshot = known(createPriceSnapshot(prices, square, dollars))
    expect(estimateImages(snapshot, 1)).toMatchObject({ minMicros: 1, maxMicros: 3 })
    expect(estimateImages(snapshot, 10)).toMatchObject({ minMicros: 1, maxMicros: 21 })
  })

  it('applies rate and markup exactly', () => {
    const prices = model([{ unit: 'IMAGE', usd: '0.000000001' }])
    const snapshot = known(createPriceSnapshot(prices, square, { usdRate: '150.5', markup: '1.1' }))
    expect(estimateImages(snapshot, 1000).maxMicros).toBe(166)
  })
})

describe('settle', () => {
  const tokens = model(
    [{ unit: 'MILLION_IMAGE_OUTPUT_TOKENS', usd: '30' }],
    [{ unit: 'MILLION_IMAGE_OUTPUT_TOKENS', min: 200, max: 7000 }],
  )
  const size = { width: 1024, height: 1024 }
  const used = (imageOutputTokens: number | null) => ({
    inputTokens: null,
    imageInputTokens: null,
    outputTokens: null,
    imageOutputTokens,
  })

  it('charges the tokens that the vendor reports', () => {
    const snapshot = known(createPriceSnapshot(tokens, square, dollars))
    expect(settle(snapshot, { heldMicros: 420_000, images: [size, size], tokens: used(3_001) })).toMatchObject({
      totalMicros: 90_030,
      perImageMicros: [45_015, 45_015],
      cappedMicros: 0,
    })
  })

  it.each([null, used(null)])('charges the estimate for an image where the vendor reports none (%j)', (reported) => {
    const snapshot = known(createPriceSnapshot(tokens, square, dollars))
    expect(settle(snapshot, { heldMicros: 420_000, images: [size], tokens: reported })).toMatchObject({
      totalMicros: 210_000,
      cappedMicros: 0,
    })
  })

  it('charges no more than the upper bound for the images that were made, and says what was left', () => {
    const snapshot = known(createPriceSnapshot(tokens, square, dollars))
    expect(settle(snapshot, { heldMicros: 420_000, images: [size], tokens: used(10_000) })).toMatchObject({
      totalMicros: 210_000,
      cappedMicros: 90_000,
    })
  })

  it('charges no more than what is held', () => {
    const snapshot = known(createPriceSnapshot(tokens, square, dollars))
    expect(settle(snapshot, { heldMicros: 100, images: [size, size, size], tokens: null })).toMatchObject({
      totalMicros: 100,
      perImageMicros: [34, 33, 33],
      cappedMicros: 629_900,
    })
  })

  it('charges nothing for no image, whatever the vendor used', () => {
    const snapshot = known(createPriceSnapshot(tokens, square, dollars))
    const nothing = { perImageMicros: [], totalMicros: 0, cappedMicros: 0, lines: [] }
    expect(settle(snapshot, { heldMicros: 420_000, images: [], tokens: used(5_000) })).toEqual(nothing)
  })

  it('charges by the size that the provider chose', () => {
    const snapshot = known(createPriceSnapshot(bySizeAndQuality, { ...open, quality: 'high' }, dollars))
    const images = [size, { width: 1536, height: 1024 }]
    const settled = settle(snapshot, { heldMicros: 80_000, images, tokens: null })
    expect(settled.totalMicros).toBe(60_000)
    expect(settled.lines.map((line) => line.label)).toEqual(['Images, high', 'Images, 1536x1024, high'])
  })

  it('charges by the megapixels that came out', () => {
    const prices = model([{ unit: 'MEGAPIXEL', usd: '0.025' }], [], { maxPixels: 4_194_304 })
    const snapshot = known(createPriceSnapshot(prices, open, dollars))
    expect(estimateImages(snapshot, 1)).toMatchObject({ minMicros: 25_000, maxMicros: 100_000 })
    expect(settle(snapshot, { heldMicros: 100_000, images: [size], tokens: null }).totalMicros).toBe(25_000)
  })
})

const usd = fc.integer({ min: 1, max: 3_000_000_000 }).map((nanos) => (nanos / 1e9).toFixed(9))
const factor = fc.integer({ min: 1, max: 5_000_000 }).map((millionths) => (millionths / 1e6).toFixed(6))
const sizes = fc.constantFrom({ width: 1024, height: 1024 }, { width: 1536, height: 1024 }, { width: 512, height: 640 })
const tokenRange = fc
  .tuple(fc.nat(20_000), fc.nat(20_000))
  .map(([a, b]) => ({ min: Math.min(a, b), max: Math.max(a, b) }))

const anyModel = fc
  .record({ image: usd, wide: usd, first: usd, further: usd, input: usd, output: usd, tokens: tokenRange })
  .chain((price) =>
    fc.constantFrom(
      model([{ unit: 'IMAGE', usd: price.image }]),
      model([
        { unit: 'IMAGE', usd: price.image },
        { unit: 'IMAGE', usd: price.wide, size: '1536x1024' },
        { unit: 'IMAGE', usd: price.further, size: '512x640' },
      ]),
      model([{ unit: 'MEGAPIXEL', usd: price.first }], [], { sizes: ['1024x1024', '1536x1024', '512x640'] }),
      model(
        [
          { unit: 'FIRST_MEGAPIXEL', usd: price.first },
          { unit: 'FURTHER_MEGAPIXEL', usd: price.further },
        ],
        [],
        { maxPixels: 1536 * 1024 },
      ),
      model(
        [
          { unit: 'MILLION_INPUT_TOKENS', usd: price.input },
          { unit: 'MILLION_IMAGE_OUTPUT_TOKENS', usd: price.output },
        ],
        [
          { unit: 'MILLION_INPUT_TOKENS', ...price.tokens },
          { unit: 'MILLION_IMAGE_OUTPUT_TOKENS', ...price.tokens },
        ],
      ),
    ),
  )
const anySnapshot = fc
  .tuple(anyModel, fc.constantFrom(square, open, { ...square, width: 1536 }), factor, factor)
  .map(([priced, parameters, usdRate, markup]) => ({
    parameters,
    snapshot: known(createPriceSnapshot(priced, parameters, { usdRate, markup })),
  }))

describe('whatever the prices are', () => {
  it('never settles above the estimate, for any part of the images, and adds up to the last micro-unit', () => {
    const tokens = fc.option(
      fc.record({
        inputTokens: fc.option(fc.nat(500_000)),
        imageInputTokens: fc.constant(null),
        outputTokens: fc.constant(null),
        imageOutputTokens: fc.option(fc.nat(500_000)),
      }),
    )
    fc.assert(
      fc.property(
        anySnapshot,
        fc.array(sizes, { maxLength: 10 }),
        fc.nat(4),
        tokens,
        ({ snapshot }, images, missing, reported) => {
          const { maxMicros: heldMicros } = estimateImages(snapshot, images.length + missing)
          const settled = settle(snapshot, { heldMicros, images, tokens: reported })
          expect(settled.totalMicros).toBeLessThanOrEqual(estimateImages(snapshot, images.length).maxMicros)
          expect(settled.totalMicros).toBeLessThanOrEqual(heldMicros)
          expect(settled.perImageMicros).toHaveLength(images.length)
          expect(settled.perImageMicros.reduce((sum, amount) => sum + amount, 0)).toBe(settled.totalMicros)
          expect(settled.perImageMicros.every((amount) => Number.isSafeInteger(amount) && amount >= 0)).toBe(true)
        },
      ),
    )
  })

  it('caps nothing where the provider makes what was asked and reports no tokens', () => {
    fc.assert(
      fc.property(anySnapshot, fc.integer({ min: 1, max: 10 }), sizes, ({ snapshot, parameters }, count, size) => {
        const { width, height } = parameters
        const made = width && height ? { width, height } : size
        const { maxMicros: heldMicros } = estimateImages(snapshot, count)
        const images = Array.from({ length: count }, () => made)
        expect(settle(snapshot, { heldMicros, images, tokens: null }).cappedMicros).toBe(0)
      }),
    )
  })

  it('estimates more for more images, a range in order, and never 0 for what has a price', () => {
    fc.assert(
      fc.property(anySnapshot, fc.integer({ min: 1, max: 10 }), ({ snapshot }, count) => {
        const [fewer, more] = [estimateImages(snapshot, count), estimateImages(snapshot, count + 1)]
        expect(more.maxMicros).toBeGreaterThanOrEqual(fewer.maxMicros)
        expect(more.minMicros).toBeGreaterThanOrEqual(fewer.minMicros)
        expect(fewer.minMicros).toBeLessThanOrEqual(fewer.maxMicros)
        expect(fewer.lines.reduce((sum, line) => sum + line.totalMicros, 0)).toBe(fewer.maxMicros)
        if (snapshot.units.some((unit) => unit.perImage.max > 0)) expect(fewer.maxMicros).toBeGreaterThan(0)
      }),
    )
  })

  it('charges a flat model what it estimated', () => {
    fc.assert(
      fc.property(
        usd,
        factor,
        factor,
        fc.array(sizes, { minLength: 1, maxLength: 10 }),
        (price, usdRate, markup, images) => {
          const flat = model([{ unit: 'IMAGE', usd: price }])
          const snapshot = known(createPriceSnapshot(flat, square, { usdRate, markup }))
          const { minMicros, maxMicros } = estimateImages(snapshot, images.length)
          expect(minMicros).toBe(maxMicros)
          expect(settle(snapshot, { heldMicros: maxMicros, images, tokens: null }).totalMicros).toBe(maxMicros)
        },
      ),
    )
  })

  it('settles more for more of the same images', () => {
    fc.assert(
      fc.property(anySnapshot, sizes, fc.integer({ min: 1, max: 9 }), ({ snapshot }, size, count) => {
        const { maxMicros: heldMicros } = estimateImages(snapshot, 10)
        const charge = (n: number) =>
          settle(snapshot, { heldMicros, images: Array.from({ length: n }, () => size), tokens: null }).totalMicros
        expect(charge(count + 1)).toBeGreaterThanOrEqual(charge(count))
      }),
    )
  })
})
