import type { ProviderRequest } from '../provider.ts'
import { createUnsendable } from '../wire/call-failures.ts'
import { given } from '../wire/given.ts'
import type { JsonRecord } from '../wire/json-values.ts'
import { toFile } from '../wire/reference-image.ts'
import { sizeTextOf } from '../wire/size-text.ts'
import { VENDOR } from './openai-failures.ts'

/**
 * What the catalogue says in a model's `wire`: `form` is `dall-e` for the fields of DALL·E (response_format, style, no file
 * format) and missing for those of the GPT image models; `oneByOne` is true where a call makes one image only.
 */
export function isDalle({ wire }: ProviderRequest): boolean {
  return wire.form === 'dall-e'
}

/** Streamed only for previews: without them a stream brings one event at its end, and no more than one answer would. */
export function isStreamed(request: ProviderRequest): boolean {
  return request.previews > 0 && !isDalle(request)
}

/** Several images in one stream are not told apart by its events (unverified), so each has a stream of its own. */
export function isOneByOne(request: ProviderRequest): boolean {
  return isStreamed(request) || request.wire.oneByOne === true
}

/** Options that only one of the two endpoints has. */
const OPTIONS_OF_GENERATIONS = ['moderation']
const OPTIONS_OF_EDITS = ['input_fidelity']

/** Nothing is dropped in silence: what the endpoint of this request has no field for is refused before it is sent. */
export function assertSendable(request: ProviderRequest): void {
  const { referenceImages, mask } = request
  const isEdit = referenceImages.length > 0
  const foreign = isEdit ? OPTIONS_OF_GENERATIONS : OPTIONS_OF_EDITS
  const option = Object.keys(request.parameters.providerOptions ?? {}).find((name) => foreign.includes(name))
  if (option !== undefined) {
    const when = isEdit ? 'pictures are given to start from' : 'no picture is given to start from'
    throw createUnsendable(`${VENDOR} has no option \`${option}\` when ${when}. Leave it out.`)
  }
  if (mask !== null && !isEdit) throw createUnsendable(`${VENDOR} takes a mask only with a picture that it belongs to.`)
  if (mask !== null && mask.mimeType !== 'image/png') throw createUnsendable(`${VENDOR} takes a mask as PNG only.`)
}

/** Of `POST /images/generations`. Which fields there are, of which values, is the catalogue's to say, not the SDK's types. */
export function buildGeneration(request: ProviderRequest, count: number): JsonRecord {
  return {
    model: request.modelName,
    prompt: request.prompt,
    n: count,
    ...settingFields(request),
    ...streamFields(request),
    ...request.parameters.providerOptions,
  }
}

/** Of `POST /images/edits`: the SDK makes a form of it, with `image[]` for each picture of a list. */
export function buildEdit(request: ProviderRequest, count: number): JsonRecord {
  const files = request.referenceImages.map((image, place) => toFile(image, `image-${place + 1}`))
  const [first] = files
  return {
    model: request.modelName,
    prompt: request.prompt,
    n: count,
    image: isDalle(request) && first ? first : files,
    ...(request.mask && { mask: toFile(request.mask, 'mask') }),
    ...settingFields(request),
    ...streamFields(request),
    ...request.parameters.providerOptions,
  }
}

function settingFields(request: ProviderRequest): JsonRecord {
  const { quality, style, background, outputFormat, outputCompression } = request.parameters
  const common = {
    ...given('size', sizeTextOf(request.parameters)),
    ...given('quality', quality),
  }
  if (isDalle(request)) return { ...common, ...given('style', style), response_format: 'b64_json' }
  return {
    ...common,
    ...given('background', background?.toLowerCase() ?? null),
    ...given('output_format', outputFormat?.toLowerCase() ?? null),
    ...given('output_compression', outputCompression),
  }
}

function streamFields(request: ProviderRequest): JsonRecord {
  return isStreamed(request) ? { stream: true, partial_images: request.previews } : {}
}
