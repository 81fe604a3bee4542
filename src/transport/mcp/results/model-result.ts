import { z } from 'zod'
import type { Model, PriceRule } from '../../../providers/model.ts'
import type { Services } from '../../../services.ts'
import type { Viewer } from '../../../viewer.ts'
import { MoneySchema } from './money-result.ts'

const RangeSchema = z.object({
  min: z.number().describe('The shortest.'),
  max: z.number().describe('The longest.'),
  multiple_of: z.number().describe('Lengths are multiples of this.'),
})

const PriceSchema = z.object({
  unit: z.string().describe('What is counted: IMAGE, MEGAPIXEL, MILLION_OUTPUT_TOKENS or other.'),
  price: MoneySchema.describe('Of one unit.'),
  size: z.string().nullable().describe('Only for this size; null: whatever it is.'),
  quality: z.string().nullable().describe('Only for this quality; null: whatever it is.'),
})

export const DetailsSchema = z.object({
  sizes: z.array(z.string()).describe('Sizes that it takes; empty: free within the ranges of the sides.'),
  aspect_ratios: z.array(z.string()).describe('Aspect ratios that it takes.'),
  width: RangeSchema.nullable().describe('Widths that it takes, in pixels.'),
  height: RangeSchema.nullable().describe('Heights that it takes, in pixels.'),
  qualities: z.array(z.string()).describe('Values of quality; empty: takes none.'),
  styles: z.array(z.string()).describe('Values of style; empty: takes none.'),
  output_formats: z.array(z.string()).describe('File formats that it makes.'),
  backgrounds: z.array(z.string()).describe('Values of background; empty: takes none.'),
  takes: z.array(z.string()).describe('Which of the other arguments it takes.'),
  max_prompt_length: z.number().nullable().describe('In characters.'),
  min_reference_images: z.number().describe('Above 0 for a model that only edits.'),
  max_reference_images: z.number().describe('0: none.'),
  provider_options: z
    .record(z.string(), z.unknown())
    .nullable()
    .describe('JSON Schema of provider_options; null: takes none.'),
  prices: z.array(PriceSchema).describe('Empty: not known.'),
})

export const ModelSchema = z.object({
  id: z.string().describe('The model argument of generate_image.'),
  name: z.string().describe('For people.'),
  provider: z.string().describe('Whose it is.'),
  description: z.string().nullable().describe('What it is good at.'),
  lifecycle: z.string().describe('PREVIEW, ACTIVE, DEPRECATED or RETIRED.'),
  available: z.boolean().describe('Usable with this key right now.'),
  unavailable_reason: z.string().nullable().describe('Why it is not, for people.'),
  max_count: z.number().describe('Most images of one request.'),
  details: DetailsSchema.nullable().describe('What it takes and costs; null unless asked for.'),
})

export type ModelResult = z.output<typeof ModelSchema>

export async function toModelResult(
  services: Services,
  viewer: Viewer,
  model: Model,
  withDetails: boolean,
): Promise<ModelResult> {
  const reason = await services.models.unavailableReason(viewer, model)
  return {
    id: model.id,
    name: model.name,
    provider: model.provider,
    description: model.description,
    lifecycle: model.lifecycle.state,
    available: reason === null,
    unavailable_reason: reason,
    max_count: model.capabilities.maxCount,
    details: withDetails ? toDetails(services, model) : null,
  }
}

function toDetails(services: Services, { capabilities, prices }: Model): z.output<typeof DetailsSchema> {
  return {
    sizes: [...capabilities.sizes],
    aspect_ratios: [...capabilities.aspectRatios],
    width: toRange(capabilities.width),
    height: toRange(capabilities.height),
    qualities: [...capabilities.qualities],
    styles: [...capabilities.styles],
    output_formats: [...capabilities.outputFormats],
    backgrounds: [...capabilities.backgrounds],
    takes: SWITCHES.filter(([, capability]) => capabilities[capability]).map(([argument]) => argument),
    max_prompt_length: capabilities.maxPromptLength,
    min_reference_images: capabilities.minReferenceImages,
    max_reference_images: capabilities.maxReferenceImages,
    provider_options: capabilities.providerOptions,
    prices: prices.map((price) => toPrice(services, price)),
  }
}

const SWITCHES = [
  ['output_compression', 'outputCompression'],
  ['seed', 'seed'],
  ['negative_prompt', 'negativePrompt'],
  ['guidance_scale', 'guidanceScale'],
  ['enhance_prompt', 'enhancePrompt'],
  ['watermark', 'watermark'],
  ['mask', 'mask'],
] as const satisfies readonly (readonly [string, keyof Model['capabilities']])[]

function toRange(range: Model['capabilities']['width']): z.output<typeof RangeSchema> | null {
  return range && { min: range.min, max: range.max, multiple_of: range.multipleOf }
}

function toPrice({ currency }: Services, { unit, usd, size, quality }: PriceRule): z.output<typeof PriceSchema> {
  return { unit, price: currency.toMoney(currency.usdToMicros(usd, ONE)), size, quality }
}

const ONE = { numerator: 1n, denominator: 1n }
