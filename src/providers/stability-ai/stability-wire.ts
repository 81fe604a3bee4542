import { decodeBase64Image } from '../wire/base64-image.ts'
import { isRecord, readList, readRecord, readText } from '../wire/json-values.ts'
import type { VendorAnswer } from '../wire/vendor-http.ts'

export const VENDOR = 'Stability AI'

/**
 * One picture as api.stability.ai hands it over. Source: its OpenAPI document of 2025-06-24. A picture is one to keep
 * only where `finish` is `SUCCESS`; with `CONTENT_FILTERED` it is blurred.
 */
export type Artifact = {
  readonly finish: string | null
  readonly seed: number | null
  /** Throws ProviderError where there are none. */
  readBytes(): Uint8Array
}

/** Of v2beta: `{image, finish_reason, seed}`. */
export function readPicture(answer: VendorAnswer): Artifact | undefined {
  if (isPicture(answer)) return readRaw(answer)
  const json = answer.json()
  return isRecord(json) ? toArtifact(json.finish_reason, json.seed, json.image) : undefined
}

/** Of v1: `{artifacts: [{base64, finishReason, seed}]}`; an entry that is nothing of the kind has no `finish`. */
export function readArtifacts(answer: VendorAnswer): readonly Artifact[] | undefined {
  if (isPicture(answer)) return [readRaw(answer)]
  const json = answer.json()
  if (!isRecord(json) || !Array.isArray(json.artifacts)) return undefined
  return json.artifacts.map((each: unknown) => {
    const entry = readRecord(each)
    return toArtifact(entry?.finishReason, entry?.seed, entry?.base64)
  })
}

export type ErrorBody = {
  readonly id: string | null
  /** The vendor's own code, such as `content_moderation`. */
  readonly name: string | null
  readonly text: string | null
}

/** v2beta has `{id, name, errors: [text]}`, v1 `{id, name, message}`. */
export function readErrorBody(json: unknown): ErrorBody {
  const body = readRecord(json)
  const errors = readList(body?.errors).filter((each) => typeof each === 'string')
  return {
    id: readText(body?.id),
    name: readText(body?.name),
    text: errors.length > 0 ? errors.join('; ') : readText(body?.message),
  }
}

/** JSON is asked for. Bytes with their facts in headers are what the other `Accept` brings, and are as good. */
function isPicture({ headers }: VendorAnswer): boolean {
  return headers.get('content-type')?.startsWith('image/') ?? false
}

function readRaw({ headers, bytes }: VendorAnswer): Artifact {
  return { finish: headers.get('finish-reason'), seed: readSeed(headers.get('seed')), readBytes: () => bytes }
}

function toArtifact(finish: unknown, seed: unknown, base64: unknown): Artifact {
  return { finish: readText(finish), seed: readSeed(seed), readBytes: () => decodeBase64Image(VENDOR, base64) }
}

function readSeed(value: unknown): number | null {
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value
  return Number.isSafeInteger(number) ? (number as number) : null
}
