import type { FieldProblem } from '../errors.ts'
import { checkProviderKey } from '../identity/field-checks.ts'
import { parseMicros } from '../money.ts'
import { MAX_REFERENCE_IMAGES, MAX_URL_LENGTH, type ReferenceImageInput } from '../references/reference-image.ts'
import type { GenerationInput } from './generation-types.ts'
import { checkJson, isPlainObject } from './json-limits.ts'

/** In Unicode code points. */
export const MAX_PROMPT_LENGTH = 32_000
/** The largest side that JPEG can hold. */
export const MAX_SIDE_PIXELS = 65_535
export const MAX_DEADLINE_SECONDS = 86_400
export const MAX_TAGS = 20
export const MAX_FALLBACK_MODELS = 5

/** What is wrong with a request whatever the model: at most one problem a field, all fields at once. */
export function checkInput(input: GenerationInput): readonly FieldProblem[] {
  return [
    checkPrompt('prompt', input.prompt),
    input.negativePrompt === null ? null : checkPrompt('negativePrompt', input.negativePrompt),
    checkInteger('width', input.width, 1, MAX_SIDE_PIXELS),
    checkInteger('height', input.height, 1, MAX_SIDE_PIXELS),
    checkInteger('count', input.count, 1, Number.MAX_SAFE_INTEGER),
    checkInteger('previews', input.previews, 0, Number.MAX_SAFE_INTEGER),
    checkInteger('outputCompression', input.outputCompression, 0, 100),
    checkInteger('seed', input.seed, 0, Number.MAX_SAFE_INTEGER),
    checkGuidance(input.guidanceScale),
    checkInteger('deadlineSeconds', input.deadlineSeconds, 1, MAX_DEADLINE_SECONDS),
    checkMaxCost(input.maxCost),
    checkKey(input.idempotencyKey),
    input.providerApiKey === null ? null : checkProviderKey('providerApiKey', input.providerApiKey),
    input.endUser === null ? null : checkName('endUser', input.endUser, 128),
    ...checkNames(input),
    ...checkTags(input.tags),
    ...checkFallbackModels(input.fallbackModels),
    ...checkReferenceImages(input.referenceImages ?? []),
    input.mask === null ? null : checkReferenceImage('mask', input.mask),
    isGiven(input.metadata) ? checkJson(input.metadata, 'metadata') : null,
    checkProviderOptions(input.providerOptions),
  ].filter((problem) => problem !== null)
}

/** Code points, which is what people and vendors count; an emoji of two UTF-16 units is one. */
export function countCodePoints(text: string): number {
  let count = 0
  for (const _ of text) count += 1
  return count
}

function isGiven(value: unknown): boolean {
  return value !== null && value !== undefined
}

function problem(path: string, message: string): FieldProblem {
  return { path, message, allowed: [] }
}

function checkPrompt(path: string, text: string): FieldProblem | null {
  if (text.trim() === '') {
    return problem(path, path === 'prompt' ? 'Say what to paint.' : 'It is empty; leave it out instead.')
  }
  // No text has more code points than UTF-16 units, nor fewer than half: the count is made only where it decides.
  const isLong =
    text.length > 2 * MAX_PROMPT_LENGTH ||
    (text.length > MAX_PROMPT_LENGTH && countCodePoints(text) > MAX_PROMPT_LENGTH)
  if (isLong) return problem(path, `It may have ${MAX_PROMPT_LENGTH} characters; it has more.`)
  if (text.includes('\0')) return problem(path, 'It must not hold the character NUL.')
  if (!text.isWellFormed()) return problem(path, 'It must be valid Unicode; it holds half of a surrogate pair.')
  return null
}

function checkInteger(path: string, value: number | null, min: number, max: number): FieldProblem | null {
  if (value === null || (Number.isInteger(value) && value >= min && value <= max)) return null
  const range = max === Number.MAX_SAFE_INTEGER && min === 1 ? `of ${min} or more` : `from ${min} to ${max}`
  return problem(path, `It must be a whole number ${range}; ${value} is not.`)
}

function checkGuidance(value: number | null): FieldProblem | null {
  if (value === null || (value >= 0 && value <= 100)) return null
  return problem('guidanceScale', `It must be a number from 0 to 100; ${value} is not.`)
}

function checkMaxCost(text: string | null): FieldProblem | null {
  if (text === null) return null
  const micros = parseMicros(text)
  if (micros === null) {
    return problem('maxCost', 'It must be a plain decimal with at most six places and below 9007199254, e.g. "0.25".')
  }
  return micros > 0 ? null : problem('maxCost', 'It must be above 0; leave it out to set no limit.')
}

function checkKey(key: string | null): FieldProblem | null {
  if (key === null || /^[\x20-\x7e]{1,255}$/.test(key)) return null
  return problem('idempotencyKey', 'It must be 1 to 255 printable ASCII characters, for example a UUID.')
}

/** One line of text with something to see in it. */
function checkName(path: string, text: string, maxLength: number): FieldProblem | null {
  if (text.trim() === '') return problem(path, 'It is empty; leave it out instead.')
  if (text.length > 2 * maxLength || countCodePoints(text) > maxLength) {
    return problem(path, `It may have ${maxLength} characters; it has more.`)
  }
  if (/\p{Cc}/u.test(text) || !text.isWellFormed()) {
    return problem(path, 'It must be valid Unicode without control characters.')
  }
  return null
}

function checkNames(input: GenerationInput): (FieldProblem | null)[] {
  const fields = ['model', 'provider', 'size', 'aspectRatio', 'quality', 'style'] as const
  return fields.map((field) => {
    const text = input[field]
    return text === null ? null : checkName(field, text, 200)
  })
}

function checkTags(tags: readonly string[]): (FieldProblem | null)[] {
  if (tags.length > MAX_TAGS) return [problem('tags', `There may be ${MAX_TAGS} tags; there are ${tags.length}.`)]
  return tags.map((tag, index) =>
    tags.indexOf(tag) < index
      ? problem(`tags.${index}`, 'This tag is listed twice.')
      : checkName(`tags.${index}`, tag, 64),
  )
}

function checkFallbackModels(models: readonly string[]): (FieldProblem | null)[] {
  if (models.length > MAX_FALLBACK_MODELS) {
    return [problem('fallbackModels', `There may be ${MAX_FALLBACK_MODELS} of them; there are ${models.length}.`)]
  }
  return models.map((name, index) =>
    models.indexOf(name) < index
      ? problem(`fallbackModels.${index}`, 'This model is listed twice.')
      : checkName(`fallbackModels.${index}`, name, 200),
  )
}

function checkReferenceImages(images: readonly ReferenceImageInput[]): (FieldProblem | null)[] {
  if (images.length > MAX_REFERENCE_IMAGES) {
    return [problem('referenceImages', `There may be ${MAX_REFERENCE_IMAGES} of them; there are ${images.length}.`)]
  }
  return images.map((image, index) => checkReferenceImage(`referenceImages.${index}`, image))
}

function checkReferenceImage(place: string, image: ReferenceImageInput): FieldProblem | null {
  if ('imageId' in image) return checkName(`${place}.imageId`, image.imageId, 200)
  if ('uploadId' in image) return checkName(`${place}.uploadId`, image.uploadId, 200)
  if (!('url' in image)) return null
  const { url } = image
  const isWebAddress = url.length <= MAX_URL_LENGTH && /^https?:$/.test(URL.parse(url)?.protocol ?? '')
  if (isWebAddress) return null
  return problem(`${place}.url`, `It must be an absolute http(s) URL of at most ${MAX_URL_LENGTH} characters.`)
}

function checkProviderOptions(options: unknown): FieldProblem | null {
  if (!isGiven(options)) return null
  const fault = checkJson(options, 'providerOptions')
  if (fault) return fault
  return isPlainObject(options) ? null : problem('providerOptions', 'It must be an object of settings by name.')
}
