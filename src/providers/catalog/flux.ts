import type { Model, ModelCapabilities } from '../model.ts'
import { defineModel, pricesOf } from './define-model.ts'

/**
 * Black Forest Labs. Endpoints and fields: docs.bfl.ai (to 2026-11-16). The FLUX.1 endpoints are "legacy" there and still
 * priced; no shutdown date is published. FLUX 3 is left out: its path on api.bfl.ai is not published in what was read.
 */
const price = pricesOf('2026-11-16', 'bfl.ai/pricing')

const COMMON: Partial<ModelCapabilities> = {
  maxCount: 10,
  outputFormats: ['JPEG', 'PNG', 'WEBP'],
  seed: true,
  progress: true,
}

/** `webp` is taken by newer endpoints only, so it is converted here for all of them. */
const NATIVE = ['JPEG', 'PNG'] as const

const SIDE_1 = { min: 256, max: 1440, multipleOf: 32 }
const FLUX_1: Partial<ModelCapabilities> = {
  ...COMMON,
  width: SIDE_1,
  height: SIDE_1,
  defaultSize: '1024x768',
  enhancePrompt: true,
  maxReferenceImages: 1,
}

/** Any side of 64 or more in steps of 16, up to 4 megapixels; the longest side that this leaves is not stated. */
const SIDE_2 = { min: 64, max: 4096, multipleOf: 16 }
const FLUX_2: Partial<ModelCapabilities> = {
  ...COMMON,
  width: SIDE_2,
  height: SIDE_2,
  maxPixels: 4 * 1024 * 1024,
  defaultSize: '1024x1024',
  maxReferenceImages: 8,
}

/** The listed ends are 21:9 and 9:21 (kontext's page also says 3:7 and 7:3); the ones between are the usual. */
const RATIOS = ['21:9', '16:9', '3:2', '4:3', '5:4', '1:1', '4:5', '3:4', '2:3', '9:16', '9:21']

const safety = (max: number) => ({
  type: 'integer',
  minimum: 0,
  maximum: max,
  description: '0 is strictest; default 2.',
})
const steps = { type: 'integer', minimum: 1, maximum: 50 }

const PIXELS = { size: 'pixels', image: 'image_prompt', enhance: true }
const KONTEXT: Partial<ModelCapabilities> = {
  ...COMMON,
  aspectRatios: RATIOS,
  enhancePrompt: true,
  // Further ones are experimental (unverified).
  maxReferenceImages: 1,
  providerOptions: { properties: { safety_tolerance: safety(2) } },
}

/** First megapixel, each further one, each that goes in. Pages differ by a cent for flex; the vendor's `cost` decides. */
function byMegapixel(first: string, further: string) {
  return [price('FIRST_MEGAPIXEL', first), price('FURTHER_MEGAPIXEL', further), price('INPUT_MEGAPIXEL', further)]
}

export const FLUX_MODELS: readonly Model[] = [
  defineModel({
    id: 'flux/flux-2-pro',
    name: 'FLUX.2 [pro]',
    description: 'The usual choice: fast, up to 4 megapixels, edits with up to eight reference images.',
    aliases: ['flux-2'],
    capabilities: { ...FLUX_2, providerOptions: { properties: { safety_tolerance: safety(5) } } },
    nativeFormats: NATIVE,
    wire: { size: 'pixels' },
    prices: byMegapixel('0.03', '0.015'),
  }),
  defineModel({
    id: 'flux/flux-2-max',
    name: 'FLUX.2 [max]',
    description: 'The most faithful of the FLUX.2 family.',
    capabilities: { ...FLUX_2, providerOptions: { properties: { safety_tolerance: safety(5) } } },
    nativeFormats: NATIVE,
    wire: { size: 'pixels' },
    prices: byMegapixel('0.07', '0.03'),
  }),
  defineModel({
    id: 'flux/flux-2-flex',
    name: 'FLUX.2 [flex]',
    description: 'Steps and guidance are yours to set; good at typography.',
    capabilities: {
      ...FLUX_2,
      enhancePrompt: true,
      guidanceScale: true,
      guidanceScaleRange: { min: 1.5, max: 10 },
      providerOptions: { properties: { safety_tolerance: safety(5), steps } },
    },
    nativeFormats: NATIVE,
    wire: { size: 'pixels', enhance: true },
    prices: byMegapixel('0.05', '0.05'),
  }),
  ...(
    [
      ['4b', '0.014', '0.001'],
      ['9b', '0.015', '0.002'],
    ] as const
  ).map(([size, first, further]) =>
    defineModel({
      id: `flux/flux-2-klein-${size}`,
      name: `FLUX.2 [klein] ${size.toUpperCase()}`,
      description: 'Small, fast and cheap.',
      // Four reference images (unverified).
      capabilities: {
        ...FLUX_2,
        maxReferenceImages: 4,
        providerOptions: { properties: { safety_tolerance: safety(5) } },
      },
      nativeFormats: NATIVE,
      wire: { size: 'pixels' },
      prices: byMegapixel(first, further),
    }),
  ),
  defineModel({
    id: 'flux/flux-kontext-pro',
    name: 'FLUX.1 Kontext [pro]',
    description: 'Edits a picture by words, or makes one.',
    capabilities: KONTEXT,
    nativeFormats: NATIVE,
    wire: { size: 'ratio', image: 'input_image', enhance: true },
    prices: [price('IMAGE', '0.04')],
  }),
  defineModel({
    id: 'flux/flux-kontext-max',
    name: 'FLUX.1 Kontext [max]',
    description: 'Edits a picture by words, or makes one; the stronger of the two.',
    capabilities: KONTEXT,
    nativeFormats: NATIVE,
    wire: { size: 'ratio', image: 'input_image', enhance: true },
    prices: [price('IMAGE', '0.08')],
  }),
  defineModel({
    id: 'flux/flux-1.1-pro-ultra',
    providerModel: 'flux-pro-1.1-ultra',
    name: 'FLUX 1.1 [pro] ultra',
    description: 'About four megapixels; with `raw` it looks less processed.',
    aliases: ['flux-pro-1.1-ultra'],
    capabilities: {
      ...COMMON,
      aspectRatios: RATIOS,
      maxReferenceImages: 1,
      providerOptions: {
        properties: {
          raw: { type: 'boolean' },
          image_prompt_strength: { type: 'number', minimum: 0, maximum: 1 },
          safety_tolerance: safety(6),
        },
      },
    },
    nativeFormats: NATIVE,
    wire: { size: 'ratio', image: 'image_prompt' },
    prices: [price('IMAGE', '0.06')],
  }),
  defineModel({
    id: 'flux/flux-1.1-pro',
    providerModel: 'flux-pro-1.1',
    name: 'FLUX 1.1 [pro]',
    description: 'The workhorse of the FLUX.1 family.',
    aliases: ['flux-pro-1.1'],
    capabilities: { ...FLUX_1, providerOptions: { properties: { safety_tolerance: safety(6) } } },
    nativeFormats: NATIVE,
    wire: PIXELS,
    prices: [price('IMAGE', '0.04')],
  }),
  defineModel({
    id: 'flux/flux-dev',
    name: 'FLUX.1 [dev]',
    description: 'Steps and guidance are yours to set.',
    // People ask for "flux-1" without saying which; this is the nearest that is still served.
    aliases: ['flux-1'],
    capabilities: {
      ...FLUX_1,
      guidanceScale: true,
      guidanceScaleRange: { min: 1.5, max: 5 },
      providerOptions: { properties: { safety_tolerance: safety(6), steps } },
    },
    nativeFormats: NATIVE,
    wire: PIXELS,
    prices: [price('IMAGE', '0.025')],
  }),
]
