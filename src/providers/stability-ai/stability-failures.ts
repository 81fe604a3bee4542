import { readRetryAfter } from '../../outbound/retry-after.ts'
import { ProviderError, type ProviderErrorKind } from '../provider-error.ts'
import { createMisunderstanding } from '../wire/call-failures.ts'
import { requestIdOf } from '../wire/request-ids.ts'
import { toStatusFailure } from '../wire/status-failure.ts'
import type { VendorAnswer } from '../wire/vendor-http.ts'
import { readErrorBody, VENDOR } from './stability-wire.ts'

/**
 * The names that say more than their status. `content_moderation` (v2beta, 403) is not charged. That `invalid_prompts`
 * (v1, 400) means words that a filter caught, and what the body of a 402 is called, is unverified.
 */
const KINDS: ReadonlyMap<string, ProviderErrorKind> = new Map([
  ['content_moderation', 'REFUSED'],
  ['invalid_prompts', 'REFUSED'],
  ['payment_required', 'QUOTA_EXHAUSTED'],
  ['insufficient_balance', 'QUOTA_EXHAUSTED'],
])

/** Over 150 requests in 10 seconds lock the key out for a minute. No Retry-After is documented. */
const LOCK_OUT_MS = 60_000

export function toAnswerFailure(answer: VendorAnswer, now: number): ProviderError {
  const { status, headers } = answer
  const { id, name, text } = readErrorBody(answer.json())
  const kind = kindOf(status, name)
  const isLockedOut = status === 429 && name === 'rate_limit_exceeded'
  return toStatusFailure(VENDOR, {
    status,
    headers,
    code: name,
    // What it says of a key may quote it.
    message: status === 401 ? null : text,
    requestId: id ?? requestIdOf(headers),
    ...(kind !== undefined && { kind }),
    ...(kind === 'REFUSED' && { delivery: 'ANSWERED' }),
    ...(isLockedOut && { retryAfterMs: readRetryAfter(headers, now) ?? LOCK_OUT_MS }),
    now,
  })
}

/** What HTTP 200 brought instead of a picture to keep. Whether a filtered one is billed is unverified. */
export function toFinishFailure(finish: string | null, requestId: string | null): ProviderError {
  const about = {
    delivery: 'ANSWERED',
    providerCode: finish,
    providerRequestId: requestId,
    providerBilled: null,
  } as const
  if (finish === 'CONTENT_FILTERED') {
    const message = `${VENDOR} declined the picture that came of the request, and handed it over blurred.`
    return new ProviderError({ ...about, kind: 'REFUSED', message })
  }
  if (finish === 'ERROR') {
    return new ProviderError({ ...about, kind: 'UNAVAILABLE', message: `${VENDOR} failed at this picture.` })
  }
  return createMisunderstanding(VENDOR, requestId)
}

/** 404 in the vendor's own form: the engine or the endpoint is gone. Any other is of something before the vendor. */
function kindOf(status: number, name: string | null): ProviderErrorKind | undefined {
  if (name === null) return undefined
  return KINDS.get(name) ?? (status === 404 ? 'MODEL_RETIRED' : undefined)
}
