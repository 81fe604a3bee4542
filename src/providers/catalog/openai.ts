import type { Lifecycle, Model, ModelCapabilities, PriceRule } from '../model.ts'
import { defineModel, pricesOf } from './define-model.ts'
import { textOut, tokensByGrid, tokensByTable } from './openai-tokens.ts'

/**
 * OpenAI. Fields and values: types of the SDK 7.57.0 (2026-11-13). Life cycle: developers.openai.com, deprecations (autumn
 * 2026). A retired model is described whole, for endpoints that still serve it: a catalogue file then says
 * `"lifecycle": { "state": "ACTIVE", "retiresAt": null }` and nothing else.
 */
const PRICES_CHECKED = '2026-11-22'
/** Stated for 2.6-sunburst; whether a flare is cheaper is unverified. */
const price2 = pricesOf(PRICES_CHECKED, "OpenAI's price page for gpt-image-2.6-sunburst")
const price1 = pricesOf(PRICES_CHECKED, "OpenAI's price list")
const priceDalle = pricesOf('2026-05-12', "OpenAI's price list before the shutdown")

const choice = (...values: string[]) => ({ type: 'string', enum: values })

const GPT_IMAGE: Partial<ModelCapabilities> = {
  defaultSize: '1024x1024',
  maxCount: 10,
  maxPromptLength: 32_000,
  qualities: ['auto', 'low', 'medium', 'high'],
  // The vendor's own default is `auto`, which leaves the price open up to that of the highest quality.
  defaultQuality: 'medium',
  outputFormats: ['PNG', 'JPEG', 'WEBP'],
  // Transparent ones are a preview on gpt-image-2 and assumed of 2.6 (unverified).
  backgrounds: ['AUTO', 'OPAQUE', 'TRANSPARENT'],
  outputCompression: true,
  maxReferenceImages: 16,
  mask: true,
  maxPreviews: 3,
  providerOptions: { properties: { moderation: choice('auto', 'low') } },
}

/**
 * Of gpt-image-2 and 2.5, and assumed of 2.6 (unverified). A picture is at most three times as long as wide, which cannot be
 * declared: the vendor answers 400 to what breaks it. With that, 480 is the shortest side that has the fewest pixels. The
 * bounds of edges and area are those that another client of the API keeps; above 2560x1440 sizes are experimental.
 */
const SIDE = { min: 480, max: 3840, multipleOf: 16 }
const GPT_IMAGE_2: Partial<ModelCapabilities> = {
  ...GPT_IMAGE,
  width: SIDE,
  height: SIDE,
  minPixels: 655_360,
  maxPixels: 3840 * 2160,
}

/** `xhigh` and `max` are stated for 2.5 and assumed of 2.6 (unverified). */
const GPT_IMAGE_2_5: Partial<ModelCapabilities> = {
  ...GPT_IMAGE_2,
  qualities: ['auto', 'low', 'medium', 'high', 'xhigh', 'max'],
}

/** Which models know `complexity` is not stated; the newest do, and their default is said to be the highest (unverified). */
const GPT_IMAGE_2_6: Partial<ModelCapabilities> = {
  ...GPT_IMAGE_2_5,
  providerOptions: {
    properties: { moderation: choice('auto', 'low'), complexity: choice('low', 'medium', 'high') },
  },
}

const GPT_IMAGE_1: Partial<ModelCapabilities> = { ...GPT_IMAGE, sizes: ['1024x1024', '1536x1024', '1024x1536'] }

const PRICES_2: readonly PriceRule[] = [
  price2('MILLION_INPUT_TOKENS', '5'),
  price2('MILLION_IMAGE_INPUT_TOKENS', '8'),
  price2('MILLION_IMAGE_OUTPUT_TOKENS', '30'),
]
const TOKENS_2 = tokensByGrid(['low', 'medium', 'high'])
const TOKENS_2_5 = tokensByGrid(['low', 'medium', 'high', 'xhigh', 'max'])

/** Announced on 2026-06-02. */
function endsInDecember(replacement: string): Partial<Lifecycle> {
  return { state: 'DEPRECATED', retiresAt: Date.parse('2026-12-01'), replacement }
}

function endedOn(date: string): Partial<Lifecycle> {
  return { state: 'RETIRED', retiresAt: Date.parse(date), replacement: 'openai/gpt-image-2.6-flare' }
}

const DALLE: Partial<ModelCapabilities> = {
  defaultSize: '1024x1024',
  maxCount: 10,
  outputFormats: ['PNG', 'JPEG', 'WEBP'],
}

/** The first one is what stands for "OpenAI": the fast tier of the newest family, for people who wait. */
export const OPENAI_MODELS: readonly Model[] = [
  defineModel({
    id: 'openai/gpt-image-2.6-flare',
    name: 'GPT Image 2.6 Flare',
    description: 'The usual choice: the newest family in its fast tier, with previews and edits.',
    capabilities: GPT_IMAGE_2_6,
    prices: PRICES_2,
    tokenEstimates: TOKENS_2_5,
  }),
  defineModel({
    id: 'openai/gpt-image-2.6-sunburst',
    name: 'GPT Image 2.6 Sunburst',
    description: 'The newest family in its quality tier.',
    capabilities: GPT_IMAGE_2_6,
    prices: PRICES_2,
    tokenEstimates: TOKENS_2_5,
  }),
  defineModel({
    id: 'openai/gpt-image-2.5-flare',
    name: 'GPT Image 2.5 Flare',
    description: 'The family before the newest in its fast tier.',
    aliases: ['gpt-image-2.5-flare-2026-09-08'],
    capabilities: GPT_IMAGE_2_5,
    prices: PRICES_2,
    tokenEstimates: TOKENS_2_5,
  }),
  defineModel({
    id: 'openai/gpt-image-2.5-sunburst',
    name: 'GPT Image 2.5 Sunburst',
    description: 'The family before the newest in its quality tier.',
    aliases: ['gpt-image-2.5-sunburst-2026-09-08'],
    capabilities: GPT_IMAGE_2_5,
    prices: PRICES_2,
    tokenEstimates: TOKENS_2_5,
  }),
  defineModel({
    id: 'openai/gpt-image-2',
    name: 'GPT Image 2',
    description: 'The first of the family with sizes of your own.',
    aliases: ['gpt-image-2-2026-04-21'],
    capabilities: GPT_IMAGE_2,
    prices: PRICES_2,
    tokenEstimates: TOKENS_2,
  }),
  defineModel({
    id: 'openai/gpt-image-1.5',
    name: 'GPT Image 1.5',
    description: 'Three sizes; keeps to the pictures it is given as closely as you ask.',
    aliases: ['gpt-image-1.5-2025-12-16'],
    lifecycle: endsInDecember('openai/gpt-image-2.6-sunburst'),
    capabilities: {
      ...GPT_IMAGE_1,
      providerOptions: {
        properties: { moderation: choice('auto', 'low'), input_fidelity: choice('high', 'low') },
      },
    },
    prices: [
      price1('MILLION_INPUT_TOKENS', '5'),
      price1('MILLION_IMAGE_INPUT_TOKENS', '8'),
      price1('MILLION_OUTPUT_TOKENS', '10'),
      price1('MILLION_IMAGE_OUTPUT_TOKENS', '32'),
    ],
    tokenEstimates: [...tokensByTable('1'), ...textOut()],
  }),
  defineModel({
    id: 'openai/gpt-image-1-mini',
    name: 'GPT Image 1 mini',
    description: 'Small and cheap; three sizes.',
    lifecycle: endsInDecember('openai/gpt-image-2.6-flare'),
    capabilities: {
      ...GPT_IMAGE_1,
      providerOptions: { properties: { moderation: choice('auto', 'low'), input_fidelity: choice('low') } },
    },
    prices: [
      price1('MILLION_INPUT_TOKENS', '2'),
      price1('MILLION_IMAGE_INPUT_TOKENS', '2.5'),
      price1('MILLION_IMAGE_OUTPUT_TOKENS', '8'),
    ],
    tokenEstimates: tokensByTable('mini'),
  }),
  defineModel({
    id: 'openai/chatgpt-image-latest',
    name: 'ChatGPT Image (latest)',
    description: 'What ChatGPT used to paint with. Its price is not published.',
    lifecycle: endsInDecember('openai/gpt-image-2.6-sunburst'),
    capabilities: GPT_IMAGE_1,
  }),
  defineModel({
    id: 'openai/gpt-image-1',
    name: 'GPT Image 1',
    description: 'The first of the GPT image models.',
    lifecycle: endedOn('2026-10-23'),
    capabilities: GPT_IMAGE_1,
    prices: [
      price1('MILLION_INPUT_TOKENS', '5'),
      price1('MILLION_IMAGE_INPUT_TOKENS', '10'),
      price1('MILLION_IMAGE_OUTPUT_TOKENS', '40'),
    ],
    tokenEstimates: tokensByTable('1'),
  }),
  defineModel({
    id: 'openai/dall-e-3',
    name: 'DALL·E 3',
    description: 'Rewrites the prompt and paints it vivid or natural.',
    lifecycle: endedOn('2026-05-12'),
    capabilities: {
      ...DALLE,
      sizes: ['1024x1024', '1792x1024', '1024x1792'],
      maxPromptLength: 4000,
      qualities: ['standard', 'hd'],
      defaultQuality: 'standard',
      styles: ['vivid', 'natural'],
    },
    nativeFormats: [],
    wire: { form: 'dall-e', oneByOne: true },
    prices: [
      price(priceDalle, '0.04', '1024x1024', 'standard'),
      price(priceDalle, '0.08', '1024x1024', 'hd'),
      ...['1792x1024', '1024x1792'].flatMap((size) => [
        price(priceDalle, '0.08', size, 'standard'),
        price(priceDalle, '0.12', size, 'hd'),
      ]),
    ],
  }),
  defineModel({
    id: 'openai/dall-e-2',
    name: 'DALL·E 2',
    description: 'Small square pictures, and edits of one.',
    lifecycle: endedOn('2026-05-12'),
    capabilities: {
      ...DALLE,
      sizes: ['256x256', '512x512', '1024x1024'],
      maxPromptLength: 1000,
      qualities: ['standard'],
      // One square PNG of less than 4 MB.
      maxReferenceImages: 1,
      mask: true,
    },
    nativeFormats: [],
    wire: { form: 'dall-e' },
    prices: [
      price(priceDalle, '0.016', '256x256'),
      price(priceDalle, '0.018', '512x512'),
      price(priceDalle, '0.02', '1024x1024'),
    ],
  }),
]

function price(of: typeof priceDalle, usd: string, size: string, quality?: string): PriceRule {
  return of('IMAGE', usd, { size, ...(quality !== undefined && { quality }) })
}
