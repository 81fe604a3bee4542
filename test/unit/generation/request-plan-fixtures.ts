import { InvalidInputError } from '../../../src/errors.ts'
import type { GenerationInput } from '../../../src/generation/generation-types.ts'
import type { Model, ModelCapabilities } from '../../../src/providers/model.ts'

/** A model that can do everything; each test takes away what it is about. */
export function makeModel(capabilities: Partial<ModelCapabilities> = {}, model: Partial<Model> = {}): Model {
  return {
    id: 'test/easel',
    provider: 'test',
    providerModel: 'easel',
    name: 'Easel',
    description: null,
    aliases: [],
    lifecycle: { state: 'ACTIVE', retiresAt: null, replacement: null, note: null },
    prices: [],
    tokenEstimates: [],
    nativeFormats: capabilities.outputFormats ?? ['PNG', 'JPEG', 'WEBP'],
    wire: {},
    ...model,
    capabilities: {
      sizes: [],
      aspectRatios: [],
      width: { min: 64, max: 2048, multipleOf: 16 },
      height: { min: 64, max: 2048, multipleOf: 16 },
      maxPixels: null,
      minPixels: null,
      defaultSize: '1024x1024',
      maxCount: 4,
      maxPromptLength: 1000,
      qualities: ['low', 'high'],
      defaultQuality: 'low',
      styles: ['ink', 'oil'],
      outputFormats: ['PNG', 'JPEG', 'WEBP'],
      backgrounds: ['AUTO', 'OPAQUE', 'TRANSPARENT'],
      outputCompression: true,
      seed: true,
      maxSeed: null,
      negativePrompt: true,
      guidanceScale: true,
      guidanceScaleRange: null,
      enhancePrompt: true,
      watermark: true,
      minReferenceImages: 0,
      maxReferenceImages: 0,
      mask: false,
      maxPreviews: 3,
      progress: true,
      providerOptions: null,
      ...capabilities,
    },
  }
}

export function makeInput(input: Partial<GenerationInput> = {}): GenerationInput {
  return {
    prompt: 'a red fox in snow',
    model: null,
    provider: null,
    negativePrompt: null,
    width: null,
    height: null,
    size: null,
    aspectRatio: null,
    count: 1,
    quality: null,
    style: null,
    background: null,
    outputFormat: null,
    outputCompression: null,
    seed: null,
    guidanceScale: null,
    enhancePrompt: null,
    watermark: null,
    referenceImages: null,
    mask: null,
    previews: 0,
    strict: true,
    fallbackModels: [],
    maxCost: null,
    deadlineSeconds: null,
    priority: 'NORMAL',
    idempotencyKey: null,
    providerApiKey: null,
    providerOptions: null,
    webhookUrl: null,
    tags: [],
    metadata: null,
    endUser: null,
    ...input,
  }
}

/** The fields that a call refuses; fails when it refuses nothing. */
export function catchProblems(call: () => unknown): InvalidInputError['fields'] {
  try {
    call()
  } catch (error) {
    if (error instanceof InvalidInputError) return error.fields
    throw error
  }
  throw new Error('Nothing was refused.')
}
