import type { Model, ModelCapabilities, PriceRule } from '../model.ts'

const FREE: PriceRule = {
  unit: 'IMAGE',
  size: null,
  quality: null,
  usd: '0',
  asOf: Date.UTC(2026, 10, 22),
  source: 'The sandbox runs in this server and costs nothing.',
}

const PAINTER: ModelCapabilities = {
  sizes: [],
  aspectRatios: ['1:1', '5:4', '4:3', '3:2', '16:9', '21:9', '4:5', '3:4', '2:3', '9:16', '9:21'],
  width: { min: 64, max: 2048, multipleOf: 8 },
  height: { min: 64, max: 2048, multipleOf: 8 },
  maxPixels: 2048 * 2048,
  minPixels: 64 * 64,
  defaultSize: '1024x1024',
  maxCount: 10,
  maxPromptLength: 4000,
  qualities: ['draft', 'standard', 'fine'],
  defaultQuality: 'standard',
  styles: ['hills', 'flow', 'orbs', 'aurora', 'facets'],
  outputFormats: ['PNG', 'JPEG', 'WEBP'],
  backgrounds: ['AUTO', 'OPAQUE', 'TRANSPARENT'],
  outputCompression: true,
  seed: true,
  maxSeed: null,
  negativePrompt: true,
  guidanceScale: true,
  guidanceScaleRange: { min: 0, max: 20 },
  enhancePrompt: false,
  watermark: false,
  minReferenceImages: 0,
  maxReferenceImages: 4,
  mask: true,
  maxPreviews: 8,
  progress: true,
  providerOptions: null,
}

const POSTCARD: ModelCapabilities = {
  ...PAINTER,
  sizes: ['512x512', '768x512'],
  aspectRatios: [],
  width: null,
  height: null,
  maxPixels: null,
  minPixels: null,
  defaultSize: '768x512',
  maxCount: 1,
  maxPromptLength: 400,
  qualities: [],
  defaultQuality: null,
  styles: [],
  outputFormats: ['JPEG'],
  backgrounds: ['AUTO', 'OPAQUE'],
  outputCompression: false,
  seed: false,
  negativePrompt: false,
  guidanceScale: false,
  maxReferenceImages: 0,
  mask: false,
  maxPreviews: 0,
}

const ETCHING: ModelCapabilities = {
  ...PAINTER,
  backgrounds: ['AUTO', 'OPAQUE'],
  maxCount: 4,
  maxReferenceImages: 0,
  mask: false,
  maxPreviews: 4,
}

function sandboxModel(
  model: Pick<Model, 'providerModel' | 'name' | 'description' | 'lifecycle' | 'capabilities'>,
): Model {
  return {
    ...model,
    id: `sandbox/${model.providerModel}`,
    provider: 'sandbox',
    aliases: [],
    nativeFormats: model.capabilities.outputFormats,
    wire: {},
    prices: [FREE],
    tokenEstimates: [],
  }
}

const ACTIVE = { state: 'ACTIVE', retiresAt: null, replacement: null, note: null } as const

/** Models of the provider that is always there. What they declare is what `providers/sandbox` paints. */
export const SANDBOX_MODELS: readonly Model[] = [
  sandboxModel({
    providerModel: 'painter',
    name: 'Painter',
    description: 'Paints a real picture from prompt, size and seed in this server. Takes every setting, costs nothing.',
    lifecycle: ACTIVE,
    capabilities: PAINTER,
  }),
  sandboxModel({
    providerModel: 'postcard',
    name: 'Postcard',
    description: 'Two sizes, one image, JPEG only: for trying what happens when a model cannot honour a setting.',
    lifecycle: ACTIVE,
    capabilities: POSTCARD,
  }),
  sandboxModel({
    providerModel: 'etching',
    name: 'Etching',
    description: 'Draws in ink on paper. Deprecated on purpose: for trying how a front end shows that.',
    lifecycle: {
      state: 'DEPRECATED',
      retiresAt: Date.UTC(2099, 0, 1),
      replacement: 'sandbox/painter',
      note: 'Works until it retires.',
    },
    capabilities: ETCHING,
  }),
  sandboxModel({
    providerModel: 'daguerreotype',
    name: 'Daguerreotype',
    description: 'Retired on purpose: every request is refused.',
    lifecycle: {
      state: 'RETIRED',
      retiresAt: Date.UTC(2020, 0, 1),
      replacement: 'sandbox/painter',
      note: 'Took its last picture long ago.',
    },
    capabilities: POSTCARD,
  }),
]
