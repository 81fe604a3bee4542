import { isRecord, readNumber, readRecord, readText } from '../wire/json-values.ts'

/** What api.replicate.com sends, as far as it is read here. Sources: replicate 1.4.0 and Replicate's OpenAPI document. */

export type ReplicateSubmission = {
  readonly id: string
  readonly getUrl: string | null
  readonly cancelUrl: string | null
}

/** Any unknown status is one of a job that runs. */
export type ReplicateState =
  | { readonly status: 'RUNNING'; readonly isStarting: boolean; readonly log: string }
  | { readonly status: 'SUCCEEDED'; readonly outputs: readonly string[] }
  /** Made, and gone since: an hour after its end a prediction loses all that it had. */
  | { readonly status: 'REMOVED' }
  | { readonly status: 'ENDED'; readonly code: 'failed' | 'canceled' | 'aborted'; readonly error: string | null }

/** `{title, detail, status, type?, invalid_fields?, retry_after?}` */
export type ReplicateFault = {
  readonly code: string | null
  readonly title: string | null
  readonly message: string | null
  readonly retryAfterMs: number | null
}

const PREDICTION_ID = /^[\w-]{1,200}$/

export function readSubmission(json: unknown): ReplicateSubmission | undefined {
  if (!isRecord(json) || typeof json.id !== 'string' || !PREDICTION_ID.test(json.id)) return undefined
  const urls = readRecord(json.urls)
  return { id: json.id, getUrl: readText(urls?.get), cancelUrl: readText(urls?.cancel) }
}

export function readState(json: unknown): ReplicateState | undefined {
  if (!isRecord(json) || typeof json.status !== 'string') return undefined
  switch (json.status) {
    case 'succeeded': {
      const outputs = readOutputs(json.output)
      const isRemoved = outputs.length === 0 && json.data_removed === true
      return isRemoved ? { status: 'REMOVED' } : { status: 'SUCCEEDED', outputs }
    }
    case 'failed':
    case 'canceled':
    case 'aborted':
      return { status: 'ENDED', code: json.status, error: readText(json.error) }
    default:
      return { status: 'RUNNING', isStarting: json.status === 'starting', log: readText(json.logs) ?? '' }
  }
}

export function readFault(json: unknown): ReplicateFault {
  if (!isRecord(json)) return { code: null, title: null, message: null, retryAfterMs: null }
  const title = readText(json.title)
  const seconds = readNumber(json.retry_after)
  return {
    code: readText(json.type) ?? title,
    title,
    message: readText(json.detail) ?? title,
    retryAfterMs: seconds !== null && seconds >= 0 ? Math.round(seconds * 1000) : null,
  }
}

/** By model a text, a list of texts, or (seldom) objects with an address in them. */
function readOutputs(output: unknown): readonly string[] {
  const list = Array.isArray(output) ? output : [output]
  return list.flatMap((each) => readText(isRecord(each) ? each.url : each) ?? [])
}
