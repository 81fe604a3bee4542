import { isRecord, readDetail, readList, readNumber, readRecord, readText } from '../wire/json-values.ts'

/** What api.bfl.ai sends, as far as it is read here. Source: docs.bfl.ai (to 2026-11-16) and its OpenAPI document. */

/**
 * `cost` is in credits; 1 credit = $0.01. `polling_url` may name another host and is to be used as given. A submission
 * with `webhook_url` may be answered without both: `{id, status, webhook_url}` (unverified).
 */
export type Submission = {
  readonly id: string
  readonly pollingUrl: string | null
  readonly costCredits: number | null
}

/** All of them come with HTTP 200. Any status that is not known here is one of a job that still runs. */
export type JobState =
  | { readonly status: 'RUNNING'; readonly progress: number | null }
  | { readonly status: 'READY'; readonly sampleUrl: string; readonly seed: number | null }
  | { readonly status: 'MODERATED'; readonly at: 'input' | 'output'; readonly reasons: readonly string[] }
  | { readonly status: 'FAILED'; readonly code: string }
  /** It says that it has no such job. */
  | { readonly status: 'UNKNOWN' }

export function readSubmission(json: unknown): Submission | undefined {
  if (!isRecord(json) || typeof json.id !== 'string') return undefined
  const pollingUrl = readText(json.polling_url)
  if (pollingUrl === null && typeof json.webhook_url !== 'string') return undefined
  return { id: json.id, pollingUrl, costCredits: readNumber(json.cost) }
}

export function readJobState(json: unknown): JobState | undefined {
  if (!isRecord(json) || typeof json.status !== 'string') return undefined
  switch (json.status) {
    case 'Ready':
      return readReady(json.result)
    case 'Request Moderated':
      return { status: 'MODERATED', at: 'input', reasons: readReasons(json.details) }
    case 'Content Moderated':
      return { status: 'MODERATED', at: 'output', reasons: readReasons(json.details) }
    case 'Task not found':
      return { status: 'UNKNOWN' }
    case 'Error':
      return { status: 'FAILED', code: json.status }
    default:
      return { status: 'RUNNING', progress: readNumber(json.progress) }
  }
}

/** FastAPI's `{detail: [{loc, msg}]}` or `{detail: "text"}`; bfl-skills also shows `{error, message}` (unverified). */
export function readErrorText(json: unknown): string | null {
  const body = readRecord(json)
  return readDetail(json) ?? readText(body?.message) ?? readText(body?.error)
}

/** Seconds in the body of a 429 (unverified). */
export function readRetryAfterMs(json: unknown): number | null {
  const seconds = readNumber(readRecord(json)?.retry_after)
  return seconds === null ? null : Math.round(seconds * 1000)
}

function readReady(result: unknown): JobState | undefined {
  if (!isRecord(result) || typeof result.sample !== 'string') return undefined
  return { status: 'READY', sampleUrl: result.sample, seed: readNumber(result.seed) }
}

function readReasons(details: unknown): readonly string[] {
  return readList(readRecord(details)?.['Moderation Reasons']).filter((reason) => typeof reason === 'string')
}
