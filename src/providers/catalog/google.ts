import type { Model, ModelCapabilities, PriceRule, TokenEstimate } from '../model.ts'
import { defineModel, type ModelSpec, pricesOf } from './define-model.ts'
import {
  GEMINI_31_RATIOS,
  GEMINI_RATIOS,
  type GeminiSizes,
  type GeminiTier,
  sizesOfGemini2,
  sizesOfGemini3,
} from './google-sizes.ts'

/**
 * Google's Gemini Developer API: one image a call, priced by token. Names and dates: its changelog, its page of
 * deprecations (to September 2026) and its SDK 3.1.0; prices as quoted by others in August 2026, those of Nano Banana 2.1
 * in October.
 */
const price = pricesOf('2026-08-21', "Google's price list, as Comfy and puter quote it")
const priceOf21 = pricesOf('2026-10-31', "Google's price list, as LiteLLM quotes it")

const categories = ['HARASSMENT', 'HATE_SPEECH', 'SEXUALLY_EXPLICIT', 'DANGEROUS_CONTENT', 'CIVIC_INTEGRITY']
const thresholds = ['BLOCK_LOW_AND_ABOVE', 'BLOCK_MEDIUM_AND_ABOVE', 'BLOCK_ONLY_HIGH', 'BLOCK_NONE', 'OFF']
const safetySetting = {
  type: 'object',
  properties: {
    category: { type: 'string', enum: categories.map((category) => `HARM_CATEGORY_${category}`) },
    threshold: { type: 'string', enum: thresholds },
  },
  required: ['category', 'threshold'],
}

const COMMON: Partial<ModelCapabilities> = {
  maxCount: 10,
  defaultSize: '1024x1024',
  outputFormats: ['PNG', 'JPEG', 'WEBP'],
  // Taken by the vendor, which does not promise that the same seed paints the same picture (unverified).
  seed: true,
  maxSeed: 2 ** 31 - 1,
  // From memory (unverified).
  maxReferenceImages: 14,
  providerOptions: {
    properties: {
      temperature: { type: 'number', minimum: 0, maximum: 2 },
      safetySettings: { type: 'array', items: safetySetting, maxItems: categories.length },
    },
  },
}

type Bounds = { readonly min: number; readonly max: number }

type GeminiSpec = Pick<ModelSpec, 'id' | 'name' | 'description' | 'aliases' | 'lifecycle'> & {
  readonly sizes: GeminiSizes
  readonly aspectRatios?: readonly string[]
  readonly maxReferenceImages?: number
  /** Dollars for a million tokens. Pictures that go in cost what text does. */
  readonly prices: {
    readonly of: typeof price
    readonly in: string
    readonly textOut: string
    readonly imageOut: string
  }
  /** Of one picture, by tier. */
  readonly imageTokens: Partial<Record<GeminiTier | 'only', Bounds>>
  readonly referenceTokens?: Bounds
}

/** No count is published but for Pro. The finest reading of a picture takes 2240 (from memory, unverified). */
const REFERENCE_TOKENS = { min: 0, max: 2240 }
/**
 * Thoughts are billed as text. Some hundred tokens are usual; the upper end is our own (unverified), and what the vendor
 * thinks beyond it is not charged to the caller.
 */
const THOUGHT_TOKENS = { min: 0, max: 2048 }

function geminiModel(spec: GeminiSpec): Model {
  const { sizes, aspectRatios = GEMINI_RATIOS, maxReferenceImages = COMMON.maxReferenceImages ?? 0 } = spec
  return defineModel({
    ...spec,
    capabilities: { ...COMMON, sizes: Object.keys(sizes), aspectRatios, maxReferenceImages },
    // The vendor decides; what was asked for is converted to.
    nativeFormats: [],
    wire: { sizes },
    prices: pricesPerToken(spec.prices),
    tokenEstimates: estimatesOf(spec),
  })
}

function pricesPerToken({ of, ...usd }: GeminiSpec['prices']): readonly PriceRule[] {
  return [
    of('MILLION_INPUT_TOKENS', usd.in),
    of('MILLION_IMAGE_INPUT_TOKENS', usd.in),
    of('MILLION_OUTPUT_TOKENS', usd.textOut),
    of('MILLION_IMAGE_OUTPUT_TOKENS', usd.imageOut),
  ]
}

function estimatesOf({ sizes, imageTokens, referenceTokens = REFERENCE_TOKENS }: GeminiSpec): TokenEstimate[] {
  const any = { size: null, quality: null, min: 0, max: 0 }
  return [
    // A token is a byte at least, and in plain language never more than ten; a few frame the prompt.
    { ...any, unit: 'MILLION_INPUT_TOKENS', max: 8, perPromptByte: { min: 0.1, max: 1 } },
    { ...any, unit: 'MILLION_IMAGE_INPUT_TOKENS', perReferenceImage: referenceTokens },
    { ...any, unit: 'MILLION_OUTPUT_TOKENS', ...THOUGHT_TOKENS },
    ...Object.entries(sizes).flatMap(([size, { imageSize }]): TokenEstimate[] => {
      const tokens = imageTokens[imageSize ?? 'only']
      return tokens ? [{ ...any, size, unit: 'MILLION_IMAGE_OUTPUT_TOKENS', ...tokens }] : []
    }),
  ]
}

function exactly(tokens: number): Bounds {
  return { min: tokens, max: tokens }
}

const NEWEST = 'google/gemini-nano-banana-2.1'

export const GOOGLE_MODELS: readonly Model[] = [
  geminiModel({
    id: NEWEST,
    name: 'Nano Banana 2.1',
    description: 'The usual choice: up to 4K, edits with up to fourteen reference images.',
    aliases: ['nano-banana-2.1'],
    sizes: sizesOfGemini3('1K', '2K', '4K'),
    // Those of Nano Banana 2 (unverified).
    aspectRatios: GEMINI_31_RATIOS,
    prices: { of: priceOf21, in: '1.5', textOut: '7.5', imageOut: '30' },
    // Above 1K no count is published: Pro's and Nano Banana 2's are the two ends (unverified).
    imageTokens: { '1K': exactly(1120), '2K': { min: 1120, max: 1680 }, '4K': { min: 2000, max: 2520 } },
  }),
  geminiModel({
    id: 'google/gemini-3-pro-image',
    name: 'Nano Banana Pro',
    description: 'The strongest of the family: text in pictures, up to 4K, edits with up to fourteen reference images.',
    aliases: ['nano-banana-pro', 'nano-banana-pro-preview'],
    sizes: sizesOfGemini3('1K', '2K', '4K'),
    prices: { of: price, in: '2', textOut: '12', imageOut: '120' },
    imageTokens: { '1K': exactly(1120), '2K': exactly(1120), '4K': exactly(2000) },
    referenceTokens: exactly(560),
  }),
  geminiModel({
    id: 'google/gemini-3.1-flash-lite-image',
    name: 'Nano Banana 2 Lite',
    description: 'Small, fast and cheap; one megapixel.',
    aliases: ['nano-banana-2-lite'],
    sizes: sizesOfGemini3('1K'),
    // Those of Nano Banana 2 (unverified).
    aspectRatios: GEMINI_31_RATIOS,
    prices: { of: price, in: '0.25', textOut: '1.5', imageOut: '30' },
    imageTokens: { '1K': exactly(1120) },
  }),
  geminiModel({
    id: 'google/gemini-3.1-flash-image',
    name: 'Nano Banana 2',
    description: 'From a quarter of a megapixel to 4K.',
    aliases: ['nano-banana-2'],
    lifecycle: {
      state: 'RETIRED',
      retiresAt: Date.UTC(2026, 9, 29),
      replacement: NEWEST,
      note: 'Its shutdown is reported by others and not announced by Google (unverified).',
    },
    sizes: sizesOfGemini3('512', '1K', '2K', '4K'),
    aspectRatios: GEMINI_31_RATIOS,
    prices: { of: price, in: '0.5', textOut: '3', imageOut: '60' },
    imageTokens: { '512': exactly(747), '1K': exactly(1120), '2K': exactly(1680), '4K': exactly(2520) },
  }),
  geminiModel({
    id: 'google/gemini-2.5-flash-image',
    name: 'Nano Banana',
    description: 'The first of the family; one megapixel, edits with up to three reference images.',
    aliases: [
      'nano-banana',
      { name: 'gemini-2.5-flash-image-1024x1024', parameters: { size: '1024x1024' } },
      { name: 'gemini-2.5-flash-image-16:9', parameters: { aspectRatio: '16:9' } },
      { name: 'gemini-2.5-flash-image-9:16', parameters: { aspectRatio: '9:16' } },
    ],
    lifecycle: {
      state: 'RETIRED',
      retiresAt: Date.UTC(2026, 9, 2),
      replacement: NEWEST,
      note: 'Google lists this day as the earliest; whether it still answers is unverified.',
    },
    sizes: sizesOfGemini2(),
    // More are not recommended (from memory, unverified).
    maxReferenceImages: 3,
    prices: { of: price, in: '0.3', textOut: '2.5', imageOut: '30' },
    imageTokens: { only: exactly(1290) },
  }),
]
