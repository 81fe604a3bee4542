import { z } from 'zod'
import { IMAGE_BACKGROUNDS, IMAGE_FORMATS, LIFECYCLE_STATES, PRICE_UNITS } from '../model.ts'
import { optionSchema } from './option-schema.ts'

const size = z.string().regex(/^[1-9]\d*x[1-9]\d*$/, 'Write a size as width x height in pixels, such as "1024x1024".')
const aspectRatio = z.string().regex(/^[1-9]\d*:[1-9]\d*$/, 'Write an aspect ratio such as "16:9".')
const count = z.int().min(0)
const time = z.iso
  .date()
  .or(z.iso.datetime())
  .transform((text) => Date.parse(text))

const sizeRange = z
  .strictObject({ min: z.int().min(1), max: z.int().min(1), multipleOf: z.int().min(1) })
  .refine((range) => range.min <= range.max, 'min is above max.')

const numberRange = z
  .strictObject({ min: z.number().min(0), max: z.number().min(0) })
  .refine((range) => range.min <= range.max, 'min is above max.')

const capabilities = z.strictObject({
  sizes: z.array(size).exactOptional(),
  aspectRatios: z.array(aspectRatio).exactOptional(),
  width: sizeRange.nullable().exactOptional(),
  height: sizeRange.nullable().exactOptional(),
  maxPixels: count.nullable().exactOptional(),
  minPixels: count.nullable().exactOptional(),
  defaultSize: size.nullable().exactOptional(),
  maxCount: z.int().min(1).exactOptional(),
  maxPromptLength: count.nullable().exactOptional(),
  qualities: z.array(z.string()).exactOptional(),
  defaultQuality: z.string().nullable().exactOptional(),
  styles: z.array(z.string()).exactOptional(),
  outputFormats: z.array(z.enum(IMAGE_FORMATS)).min(1).exactOptional(),
  backgrounds: z.array(z.enum(IMAGE_BACKGROUNDS)).exactOptional(),
  outputCompression: z.boolean().exactOptional(),
  seed: z.boolean().exactOptional(),
  maxSeed: count.nullable().exactOptional(),
  negativePrompt: z.boolean().exactOptional(),
  guidanceScale: z.boolean().exactOptional(),
  guidanceScaleRange: numberRange.nullable().exactOptional(),
  enhancePrompt: z.boolean().exactOptional(),
  watermark: z.boolean().exactOptional(),
  minReferenceImages: count.exactOptional(),
  maxReferenceImages: count.exactOptional(),
  mask: z.boolean().exactOptional(),
  maxPreviews: count.exactOptional(),
  progress: z.boolean().exactOptional(),
  providerOptions: optionSchema.nullable().exactOptional(),
})

const lifecycle = z.strictObject({
  state: z.enum(LIFECYCLE_STATES).exactOptional(),
  retiresAt: time.nullable().exactOptional(),
  replacement: z.string().nullable().exactOptional(),
  note: z.string().nullable().exactOptional(),
})

const alias = z.strictObject({
  name: z.string().min(1),
  parameters: z
    .strictObject({
      aspectRatio: aspectRatio.exactOptional(),
      size: size.exactOptional(),
      quality: z.string().exactOptional(),
    })
    .default({}),
})

const price = z.strictObject({
  unit: z.enum(PRICE_UNITS),
  size: size.nullable().default(null),
  quality: z.string().nullable().default(null),
  usd: z
    .string('Write the price as text, such as "0.04": a number would lose digits.')
    .regex(/^\d{1,9}(\.\d{1,9})?$/, 'Write US dollars as a plain decimal with at most nine places, such as "0.04".'),
  asOf: time.exactOptional(),
  source: z.string().min(1).exactOptional(),
})

const tokenEstimate = z
  .strictObject({
    size: size.nullable().default(null),
    quality: z.string().nullable().default(null),
    unit: z.enum([
      'MILLION_INPUT_TOKENS',
      'MILLION_IMAGE_INPUT_TOKENS',
      'MILLION_OUTPUT_TOKENS',
      'MILLION_IMAGE_OUTPUT_TOKENS',
    ]),
    min: count,
    max: count,
    grid: numberRange.exactOptional(),
    perPromptByte: numberRange.exactOptional(),
    perReferenceImage: numberRange.exactOptional(),
    perPreview: count.exactOptional(),
  })
  .refine((estimate) => estimate.min <= estimate.max, 'min is above max.')

const model = z.strictObject({
  id: z.string().regex(/^[a-z0-9-]+\/\S+$/, 'Write a model id as provider/name, such as "sandbox/painter".'),
  provider: z.string().min(1).exactOptional(),
  providerModel: z.string().min(1).exactOptional(),
  name: z.string().min(1).exactOptional(),
  description: z.string().nullable().exactOptional(),
  aliases: z.array(alias).exactOptional(),
  lifecycle: lifecycle.exactOptional(),
  capabilities: capabilities.exactOptional(),
  nativeFormats: z.array(z.enum(IMAGE_FORMATS)).exactOptional(),
  wire: z.record(z.string(), z.unknown()).exactOptional(),
  prices: z.array(price).exactOptional(),
  tokenEstimates: z.array(tokenEstimate).exactOptional(),
})

/** Programs that paint on the operator's own hardware; there may be any number of each. */
export const ENGINE_KINDS = ['openai-compatible', 'comfyui', 'automatic1111'] as const
export type EngineKind = (typeof ENGINE_KINDS)[number]

const provider = z.strictObject({
  id: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'Write an id in lower case, such as "studio" or "studio-2".'),
  kind: z.enum(ENGINE_KINDS).exactOptional(),
  name: z.string().min(1).exactOptional(),
  baseUrl: z
    .url({ protocol: /^https?$/, error: 'Write an absolute http(s) address, such as "http://127.0.0.1:8188".' })
    .transform((text) => text.replace(/\/+$/, ''))
    .exactOptional(),
  limits: z
    .strictObject({
      concurrency: z.int().min(1).exactOptional(),
      requestsPerMinute: z.int().min(1).exactOptional(),
    })
    .exactOptional(),
})

/** Shape of a catalogue file: whole models or parts of known ones, and engines that are not built in. */
export const catalogFileSchema = z
  .strictObject({ models: z.array(model).exactOptional(), providers: z.array(provider).exactOptional() })
  .refine(({ models, providers }) => models ?? providers, 'names neither "models" nor "providers".')
  .transform(({ models = [], providers = [] }) => ({ models, providers }))

export type ModelPatch = z.output<typeof model>
export type ProviderPatch = z.output<typeof provider>
export type PricePatch = z.output<typeof price>
