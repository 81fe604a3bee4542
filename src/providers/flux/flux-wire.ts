/** What api.bfl.ai sends, as far as it is read here. Source: docs.bfl.ai (to 2026-11-16) and its OpenAPI document. */

/** `cost` is in credits; 1 credit = $0.01. `polling_url` may name another host and is to be used as given. */
export type Submission = { readonly id: string; readonly pollingUrl: string; readonly costCredits: number | null }

/** All of them come with HTTP 200. Any status that is not known here is one of a job that still runs. */
export type JobState =
  | { readonly status: 'RUNNING'; readonly progress: number | null }
  | {
      readonly status: 'READY'
      readonly sampleUrl: string
      readonly seed: number | null
      readonly prompt: string | null
    }
  | { readonly status: 'MODERATED'; readonly at: 'input' | 'output'; readonly reasons: readonly string[] }
  | { readonly status: 'FAILED'; readonly code: string }

export function readSubmission(json: unknown): Submission | undefined {
  if (!isRecord(json) || typeof json.id !== 'string' || typeof json.polling_url !== 'string') return undefined
  return { id: json.id, pollingUrl: json.polling_url, costCredits: readNumber(json.cost) }
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
    case 'Error':
    case 'Task not found':
      return { status: 'FAILED', code: json.status }
    default:
      return { status: 'RUNNING', progress: readNumber(json.progress) }
  }
}

/** FastAPI's `{detail: [{loc, msg}]}` or `{detail: "text"}`; bfl-skills also shows `{error, message}` (unverified). */
export function readErrorText(json: unknown): string | null {
  if (!isRecord(json)) return null
  if (typeof json.detail === 'string') return json.detail
  if (Array.isArray(json.detail)) {
    const parts = json.detail.filter(isRecord).map((each) => `${locationOf(each.loc)}${String(each.msg ?? '')}`)
    return parts.length === 0 ? null : parts.join('; ')
  }
  return typeof json.message === 'string' ? json.message : typeof json.error === 'string' ? json.error : null
}

/** Seconds in the body of a 429 (unverified). */
export function readRetryAfterMs(json: unknown): number | null {
  const seconds = isRecord(json) ? readNumber(json.retry_after) : null
  return seconds === null ? null : Math.round(seconds * 1000)
}

function readReady(result: unknown): JobState | undefined {
  if (!isRecord(result) || typeof result.sample !== 'string') return undefined
  const prompt = typeof result.prompt === 'string' ? result.prompt : null
  return { status: 'READY', sampleUrl: result.sample, seed: readNumber(result.seed), prompt }
}

function readReasons(details: unknown): readonly string[] {
  const reasons = isRecord(details) ? details['Moderation Reasons'] : undefined
  return Array.isArray(reasons) ? reasons.filter((reason) => typeof reason === 'string') : []
}

function locationOf(loc: unknown): string {
  return Array.isArray(loc) ? `${loc.filter((part) => part !== 'body').join('.')}: ` : ''
}

function readNumber(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
