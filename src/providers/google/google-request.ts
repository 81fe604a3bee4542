import type { GenerateContentConfig, GenerateContentParameters } from '@google/genai'
import type { ProviderRequest } from '../provider.ts'
import type { ProviderError } from '../provider-error.ts'
import { createUnsendable } from '../wire/call-failures.ts'
import { isRecord } from '../wire/json-values.ts'
import { seedOfPart } from '../wire/part-seed.ts'
import { toBase64 } from '../wire/reference-image.ts'
import { VENDOR } from './google-failures.ts'

const MAX_SEED = 2 ** 31 - 1

/** The calls of a request, one a picture, as the SDK takes them. Throws ProviderError before anything is sent. */
export function planGoogleCalls(request: ProviderRequest): (index: number) => GenerateContentParameters {
  const { parameters, prompt, referenceImages, modelName: model } = request
  const imageConfig = imageConfigOf(request)
  const pictures = referenceImages.map((image) => ({
    inlineData: { mimeType: image.mimeType, data: toBase64(image) },
  }))
  const contents = [{ role: 'user', parts: [{ text: prompt }, ...pictures] }]
  return (index) => {
    const seed = seedOfPart(parameters.seed, index, MAX_SEED)
    const config: GenerateContentConfig = {
      responseModalities: ['IMAGE'],
      ...(imageConfig && { imageConfig }),
      ...(seed !== null && { seed }),
      ...parameters.providerOptions,
      // Left on, which is the default, the SDK sends the request again, and pays again, where an answer comes in parts.
      automaticContinuation: false,
    }
    return { model, contents, config }
  }
}

/** Pixels are asked for by ratio and tier: which make which stands in the model's `wire.sizes`. */
function imageConfigOf({ parameters, wire }: ProviderRequest): GenerateContentConfig['imageConfig'] | null {
  const { width, height, aspectRatio } = parameters
  if (width === null || height === null) return aspectRatio === null ? null : { aspectRatio }
  const known = isRecord(wire.sizes) ? wire.sizes[`${width}x${height}`] : undefined
  if (!isRecord(known) || typeof known.aspectRatio !== 'string') throw unknownSize(width, height)
  const { imageSize } = known
  return { aspectRatio: known.aspectRatio, ...(typeof imageSize === 'string' && { imageSize }) }
}

/** The catalogue declares a size and does not say what it is called. */
function unknownSize(width: number, height: number): ProviderError {
  return createUnsendable(`This server does not know how to ask ${VENDOR} for ${width}x${height}.`)
}
