import type { Model, ModelCapabilities } from '../model.ts'
import { defineModel, pricesOf } from './define-model.ts'

/**
 * Stability AI. Endpoints and fields: its OpenAPI document of 2025-06-24. `sd3.5-flash` is left out: neither the name nor
 * its price could be verified; a catalogue file can add it with the `wire` of its siblings. One credit is a cent.
 */
const price = pricesOf('2026-06-01', 'OpenAPI document of api.stability.ai, price table of HeyPuter/puter')

const RATIOS = ['1:1', '21:9', '16:9', '3:2', '5:4', '4:5', '2:3', '9:16', '9:21']

const STYLES = [
  '3d-model',
  'analog-film',
  'anime',
  'cinematic',
  'comic-book',
  'digital-art',
  'enhance',
  'fantasy-art',
  'isometric',
  'line-art',
  'low-poly',
  'modeling-compound',
  'neon-punk',
  'origami',
  'photographic',
  'pixel-art',
  'tile-texture',
]

/** About one megapixel in each ratio. `style_preset` is stated for core alone; later pages add others (unverified). */
const STABLE_IMAGE: Partial<ModelCapabilities> = {
  aspectRatios: RATIOS,
  maxCount: 10,
  maxPromptLength: 10_000,
  outputFormats: ['PNG', 'JPEG', 'WEBP'],
  seed: true,
  maxSeed: 4_294_967_294,
  negativePrompt: true,
}

const WITH_REFERENCE: Partial<ModelCapabilities> = {
  maxReferenceImages: 1,
  providerOptions: {
    properties: {
      strength: {
        type: 'number',
        minimum: 0,
        maximum: 1,
        description: 'Goes with a reference image; 0.5 is sent where it is left out.',
      },
    },
  },
}

const SD3_5: Partial<ModelCapabilities> = {
  ...STABLE_IMAGE,
  ...WITH_REFERENCE,
  guidanceScale: true,
  // The range is unverified; by default 4, of turbo 1.
  guidanceScaleRange: { min: 1, max: 10 },
}

/** sd3 has no webp: that is converted here. */
const SD3_FORMATS = ['PNG', 'JPEG'] as const

/** With `mode=image-to-image` this endpoint takes no aspect ratio. */
const sd3 = (model: string) => ({ api: 'v2beta', endpoint: 'sd3', model, imageMode: 'image-to-image' })

const SDXL_SIZES = [
  '1024x1024',
  '1152x896',
  '896x1152',
  '1216x832',
  '832x1216',
  '1344x768',
  '768x1344',
  '1536x640',
  '640x1536',
]

/**
 * v1 also has image-to-image, whose fields are not in what was read, so no reference image is declared. More than 30
 * steps cost more than the price below, so they are not offered.
 */
const SDXL: Partial<ModelCapabilities> = {
  sizes: SDXL_SIZES,
  defaultSize: '1024x1024',
  maxCount: 10,
  maxPromptLength: 2000,
  // That v1 takes the styles of v2beta is unverified.
  styles: STYLES,
  outputFormats: ['PNG', 'JPEG', 'WEBP'],
  seed: true,
  maxSeed: 4_294_967_295,
  negativePrompt: true,
  guidanceScale: true,
  guidanceScaleRange: { min: 0, max: 35 },
  providerOptions: {
    properties: {
      steps: { type: 'integer', minimum: 10, maximum: 30, description: 'Default: 30.' },
      sampler: {
        enum: [
          'DDIM',
          'DDPM',
          'K_DPMPP_2M',
          'K_DPMPP_2S_ANCESTRAL',
          'K_DPM_2',
          'K_DPM_2_ANCESTRAL',
          'K_EULER',
          'K_EULER_ANCESTRAL',
          'K_HEUN',
          'K_LMS',
        ],
      },
      clip_guidance_preset: { enum: ['FAST_BLUE', 'FAST_GREEN', 'NONE', 'SIMPLE', 'SLOW', 'SLOWER', 'SLOWEST'] },
    },
  },
}

export const STABILITY_MODELS: readonly Model[] = [
  defineModel({
    id: 'stability-ai/stable-image-core',
    name: 'Stable Image Core',
    description: 'The usual choice: fast, cheap, with seventeen styles. Seed 0 stands for any.',
    aliases: ['stability-core', 'stable-core'],
    capabilities: { ...STABLE_IMAGE, styles: STYLES },
    wire: { api: 'v2beta', endpoint: 'core' },
    prices: [price('IMAGE', '0.03')],
  }),
  defineModel({
    id: 'stability-ai/stable-image-ultra',
    name: 'Stable Image Ultra',
    description: 'The best that this vendor makes; may start from a reference image. Seed 0 stands for any.',
    aliases: ['stability-ultra', 'stable-ultra'],
    capabilities: { ...STABLE_IMAGE, ...WITH_REFERENCE },
    wire: { api: 'v2beta', endpoint: 'ultra' },
    prices: [price('IMAGE', '0.08')],
  }),
  defineModel({
    id: 'stability-ai/sd3.5-large',
    name: 'Stable Diffusion 3.5 Large',
    description: 'With guidance; a result that starts from a reference image has its shape. Seed 0 stands for any.',
    aliases: ['sd3.5', 'sd3', 'stable-diffusion-3.5', 'stable-diffusion-3.5-large'],
    capabilities: SD3_5,
    nativeFormats: SD3_FORMATS,
    wire: sd3('sd3.5-large'),
    prices: [price('IMAGE', '0.065')],
  }),
  defineModel({
    id: 'stability-ai/sd3.5-large-turbo',
    name: 'Stable Diffusion 3.5 Large Turbo',
    description: 'The quick form of Large; a reference image gives its shape. Seed 0 stands for any.',
    aliases: ['sd3.5-turbo', 'stable-diffusion-3.5-large-turbo'],
    // `negative_prompt` is known to be ignored by the turbo of version 3 (of 3.5: unverified), so it is not declared.
    capabilities: { ...SD3_5, negativePrompt: false },
    nativeFormats: SD3_FORMATS,
    wire: sd3('sd3.5-large-turbo'),
    prices: [price('IMAGE', '0.04')],
  }),
  defineModel({
    id: 'stability-ai/sd3.5-medium',
    name: 'Stable Diffusion 3.5 Medium',
    description: 'The small form of 3.5; a reference image gives its shape. Seed 0 stands for any.',
    aliases: ['stable-diffusion-3.5-medium'],
    capabilities: SD3_5,
    nativeFormats: SD3_FORMATS,
    wire: sd3('sd3.5-medium'),
    prices: [price('IMAGE', '0.035')],
  }),
  defineModel({
    id: 'stability-ai/stable-diffusion-xl',
    providerModel: 'stable-diffusion-xl-1024-v1-0',
    name: 'Stable Diffusion XL 1.0',
    description: 'The classic, in nine sizes and up to ten images a call.',
    aliases: ['sdxl', 'sdxl-1.0', 'stable-diffusion-xl-1024-v1-0'],
    lifecycle: {
      state: 'DEPRECATED',
      replacement: 'stability-ai/stable-image-core',
      note: 'It runs on the older interface of Stability AI (v1), and whether that is still served could not be verified.',
    },
    capabilities: SDXL,
    nativeFormats: ['PNG'],
    wire: { api: 'v1' },
    prices: [price('IMAGE', '0.009')],
  }),
]
