import { isRecord, readDetail, readList, readNumber, readRecords, readText } from '../wire/json-values.ts'

/** What queue.fal.run sends, as far as it is read here. Sources: @fal-ai/client 1.10.1 and fal's documentation. */

/** The addresses are to be used as given: below the submission only owner and alias of an app stand in the path. */
export type FalSubmission = {
  readonly id: string
  readonly statusUrl: string | null
  readonly responseUrl: string | null
  readonly cancelUrl: string | null
}

/** COMPLETED covers failures too: what became of it stands in the result. Any other status is one of a job that runs. */
export type FalStatus =
  | { readonly status: 'IN_QUEUE'; readonly ahead: number | null }
  | { readonly status: 'RUNNING'; readonly log: string }
  | { readonly status: 'COMPLETED'; readonly error: string | null; readonly errorType: string | null }

export type FalPicture = { readonly url: string; readonly isFlagged: boolean }
export type FalResult = { readonly pictures: readonly FalPicture[]; readonly seed: number | null }

/** What an error says of itself: `{detail: [{loc, msg, type}]}` of a model, `{detail, error_type}` of the platform. */
export type FalFault = { readonly code: string | null; readonly message: string | null }

const REQUEST_ID = /^[\w-]{1,200}$/

export function readSubmission(json: unknown): FalSubmission | undefined {
  if (!isRecord(json) || typeof json.request_id !== 'string' || !REQUEST_ID.test(json.request_id)) return undefined
  return {
    id: json.request_id,
    statusUrl: readText(json.status_url),
    responseUrl: readText(json.response_url),
    cancelUrl: readText(json.cancel_url),
  }
}

export function readStatus(json: unknown): FalStatus | undefined {
  if (!isRecord(json) || typeof json.status !== 'string') return undefined
  if (json.status === 'IN_QUEUE') return { status: 'IN_QUEUE', ahead: readNumber(json.queue_position) }
  if (json.status === 'COMPLETED')
    return { status: 'COMPLETED', error: readText(json.error), errorType: readText(json.error_type) }
  const lines = readRecords(json.logs).map(({ message }) => readText(message) ?? '')
  return { status: 'RUNNING', log: lines.join('\n') }
}

/** `images` of most apps, `image` of those that make one; `has_nsfw_concepts` by place: a flagged picture is black. */
export function readResult(json: unknown): FalResult | undefined {
  if (!isRecord(json)) return undefined
  const list = Array.isArray(json.images) ? json.images : isRecord(json.image) ? [json.image] : []
  const flags = readList(json.has_nsfw_concepts)
  const urls = list.map((image) => (isRecord(image) ? image.url : image))
  if (urls.length === 0 || !urls.every((url) => typeof url === 'string')) return undefined
  return {
    pictures: urls.map((url, place) => ({ url, isFlagged: flags[place] === true })),
    seed: readNumber(json.seed),
  }
}

export function readFault(json: unknown, headers: Headers): FalFault {
  const ofHeader = headers.get('x-fal-error-type')
  if (!isRecord(json)) return { code: ofHeader, message: null }
  const message = readDetail(json)
  if (!Array.isArray(json.detail)) {
    return { code: readText(json.error_type) ?? ofHeader, message: message ?? readText(json.message) }
  }
  const codes = readRecords(json.detail).map(({ type }) => readText(type))
  const code = codes.includes('content_policy_violation') ? 'content_policy_violation' : (codes[0] ?? ofHeader)
  return { code, message }
}
