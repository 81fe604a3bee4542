import { type CurrencySettings, readUsdMicros } from './currency.ts'
import { estimateTokens, type PricedTokens, type TokenFactors } from './token-estimate.ts'

export type PriceUnit =
  | 'IMAGE'
  | 'MEGAPIXEL'
  | 'FIRST_MEGAPIXEL'
  | 'FURTHER_MEGAPIXEL'
  | 'INPUT_MEGAPIXEL'
  | 'INPUT_IMAGE'
  | 'MILLION_INPUT_TOKENS'
  | 'MILLION_IMAGE_INPUT_TOKENS'
  | 'MILLION_OUTPUT_TOKENS'
  | 'MILLION_IMAGE_OUTPUT_TOKENS'

type Condition = { readonly size: string | null; readonly quality: string | null }
type Range = { readonly min: number; readonly max: number }
type Pixels = { readonly width: number; readonly height: number }

/** What pricing needs of a model. A catalogue's model has this shape. */
export type PricedModel = {
  readonly prices: readonly PricedRule[]
  readonly tokenEstimates: readonly (Condition & PricedTokens & { readonly unit: PriceUnit })[]
  readonly capabilities: {
    readonly sizes: readonly string[]
    readonly width: Range | null
    readonly height: Range | null
    readonly minPixels: number | null
    readonly maxPixels: number | null
  }
}
type PricedRule = Condition & {
  readonly unit: PriceUnit
  readonly usd: string
  readonly asOf: number
  readonly source: string
}

export type PricedParameters = TokenFactors & { readonly quality: string | null }

/**
 * Everything that decides what a request costs, as plain JSON. It is stored with the generation, so that settlement
 * counts by the prices that the client was shown whatever changes in between.
 */
export type PriceSnapshot = {
  readonly version: 1
  readonly usdRate: string
  readonly markup: string
  /** Added up: an image costs all of them. */
  readonly units: readonly UnitPrice[]
  /** Milliseconds since 1970: the oldest check of a price in here. */
  readonly asOf: number
  readonly source: string
}

export type UnitPrice = {
  readonly unit: PriceUnit
  /** One; where the provider chooses the size, one for each size that has a price of its own. */
  readonly rates: readonly UnitRate[]
  /** What one image uses: images, whole megapixels or single tokens. */
  readonly perImage: Range
}

export type UnitRate = {
  /** The size that it is for; null: any. */
  readonly size: string | null
  /** What the price depends on, for people: "1024x1024, high", or nothing. */
  readonly condition: string
  /** They differ where the provider chooses the quality. Dollars for one image, megapixel or million tokens. */
  readonly minUsd: string
  readonly maxUsd: string
}

/**
 * 1024 × 1024 pixels, and a megapixel begun is a megapixel: 1024x1024 is billed as one by Black Forest Labs (0.03 for
 * flux-2-pro, and 0.045 for 1.98 MP: https://docs.bfl.ai/quick_start/pricing) and by fal, which rounds up too.
 */
const PIXELS_OF_A_MEGAPIXEL = 1024 * 1024

export function countMegapixels(pixels: Pixels): number {
  return toMegapixels(pixels.width * pixels.height)
}

/**
 * null: the price is not known, because the model has none, none for this size and quality, or one by a quantity that
 * nobody can bound (megapixels of a size that the provider chooses, tokens without an estimate). Never a guess.
 * `referenceImages` are the sizes of the pictures that go in; they are needed where those are billed.
 */
export function createPriceSnapshot(
  model: PricedModel,
  parameters: PricedParameters,
  currency: Pick<CurrencySettings, 'usdRate' | 'markup'>,
  referenceImages: readonly Pixels[] = [],
): PriceSnapshot | null {
  const units = new Set(model.prices.map((rule) => rule.unit))
  if (units.size === 0 || (units.has('FURTHER_MEGAPIXEL') && !units.has('FIRST_MEGAPIXEL'))) return null
  const prices: UnitPrice[] = []
  const used: PricedRule[] = []
  for (const unit of units) {
    const perImage = quantityOfOneImage(unit, model, parameters, referenceImages)
    if (!perImage) return null
    if (unit.startsWith('INPUT_') && perImage.max === 0) continue
    const choices = listChoices(
      model.prices.filter((rule) => rule.unit === unit),
      parameters,
    )
    if (choices.length === 0) return null
    prices.push({ unit, rates: choices.map(toRate), perImage })
    used.push(...choices.flatMap((choice) => choice.entries))
  }
  if (units.has('FIRST_MEGAPIXEL') && !units.has('FURTHER_MEGAPIXEL')) {
    const pixels = boundPixels(model, parameters)
    if (!pixels || toMegapixels(pixels.max) > 1) return null
  }
  if (prices.length === 0) return null
  return {
    version: 1,
    usdRate: currency.usdRate,
    markup: currency.markup,
    units: prices,
    asOf: Math.min(...used.map((rule) => rule.asOf)),
    source: [...new Set(used.map((rule) => rule.source))].join(', '),
  }
}

type Choice<T> = { readonly size: string | null; readonly entries: readonly T[] }

/** The most specific entry for each size and quality that it may come to: one, unless the provider chooses. */
function listChoices<T extends Condition>(entries: readonly T[], parameters: PricedParameters): Choice<T>[] {
  const { width, height, quality } = parameters
  const sizes = width && height ? [`${width}x${height}`] : [...new Set([...entries.map((entry) => entry.size), null])]
  const named = [...new Set(entries.map((entry) => entry.quality))]
  // Some vendors have a quality "auto", which is billed as what it turns out to be.
  const chosen = quality !== null && (quality !== 'auto' || named.includes(quality))
  const qualities = chosen ? [quality] : [...new Set([...named, null])]
  return sizes.flatMap((size) => {
    const found = new Set(
      qualities.map((each) => findMostSpecific(entries, size, each)).filter((each) => each !== null),
    )
    return found.size === 0 ? [] : [{ size, entries: [...found] }]
  })
}

/** Size and quality, then size, then quality, then neither. Of equals the last: what an operator adds comes later. */
function findMostSpecific<T extends Condition>(
  entries: readonly T[],
  size: string | null,
  quality: string | null,
): T | null {
  let best: T | null = null
  for (const entry of entries) {
    if ((entry.size !== null && entry.size !== size) || (entry.quality !== null && entry.quality !== quality)) continue
    if (best === null || specificity(entry) >= specificity(best)) best = entry
  }
  return best
}

function specificity(condition: Condition): number {
  return (condition.size === null ? 0 : 2) + (condition.quality === null ? 0 : 1)
}

function toRate(choice: Choice<PricedRule>): UnitRate {
  const sorted = choice.entries.map((rule) => rule.usd).sort(comparePrices)
  const only = choice.entries.length === 1 ? choice.entries[0] : undefined
  const condition = only ? [only.size, only.quality] : [choice.size]
  return {
    size: choice.size,
    condition: condition.filter((part) => part !== null).join(', '),
    minUsd: sorted[0] ?? '0',
    maxUsd: sorted.at(-1) ?? '0',
  }
}

function comparePrices(left: string, right: string): number {
  const [a, b] = [readUsdMicros(left), readUsdMicros(right)]
  const difference = a.numerator * b.denominator - b.numerator * a.denominator
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

function quantityOfOneImage(
  unit: PriceUnit,
  model: PricedModel,
  parameters: PricedParameters,
  referenceImages: readonly Pixels[],
): Range | null {
  switch (unit) {
    case 'IMAGE':
    case 'FIRST_MEGAPIXEL':
      return { min: 1, max: 1 }
    case 'MEGAPIXEL':
    case 'FURTHER_MEGAPIXEL': {
      const pixels = boundPixels(model, parameters)
      const first = unit === 'FURTHER_MEGAPIXEL' ? 1 : 0
      return pixels && { min: toMegapixels(pixels.min) - first, max: toMegapixels(pixels.max) - first }
    }
    case 'INPUT_IMAGE':
      return { min: parameters.referenceImages, max: parameters.referenceImages }
    case 'INPUT_MEGAPIXEL': {
      if (referenceImages.length !== parameters.referenceImages) return null
      const sum = referenceImages.reduce((total, image) => total + countMegapixels(image), 0)
      return { min: sum, max: sum }
    }
    default: {
      const estimates = model.tokenEstimates.filter((estimate) => estimate.unit === unit)
      const found = listChoices(estimates, parameters)
        .flatMap((choice) => choice.entries)
        .map((estimate) => estimateTokens(estimate, parameters))
      if (found.length === 0 || !found.every((range) => range !== null)) return null
      return { min: Math.min(...found.map(({ min }) => min)), max: Math.max(...found.map(({ max }) => max)) }
    }
  }
}

/** Pixels of one image: of the size asked for, or of the smallest and largest that the model makes. */
function boundPixels(model: PricedModel, { width, height }: PricedParameters): Range | null {
  if (width && height) return { min: width * height, max: width * height }
  const { capabilities } = model
  if (capabilities.sizes.length > 0) {
    const areas = capabilities.sizes.map((size) => {
      const [w = 0, h = 0] = size.split('x').map(Number)
      return w * h
    })
    return { min: Math.min(...areas), max: Math.max(...areas) }
  }
  const free = capabilities.width && capabilities.height
  const ends = free
    ? { min: capabilities.width.min * capabilities.height.min, max: capabilities.width.max * capabilities.height.max }
    : null
  const max = Math.min(capabilities.maxPixels ?? Infinity, ends?.max ?? Infinity)
  if (max === Infinity) return null
  return { min: Math.min(max, Math.max(capabilities.minPixels ?? 1, ends?.min ?? 1)), max }
}

function toMegapixels(pixels: number): number {
  return Math.max(1, Math.ceil(pixels / PIXELS_OF_A_MEGAPIXEL))
}
