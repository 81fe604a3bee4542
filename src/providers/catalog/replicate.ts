import type { Model, ModelCapabilities } from '../model.ts'
import { defineModel, pricesOf } from './define-model.ts'

/**
 * Replicate: official models, priced by image. A model's name is `owner/name`, as its users know it. Fields: the input
 * schemas on the models' pages (2025–2026). Models priced by the second have no price here, and none is listed; they can be
 * added by `PICTOR_CATALOG`, with `wire.version` where they are not official.
 */
const price = pricesOf('2026-11-22', 'replicate.com model pages (2026)')

const COMMON: Partial<ModelCapabilities> = { maxCount: 10, progress: true }

/** Any of three, compressed as asked; `output_quality` means nothing to PNG. */
const FLUX: Partial<ModelCapabilities> = {
  ...COMMON,
  outputFormats: ['WEBP', 'JPEG', 'PNG'],
  outputCompression: true,
  seed: true,
}
const FLUX_INPUT = {
  prompt: '{prompt}',
  seed: '{seed}',
  output_format: '{outputFormat}',
  output_quality: '{outputCompression}',
}
const WORDS = { outputFormat: { JPEG: 'jpg' } }

/** `aspect_ratio` has a value for any other shape, and only then a width and a height are read. */
const CUSTOM = { aspect_ratio: 'custom', width: '{width}', height: '{height}' }

const RATIOS = ['1:1', '16:9', '21:9', '3:2', '2:3', '4:5', '5:4', '3:4', '4:3', '9:16', '9:21']

const SIDE_1 = { min: 256, max: 1440, multipleOf: 32 }
const SIDE_2 = { min: 256, max: 2048, multipleOf: 16 }
const SIDE_SEEDREAM = { min: 1024, max: 4096, multipleOf: 1 }

const safety = (max: number) => ({
  type: 'integer',
  minimum: 1,
  maximum: max,
  description: '1 is strictest; default 2.',
})
const steps = (max: number) => ({ type: 'integer', minimum: 1, maximum: max })
const goFast = { type: 'boolean', description: 'Faster, and not the same for the same seed.' }

export const REPLICATE_MODELS: readonly Model[] = [
  defineModel({
    id: 'replicate/black-forest-labs/flux-2-pro',
    name: 'FLUX.2 [pro] on Replicate',
    description: 'Up to 2048 pixels a side; edits with up to eight reference images.',
    aliases: ['flux-2-pro'],
    capabilities: {
      ...FLUX,
      width: SIDE_2,
      height: SIDE_2,
      defaultSize: '1024x1024',
      maxReferenceImages: 8,
      providerOptions: { properties: { safety_tolerance: safety(5) } },
    },
    wire: { input: { ...FLUX_INPUT, ...CUSTOM, input_images: '{images}' }, words: WORDS },
    prices: [
      price('IMAGE', '0.015'),
      price('MEGAPIXEL', '0.015'),
      // The page says "per megapixel"; Black Forest Labs, whose price this is, bills those that go in as well.
      pricesOf('2026-11-22', 'as at Black Forest Labs (unverified for Replicate)')('INPUT_MEGAPIXEL', '0.015'),
    ],
  }),
  defineModel({
    id: 'replicate/black-forest-labs/flux-1.1-pro',
    name: 'FLUX 1.1 [pro] on Replicate',
    description: 'The workhorse of the FLUX.1 family.',
    aliases: ['flux-1.1-pro'],
    capabilities: {
      ...FLUX,
      width: SIDE_1,
      height: SIDE_1,
      defaultSize: '1024x1024',
      enhancePrompt: true,
      maxReferenceImages: 1,
      providerOptions: { properties: { safety_tolerance: safety(6) } },
    },
    wire: {
      input: { ...FLUX_INPUT, ...CUSTOM, prompt_upsampling: '{enhancePrompt}', image_prompt: '{image}' },
      words: WORDS,
    },
    prices: [price('IMAGE', '0.04')],
  }),
  defineModel({
    id: 'replicate/black-forest-labs/flux-dev',
    name: 'FLUX.1 [dev] on Replicate',
    description: 'About a megapixel; steps and guidance are yours to set. With a reference image it has its shape.',
    aliases: ['flux-dev'],
    capabilities: {
      ...FLUX,
      aspectRatios: RATIOS,
      guidanceScale: true,
      guidanceScaleRange: { min: 0, max: 10 },
      maxReferenceImages: 1,
      providerOptions: {
        properties: {
          num_inference_steps: steps(50),
          prompt_strength: {
            type: 'number',
            minimum: 0,
            maximum: 1,
            description: '1: nothing of the picture is left.',
          },
          go_fast: goFast,
        },
      },
    },
    wire: {
      input: {
        ...FLUX_INPUT,
        aspect_ratio: '{aspectRatio}',
        num_outputs: '{count}',
        guidance: '{guidanceScale}',
        image: '{image}',
      },
      words: WORDS,
      imagesPerCall: 4,
    },
    prices: [price('IMAGE', '0.025')],
  }),
  defineModel({
    id: 'replicate/black-forest-labs/flux-schnell',
    name: 'FLUX.1 [schnell] on Replicate',
    description: 'About a megapixel in at most four steps, fast and cheap.',
    aliases: ['flux-schnell'],
    capabilities: {
      ...FLUX,
      aspectRatios: RATIOS,
      providerOptions: { properties: { num_inference_steps: steps(4), go_fast: goFast } },
    },
    wire: {
      input: { ...FLUX_INPUT, aspect_ratio: '{aspectRatio}', num_outputs: '{count}' },
      words: WORDS,
      imagesPerCall: 4,
    },
    prices: [price('IMAGE', '0.003')],
  }),
  defineModel({
    id: 'replicate/bytedance/seedream-4',
    name: 'Seedream 4 on Replicate',
    description: 'Up to 4096 pixels a side; edits with up to ten reference images.',
    aliases: ['seedream-4'],
    capabilities: {
      ...COMMON,
      width: SIDE_SEEDREAM,
      height: SIDE_SEEDREAM,
      defaultSize: '2048x2048',
      outputFormats: ['JPEG', 'PNG', 'WEBP'],
      maxReferenceImages: 10,
    },
    // It makes JPEG and cannot be asked. `sequential_image_generation` lets it choose how many: each is a call here.
    nativeFormats: [],
    wire: {
      input: { prompt: '{prompt}', size: 'custom', width: '{width}', height: '{height}', image_input: '{images}' },
    },
    prices: [price('IMAGE', '0.03')],
  }),
]
