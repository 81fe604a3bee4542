import type { Model, ModelCapabilities } from '../model.ts'
import { defineModel, pricesOf } from './define-model.ts'

/**
 * fal. A model's name is the id of its app, as its users know it. Fields: types of @fal-ai/client 1.10.1. What it has no
 * types for is left out, FLUX 3 among it; any other app can be added by `PICTOR_CATALOG`.
 */
const price = pricesOf('2026-11-22', 'fal.ai, from memory (unverified)')

/**
 * fal's types take a width and a height and state no bounds: these are the ones that Black Forest Labs states for the
 * same models.
 */
const SIDE = { min: 256, max: 1440, multipleOf: 32 }

const FLUX_1: Partial<ModelCapabilities> = {
  width: SIDE,
  height: SIDE,
  // The apps' own default, `landscape_4_3`.
  defaultSize: '1024x768',
  maxCount: 10,
  outputFormats: ['JPEG', 'PNG', 'WEBP'],
  seed: true,
  progress: true,
}
const NATIVE = ['JPEG', 'PNG'] as const

const INPUT = {
  prompt: '{prompt}',
  image_size: { width: '{width}', height: '{height}' },
  num_images: '{count}',
  seed: '{seed}',
  output_format: '{outputFormat}',
}
/** `num_images` ends at 4 (from memory, unverified). */
const IMAGES_PER_CALL = 4

const acceleration = { enum: ['none', 'regular', 'high'], description: 'Faster, at some loss; default "none".' }

export const FAL_MODELS: readonly Model[] = [
  defineModel({
    id: 'fal/fal-ai/flux/schnell',
    name: 'FLUX.1 [schnell] on fal',
    description: 'Few steps, fast and cheap.',
    aliases: ['flux-schnell'],
    capabilities: { ...FLUX_1, providerOptions: { properties: { acceleration } } },
    nativeFormats: NATIVE,
    wire: { input: INPUT, imagesPerCall: IMAGES_PER_CALL },
    prices: [price('MEGAPIXEL', '0.003')],
  }),
  defineModel({
    id: 'fal/fal-ai/flux/dev',
    name: 'FLUX.1 [dev] on fal',
    description: 'Steps and guidance are yours to set.',
    aliases: ['flux-dev'],
    capabilities: {
      ...FLUX_1,
      guidanceScale: true,
      providerOptions: {
        properties: {
          num_inference_steps: { type: 'integer', minimum: 1, maximum: 50, description: 'Default 28.' },
          acceleration,
        },
      },
    },
    nativeFormats: NATIVE,
    wire: { input: { ...INPUT, guidance_scale: '{guidanceScale}' }, imagesPerCall: IMAGES_PER_CALL },
    prices: [price('MEGAPIXEL', '0.025')],
  }),
  defineModel({
    id: 'fal/fal-ai/flux-pro/v1.1',
    name: 'FLUX 1.1 [pro] on fal',
    description: 'The workhorse of the FLUX.1 family.',
    aliases: ['flux-1.1-pro'],
    capabilities: {
      ...FLUX_1,
      enhancePrompt: true,
      providerOptions: {
        properties: {
          safety_tolerance: { enum: ['1', '2', '3', '4', '5', '6'], description: '1 is strictest; default 2.' },
        },
      },
    },
    nativeFormats: NATIVE,
    wire: { input: { ...INPUT, enhance_prompt: '{enhancePrompt}' }, imagesPerCall: IMAGES_PER_CALL },
    prices: [price('MEGAPIXEL', '0.04')],
  }),
]
