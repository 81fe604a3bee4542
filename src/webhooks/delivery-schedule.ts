import type { WebhookDeliveryRow } from '../store/webhook-tables.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Between one try and the next, in milliseconds: Standard Webhooks' own. After the last the message has failed. */
export const PAUSES_MS: readonly number[] = [
  5 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
]
/** A pause becomes up to so much longer, so that messages that failed together do not come back together. */
const JITTER = 0.2
const MAX_RETRY_AFTER_MS = DAY
/** An endpoint at which nothing arrives for so long is disabled. */
export const PATIENCE_MS = 5 * DAY

/** What came of one try. `status` null: no answer came. */
export type Tried = {
  readonly status: number | null
  readonly retryAfterMs: number | null
  readonly error: string | null
}

export type Verdict = Pick<
  WebhookDeliveryRow,
  'state' | 'nextAttemptAt' | 'lastResponseStatus' | 'lastError' | 'deliveredAt'
> & {
  /** The receiver wants nothing more. */
  readonly isGone: boolean
}

/** `tries`: with the one that this came of. `random`: 0 to 1, not 1. */
export function judge(tried: Tried, { tries, now, random }: { tries: number; now: number; random: number }): Verdict {
  const { status: lastResponseStatus } = tried
  if (lastResponseStatus !== null && lastResponseStatus >= 200 && lastResponseStatus < 300) {
    const arrived = { state: 'DELIVERED', nextAttemptAt: null, lastError: null, deliveredAt: now } as const
    return { ...arrived, lastResponseStatus, isGone: false }
  }
  const failure = { lastResponseStatus, lastError: tried.error ?? describe(lastResponseStatus), deliveredAt: null }
  const pause = PAUSES_MS[tries - 1]
  const isGone = lastResponseStatus === 410
  if (isGone || pause === undefined) return { ...failure, state: 'FAILED', nextAttemptAt: null, isGone }
  const asked = Math.min(tried.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS)
  const nextAttemptAt = now + Math.max(Math.round(pause * (1 + JITTER * random)), asked)
  return { ...failure, state: 'PENDING', nextAttemptAt, isGone }
}

function describe(status: number | null): string {
  if (status === null) return 'No answer came.'
  if (status >= 300 && status < 400)
    return `The receiver answered ${status}. Redirects are not followed: change the URL.`
  if (status === 410) return 'The receiver answered 410: it wants nothing more.'
  return `The receiver answered ${status}.`
}
