import type { ProviderRequest } from '../provider.ts'
import { given } from '../wire/given.ts'
import type { JsonRecord } from '../wire/json-values.ts'
import { seedOfPart } from '../wire/part-seed.ts'
import { toBase64 } from '../wire/reference-image.ts'

/**
 * The body of a submission. Which fields an endpoint has stands in the model's `wire`: `size` is `pixels` (width and
 * height) or `ratio` (aspect_ratio), `image` the field of a reference image, `enhance` that of the prompt's rewriting.
 */
export function buildFluxBody(request: ProviderRequest, index: number): JsonRecord {
  const { parameters, wire } = request
  return {
    prompt: request.prompt,
    ...sizeFields(request),
    ...given('seed', seedOfPart(parameters.seed, index, Number.MAX_SAFE_INTEGER)),
    ...given('output_format', parameters.outputFormat?.toLowerCase() ?? null),
    ...given('guidance', parameters.guidanceScale),
    ...(wire.enhance === true ? given('prompt_upsampling', parameters.enhancePrompt) : {}),
    ...referenceFields(request),
    ...parameters.providerOptions,
  }
}

function sizeFields({ parameters, wire }: ProviderRequest): JsonRecord {
  const { width, height, aspectRatio } = parameters
  if (wire.size === 'ratio') return given('aspect_ratio', aspectRatio)
  return { ...given('width', width), ...given('height', height) }
}

/** `input_image`, `input_image_2`, …; FLUX.1 takes one as `image_prompt`. Base64 without the `data:` prefix. */
function referenceFields({ referenceImages, wire }: ProviderRequest): JsonRecord {
  const field = typeof wire.image === 'string' ? wire.image : 'input_image'
  return Object.fromEntries(
    referenceImages.map((image, place) => [place === 0 ? field : `${field}_${place + 1}`, toBase64(image)]),
  )
}
