import { isRecord, readNumber, readRecord, readText } from '../wire/json-values.ts'

/** What api.ideogram.ai sends, as far as it is read here. Source: developer.ideogram.ai (2026-10 to 2026-11-16). */

/**
 * One of `data`, the same in all three forms of the API. A picture that is not safe has no link that may be followed,
 * whatever `url` says, and is billed. `prompt` is the one that was painted: the vendor's own where it has rewritten ours.
 */
export type ImageEntry = {
  /** Lives for 24 hours. */
  readonly url: string | null
  readonly isSafe: boolean
  readonly seed: number | null
  readonly prompt: string | null
}

/** How a failed generation looks is said nowhere; a text in `error` and these words in `status` are taken for one. */
export type GenerationState =
  | { readonly status: 'RUNNING' }
  | { readonly status: 'DONE'; readonly images: readonly ImageEntry[] }
  | { readonly status: 'FAILED'; readonly code: string | null; readonly message: string | null }

export type ErrorBody = {
  /** As all of the vendor's own errors have it; a gateway's have not. */
  readonly error: string | null
  /** `insufficient_funds`, `daily_limit`, `inflight_limit`. */
  readonly rejectReason: string | null
}

const FAILED_WORDS: ReadonlySet<string> = new Set(['failed', 'error', 'canceled', 'cancelled', 'rejected', 'expired'])

/** undefined: not a list of pictures. */
export function readImages(json: unknown): readonly ImageEntry[] | undefined {
  if (!isRecord(json) || !Array.isArray(json.data) || json.data.length === 0) return undefined
  return json.data.map(readImage)
}

export function readGenerationId(json: unknown): string | undefined {
  return readText(readRecord(json)?.generation_id) ?? undefined
}

/** Anything that is neither pictures nor a failure is a generation that still runs. undefined: no generation at all. */
export function readGeneration(json: unknown): GenerationState | undefined {
  if (!isRecord(json)) return undefined
  const images = readImages(json)
  if (images?.every(({ url, isSafe }) => url !== null || !isSafe)) return { status: 'DONE', images }
  const { error, rejectReason } = readError(json)
  const status = readText(json.status)
  const isFailed = error !== null || (status !== null && FAILED_WORDS.has(status.toLowerCase()))
  return isFailed ? { status: 'FAILED', code: rejectReason ?? status, message: error } : { status: 'RUNNING' }
}

export function readError(json: unknown): ErrorBody {
  const body = readRecord(json)
  return { error: readText(body?.error), rejectReason: readText(body?.reject_reason) }
}

function readImage(entry: unknown): ImageEntry {
  if (!isRecord(entry)) return { url: null, isSafe: true, seed: null, prompt: null }
  return {
    // Empty is as good as missing: the link of a picture that is not safe may be either.
    url: readText(entry.url),
    isSafe: entry.is_image_safe !== false,
    seed: readNumber(entry.seed),
    prompt: readText(entry.prompt),
  }
}
