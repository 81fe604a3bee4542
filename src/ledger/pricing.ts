import { addRatios, formatMillionths, multiplyRatios, parseRatio, type Ratio, roundUpMicros } from '../money.ts'
import { readUsdMicros } from './currency.ts'
import { countMegapixels, type PriceSnapshot, type PriceUnit, type UnitPrice, type UnitRate } from './price-snapshot.ts'

export type ImageSize = { readonly width: number; readonly height: number }

/** Tokens of a whole request as the vendor reports them; null where it tells nothing. */
export type ReportedTokens = {
  readonly inputTokens: number | null
  readonly imageInputTokens: number | null
  /** Text out. */
  readonly outputTokens: number | null
  readonly imageOutputTokens: number | null
}

/** An estimate knows a count; a settlement knows what came of it. What is null is taken from the snapshot's bounds. */
export type PricedUsage = {
  readonly images: readonly { readonly count: number; readonly size: ImageSize | null }[]
  readonly tokens: ReportedTokens | null
}

export type CostLine = {
  readonly label: string
  /** Decimal text; tokens are counted in millions. The upper bound, where there is a range. */
  readonly quantity: string
  readonly unit: PriceUnit
  readonly unitPriceMicros: number
  readonly totalMicros: number
}

export type PricedImages = {
  readonly minMicros: number
  /** The sum of the lines' totals. */
  readonly maxMicros: number
  readonly lines: readonly CostLine[]
}

export type Settlement = {
  /** What each delivered image is charged; they add up to the total exactly. */
  readonly perImageMicros: readonly number[]
  readonly totalMicros: number
  /** What the usage comes to above what may be charged; 0 unless the vendor used more than the upper bound. */
  readonly cappedMicros: number
  readonly lines: readonly CostLine[]
}

/**
 * The one way from a price to an amount, for estimates and settlements alike. Amounts are exact until the last step:
 * each unit's sum is rounded up once, and its lines share that rounding. null in, null out: an unknown price stays so.
 */
export function priceImages(snapshot: PriceSnapshot, usage: PricedUsage): PricedImages
export function priceImages(snapshot: PriceSnapshot | null, usage: PricedUsage): PricedImages | null
export function priceImages(snapshot: PriceSnapshot | null, usage: PricedUsage): PricedImages | null {
  if (!snapshot) return null
  const factor = multiplyRatios(readFactor(snapshot.usdRate), readFactor(snapshot.markup))
  const units = snapshot.units.map((price) => priceUnit(price, usage, factor))
  return {
    minMicros: sum(units.map((unit) => unit.minMicros)),
    maxMicros: sum(units.map((unit) => unit.maxMicros)),
    lines: units.flatMap((unit) => unit.lines),
  }
}

/** What `count` images may cost: the range that a client is shown, whose upper end is held. */
export function estimateImages(snapshot: PriceSnapshot, count: number): PricedImages
export function estimateImages(snapshot: PriceSnapshot | null, count: number): PricedImages | null
export function estimateImages(snapshot: PriceSnapshot | null, count: number): PricedImages | null {
  return priceImages(snapshot, { images: [{ count, size: null }], tokens: null })
}

/**
 * What the delivered images cost. Where the vendor reports no tokens, what the estimate counts for an image is charged.
 * Never more than is held, nor than the estimate's upper bound for this many images: tokens that went into images that
 * were not delivered are nothing that the account pays for. The rest is told as `cappedMicros`.
 */
export function settle(
  snapshot: PriceSnapshot,
  delivered: {
    readonly heldMicros: number
    readonly images: readonly ImageSize[]
    readonly tokens: ReportedTokens | null
  },
): Settlement {
  const count = delivered.images.length
  if (count === 0) return { perImageMicros: [], totalMicros: 0, cappedMicros: 0, lines: [] }
  const priced = priceImages(snapshot, {
    images: delivered.images.map((size) => ({ count: 1, size })),
    tokens: delivered.tokens,
  })
  const limit = Math.min(delivered.heldMicros, estimateImages(snapshot, count).maxMicros)
  const totalMicros = Math.min(priced.maxMicros, limit)
  return {
    perImageMicros: splitEvenly(totalMicros, count),
    totalMicros,
    cappedMicros: priced.maxMicros - totalMicros,
    lines: priced.lines,
  }
}

/**
 * What the vendor's own price list makes of what was delivered: without the markup and without any bound, to be held
 * against what the vendor says that it cost.
 */
export function expectVendorCost(
  snapshot: PriceSnapshot,
  delivered: { readonly images: readonly ImageSize[]; readonly tokens: ReportedTokens | null },
): number {
  const images = delivered.images.map((size) => ({ count: 1, size }))
  return priceImages({ ...snapshot, markup: '1' }, { images, tokens: delivered.tokens }).maxMicros
}

/** One rate and how much goes by it, in the unit's own count (single tokens). */
type Portion = { readonly rate: UnitRate; readonly min: number; readonly max: number }

function priceUnit(price: UnitPrice, usage: PricedUsage, factor: Ratio): PricedImages {
  const unitSize = TOKEN_FIELDS[price.unit] ? 1_000_000n : 1n
  const lines: CostLine[] = []
  let exactMin: Ratio = { numerator: 0n, denominator: 1n }
  let exactMax = exactMin
  let maxMicros = 0
  for (const { rate, min, max } of mergePortions(listPortions(price, usage))) {
    const minPrice = multiplyRatios(readUsdMicros(rate.minUsd), factor)
    const maxPrice = multiplyRatios(readUsdMicros(rate.maxUsd), factor)
    exactMin = addRatios(exactMin, multiplyRatios(minPrice, { numerator: BigInt(min), denominator: unitSize }))
    exactMax = addRatios(exactMax, multiplyRatios(maxPrice, { numerator: BigInt(max), denominator: unitSize }))
    const before = maxMicros
    maxMicros = roundUpMicros(exactMax)
    if (max === 0) continue
    lines.push({
      label: label(price.unit, rate, min !== max),
      quantity: unitSize === 1n ? String(max) : formatMillionths(BigInt(max)),
      unit: price.unit,
      unitPriceMicros: roundUpMicros(maxPrice),
      totalMicros: maxMicros - before,
    })
  }
  return { minMicros: roundUpMicros(exactMin), maxMicros, lines }
}

const TOKEN_FIELDS: Partial<Record<PriceUnit, keyof ReportedTokens>> = {
  MILLION_INPUT_TOKENS: 'inputTokens',
  MILLION_IMAGE_INPUT_TOKENS: 'imageInputTokens',
  MILLION_OUTPUT_TOKENS: 'outputTokens',
  MILLION_IMAGE_OUTPUT_TOKENS: 'imageOutputTokens',
}

function listPortions(price: UnitPrice, usage: PricedUsage): Portion[] {
  const field = TOKEN_FIELDS[price.unit]
  const tokens = field && usage.tokens ? usage.tokens[field] : null
  if (tokens !== null) return [{ rate: rateFor(price, null), min: tokens, max: tokens }]
  // A prompt may be read once for all of its images, or once for each.
  const isReadOnce = price.unit === 'MILLION_INPUT_TOKENS' || price.unit === 'MILLION_IMAGE_INPUT_TOKENS'
  return usage.images.map(({ count, size }) => {
    const { min, max } = quantityOf(price, size)
    return { rate: rateFor(price, size), min: isReadOnce ? min : min * count, max: max * count }
  })
}

function quantityOf(price: UnitPrice, size: ImageSize | null): UnitPrice['perImage'] {
  if (!size || (price.unit !== 'MEGAPIXEL' && price.unit !== 'FURTHER_MEGAPIXEL')) return price.perImage
  const megapixels = countMegapixels(size) - (price.unit === 'FURTHER_MEGAPIXEL' ? 1 : 0)
  return { min: megapixels, max: megapixels }
}

/** The rate of a size, the general one, or, while the size is open or has none of its own, what covers them all. */
function rateFor(price: UnitPrice, size: ImageSize | null): UnitRate {
  const [first, ...others] = price.rates
  if (!first) throw new Error(`A price snapshot has no rate for ${price.unit}.`)
  if (others.length === 0) return first
  const name = size && `${size.width}x${size.height}`
  const found =
    name && (price.rates.find((rate) => rate.size === name) ?? price.rates.find((rate) => rate.size === null))
  if (found) return found
  return others.reduce(
    (range, rate) => ({
      size: null,
      condition: '',
      minUsd: isLess(rate.minUsd, range.minUsd) ? rate.minUsd : range.minUsd,
      maxUsd: isLess(range.maxUsd, rate.maxUsd) ? rate.maxUsd : range.maxUsd,
    }),
    first,
  )
}

function mergePortions(portions: readonly Portion[]): Portion[] {
  const merged = new Map<string, Portion>()
  for (const portion of portions) {
    const key = JSON.stringify(portion.rate)
    const before = merged.get(key)
    merged.set(key, {
      rate: portion.rate,
      min: (before?.min ?? 0) + portion.min,
      max: (before?.max ?? 0) + portion.max,
    })
  }
  return [...merged.values()]
}

const LABELS = {
  IMAGE: 'Images',
  MEGAPIXEL: 'Megapixels',
  FIRST_MEGAPIXEL: 'First megapixels',
  FURTHER_MEGAPIXEL: 'Further megapixels',
  INPUT_MEGAPIXEL: 'Input megapixels',
  INPUT_IMAGE: 'Input images',
  MILLION_INPUT_TOKENS: 'Input tokens',
  MILLION_IMAGE_INPUT_TOKENS: 'Image input tokens',
  MILLION_OUTPUT_TOKENS: 'Output tokens',
  MILLION_IMAGE_OUTPUT_TOKENS: 'Image output tokens',
} as const satisfies Record<PriceUnit, string>

function label(unit: PriceUnit, rate: UnitRate, open: boolean): string {
  const condition = rate.condition === '' ? '' : `, ${rate.condition}`
  return `${LABELS[unit]}${condition}${open || rate.minUsd !== rate.maxUsd ? ', at most' : ''}`
}

function isLess(left: string, right: string): boolean {
  const [a, b] = [readUsdMicros(left), readUsdMicros(right)]
  return a.numerator * b.denominator < b.numerator * a.denominator
}

function readFactor(text: string): Ratio {
  const ratio = parseRatio(text)
  if (!ratio) throw new RangeError(`A price snapshot has a factor that is no decimal: "${text}".`)
  return ratio
}

/** Whole micro-units; the first images carry what does not divide. */
function splitEvenly(totalMicros: number, count: number): number[] {
  const share = Math.floor(totalMicros / count)
  const left = totalMicros - share * count
  return Array.from({ length: count }, (_, index) => share + (index < left ? 1 : 0))
}

function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => total + amount, 0)
}
