import type { ProviderRequest } from '../provider.ts'
import type { ProviderError } from '../provider-error.ts'
import { createUnsendable } from './call-failures.ts'
import { isRecord, type JsonRecord, readRecord } from './json-values.ts'
import { seedOfPart } from './part-seed.ts'
import { toDataUri } from './reference-image.ts'
import { sizeTextOf } from './size-text.ts'

/**
 * The input of a hosted model as data, so that one more of them is an entry of the catalogue (`PICTOR_CATALOG`, too) and no
 * code. `wire.input` is the JSON that the model's page shows, with a placeholder where a value of the request goes:
 *
 *     "wire": {
 *       "input": {
 *         "prompt": "{prompt}",
 *         "image_size": { "width": "{width}", "height": "{height}" },
 *         "num_images": "{count}",
 *         "seed": "{seed}",
 *         "output_format": "{outputFormat}",
 *         "image_urls": "{images}",
 *         "enable_safety_checker": true
 *       },
 *       "words": { "outputFormat": { "JPEG": "jpg" } },
 *       "imagesPerCall": 4
 *     }
 *
 * - A placeholder is a whole text: it becomes the value as it is, a number or a list among them. Where the request says
 *   nothing of it the field is left out, and so is an object or a list that has nothing left.
 * - Placeholders: `prompt`, `negativePrompt`, `width`, `height`, `size` (1024x768), `aspectRatio` (16:9), `quality`,
 *   `style`, `background` (auto, opaque or transparent), `outputFormat` (png, jpeg or webp), `outputCompression`, `seed`,
 *   `guidanceScale`, `enhancePrompt`, `watermark`, `count`, `images` (all reference images), `image`, `image2`, … (one of
 *   them) and `mask`; pictures are `data:` URIs.
 * - `words`: what the model calls a value, by the value: `{ "enhancePrompt": { "true": "on" } }`,
 *   `{ "size": { "1024x1024": "square_hd" } }`; formats are PNG, JPEG and WEBP there. A value that is not named stays as it is.
 * - With `{count}` one call makes all images, or `imagesPerCall` of them where the model has such a limit. Without it each
 *   image is a call of its own.
 * - Anything else is sent as it stands. Without `input` only the prompt is sent.
 *
 * What the model's `capabilities` declare must have a place in it: a setting that would be lost is refused before anything
 * is sent. A model that cannot be asked for a format says `"nativeFormats": []`.
 */
export type InputTemplate = {
  readonly imagesPerCall: number
  /** The input of the call that makes these images, the caller's provider options last. */
  fill(indexes: readonly number[]): JsonRecord
}

const ONLY_PROMPT = { prompt: '{prompt}' }
const PLACEHOLDER = /^\{([a-zA-Z]+\d*)\}$/
const MAX_SEED = Number.MAX_SAFE_INTEGER

/** Throws ProviderError (nothing was sent) where the catalogue's entry is at fault. */
export function readInputTemplate(request: ProviderRequest): InputTemplate {
  const { input = ONLY_PROMPT, words = {}, imagesPerCall } = request.wire
  if (!isRecord(input) || !isRecord(words)) throw createBadEntry('`input` and `words` have to be objects')
  const used = new Set(listPlaceholders(input))
  const values = valuesOf(request)
  for (const name of used) if (!Object.hasOwn(values, name)) throw createBadEntry(`there is no placeholder {${name}}`)
  for (const name of listLost(values, used)) throw createBadEntry(`its input has no place for {${name}}`)
  const options = Object.keys(request.parameters.providerOptions ?? {})
  const taken = options.find((name) => Object.hasOwn(input, name) && listPlaceholders(input[name]).length > 0)
  if (taken !== undefined) throw createBadEntry(`"${taken}" is filled in by the request, and is an option beside it`)
  return {
    imagesPerCall: used.has('count') ? readLimit(imagesPerCall, request.count) : 1,
    fill(indexes) {
      const seed = seedOfPart(request.parameters.seed, indexes[0] ?? 0, MAX_SEED) ?? undefined
      const own: JsonRecord = { ...values, count: indexes.length, seed }
      const filled = fillNode(input, (name) => translate(name, own[name], words[name]))
      return { ...readRecord(filled), ...request.parameters.providerOptions }
    },
  }
}

/** undefined: the request says nothing of it. */
function valuesOf({ prompt, negativePrompt, parameters, referenceImages, mask }: ProviderRequest): JsonRecord {
  const { providerOptions: _, referenceImages: __, ...others } = parameters
  const pictures = referenceImages.map(toDataUri)
  const given = {
    ...others,
    prompt,
    negativePrompt,
    size: sizeTextOf(parameters),
    count: 1,
    images: pictures.length === 0 ? null : pictures,
    ...Object.fromEntries(Array.from({ length: 16 }, (_, place) => [nameOfImage(place), pictures[place] ?? null])),
    mask: mask === null ? null : toDataUri(mask),
  }
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, value ?? undefined]))
}

/** Settings of the request for which there is no place. One form of the size is enough, and one of the pictures. */
function listLost(values: JsonRecord, used: ReadonlySet<string>): readonly string[] {
  const isPlaced = (name: string) => values[name] !== undefined && used.has(name)
  const isSized = ['size', 'aspectRatio'].some(isPlaced) || ['width', 'height'].every(isPlaced)
  return Object.keys(values).filter((name) => {
    if (values[name] === undefined || used.has(name) || name === 'count') return false
    if (['width', 'height', 'size', 'aspectRatio'].includes(name)) return !isSized
    if (name.startsWith('image')) return name !== 'images' && !used.has('images')
    return true
  })
}

function fillNode(node: unknown, lookUp: (name: string) => unknown): unknown {
  if (typeof node === 'string') {
    const name = PLACEHOLDER.exec(node)?.[1]
    return name === undefined ? node : lookUp(name)
  }
  if (Array.isArray(node)) {
    const items = node.map((item) => fillNode(item, lookUp)).filter((item) => item !== undefined)
    return items.length === 0 && node.length > 0 ? undefined : items
  }
  if (!isRecord(node)) return node
  const entries = Object.entries(node).map(([key, value]) => [key, fillNode(value, lookUp)] as const)
  const left = entries.filter(([, value]) => value !== undefined)
  return left.length === 0 && entries.length > 0 ? undefined : Object.fromEntries(left)
}

function listPlaceholders(node: unknown): readonly string[] {
  if (typeof node === 'string') return PLACEHOLDER.exec(node)?.slice(1) ?? []
  if (Array.isArray(node)) return node.flatMap(listPlaceholders)
  return isRecord(node) ? Object.values(node).flatMap(listPlaceholders) : []
}

function translate(name: string, value: unknown, words: unknown): unknown {
  if (value === undefined || Array.isArray(value)) return value
  const text = String(value)
  if (isRecord(words) && Object.hasOwn(words, text)) return words[text]
  return name === 'outputFormat' || name === 'background' ? text.toLowerCase() : value
}

function readLimit(imagesPerCall: unknown, count: number): number {
  if (imagesPerCall === undefined) return count
  if (Number.isSafeInteger(imagesPerCall) && Number(imagesPerCall) > 0) return Number(imagesPerCall)
  throw createBadEntry('`imagesPerCall` has to be a whole number above 0')
}

function nameOfImage(place: number): string {
  return place === 0 ? 'image' : `image${place + 1}`
}

function createBadEntry(what: string): ProviderError {
  return createUnsendable(`The catalogue's entry for this model cannot be used: ${what}.`)
}
