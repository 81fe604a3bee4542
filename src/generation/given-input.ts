import type { ReferenceImageInput } from '../references/reference-image.ts'
import type { GenerationInput } from './generation-types.ts'
import type { RetryOverrides } from './services.ts'

/** What a door hands over: a field may be missing or null, which both mean that it was not given. */
type Given<T> = { readonly [K in keyof T]?: T[K] | null | undefined }

/** Fields with a default are never missing. */
type Required = 'prompt' | 'count' | 'previews' | 'strict' | 'priority'
type Json = 'providerOptions' | 'metadata'
type Pictures = 'referenceImages' | 'mask'
export type JsonValue = string | number | boolean | object
export type GenerateImageFields = Pick<GenerationInput, Required> &
  Given<Omit<GenerationInput, Required | Json | Pictures> & Record<Json, JsonValue>> &
  Given<{ readonly referenceImages: readonly ReferenceImageFields[]; readonly mask: ReferenceImageFields }>

/** The door has seen to it that exactly one is given. */
export type ReferenceImageFields = Given<{
  readonly imageId: string
  readonly uploadId: string
  readonly url: string
  readonly base64: string
  readonly bytes: Uint8Array
}>

export function toGenerationInput(fields: GenerateImageFields): GenerationInput {
  return {
    prompt: fields.prompt,
    model: fields.model ?? null,
    provider: fields.provider ?? null,
    negativePrompt: fields.negativePrompt ?? null,
    width: fields.width ?? null,
    height: fields.height ?? null,
    size: fields.size ?? null,
    aspectRatio: fields.aspectRatio ?? null,
    count: fields.count,
    quality: fields.quality ?? null,
    style: fields.style ?? null,
    background: fields.background ?? null,
    outputFormat: fields.outputFormat ?? null,
    outputCompression: fields.outputCompression ?? null,
    seed: fields.seed ?? null,
    guidanceScale: fields.guidanceScale ?? null,
    enhancePrompt: fields.enhancePrompt ?? null,
    watermark: fields.watermark ?? null,
    referenceImages: fields.referenceImages?.length ? fields.referenceImages.map(toReferenceImage) : null,
    mask: fields.mask ? toReferenceImage(fields.mask) : null,
    previews: fields.previews,
    strict: fields.strict,
    fallbackModels: fields.fallbackModels ?? [],
    maxCost: fields.maxCost ?? null,
    deadlineSeconds: fields.deadlineSeconds ?? null,
    priority: fields.priority,
    idempotencyKey: fields.idempotencyKey ?? null,
    providerApiKey: fields.providerApiKey ?? null,
    providerOptions: fields.providerOptions ?? null,
    webhookUrl: fields.webhookUrl ?? null,
    tags: fields.tags ?? [],
    metadata: fields.metadata ?? null,
    endUser: fields.endUser ?? null,
  }
}

function toReferenceImage({ imageId, uploadId, url, base64, bytes }: ReferenceImageFields): ReferenceImageInput {
  if (bytes) return { bytes }
  if (typeof imageId === 'string') return { imageId }
  if (typeof uploadId === 'string') return { uploadId }
  return typeof url === 'string' ? { url } : { base64: base64 ?? '' }
}

export function toRetryOverrides(fields: Given<RetryOverrides> | null | undefined): RetryOverrides {
  return {
    prompt: fields?.prompt ?? null,
    model: fields?.model ?? null,
    seed: fields?.seed ?? null,
    count: fields?.count ?? null,
    strict: fields?.strict ?? null,
    providerOptions: fields?.providerOptions ?? null,
  }
}
