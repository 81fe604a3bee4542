import type { ProviderRequest, ReferenceImage } from '../provider.ts'
import { ProviderError } from '../provider-error.ts'
import { VENDOR } from './openai-failures.ts'

/** Which fields there are and which values they take is the catalogue's to say, not the SDK's types. */
export type Fields = Readonly<Record<string, unknown>>

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
    throw unsendable(`${VENDOR} has no option \`${option}\` when ${when}. Leave it out.`)
  }
  if (mask !== null && !isEdit) throw unsendable(`${VENDOR} takes a mask only with a picture that it belongs to.`)
  if (mask !== null && mask.mimeType !== 'image/png') throw unsendable(`${VENDOR} takes a mask as PNG only.`)
}

/** Of `POST /images/generations`. */
export function buildGeneration(request: ProviderRequest, count: number): Fields {
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
export function buildEdit(request: ProviderRequest, count: number): Fields {
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

function settingFields(request: ProviderRequest): Fields {
  const { width, height, quality, style, background, outputFormat, outputCompression } = request.parameters
  const common = {
    ...given('size', width !== null && height !== null ? `${width}x${height}` : null),
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

function streamFields(request: ProviderRequest): Fields {
  return isStreamed(request) ? { stream: true, partial_images: request.previews } : {}
}

const EXTENSIONS = { 'image/png': 'png', 'image/jpeg': 'jpg', 'image/webp': 'webp' } as const

function toFile({ bytes, mimeType }: ReferenceImage, name: string): File {
  return new File([new Uint8Array(bytes)], `${name}.${EXTENSIONS[mimeType]}`, { type: mimeType })
}

function given(name: string, value: unknown): Fields {
  return value === null ? {} : { [name]: value }
}

function unsendable(message: string): ProviderError {
  return new ProviderError({ kind: 'INVALID_REQUEST', delivery: 'NOT_SENT', message })
}
