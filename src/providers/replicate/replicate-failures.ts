import { readRetryAfter } from '../../outbound/retry-after.ts'
import { ProviderError } from '../provider-error.ts'
import { toStatusFailure } from '../wire/status-failure.ts'
import type { VendorAnswer } from '../wire/vendor-http.ts'
import { quoteVendor } from '../wire/vendor-words.ts'
import { type ReplicateState, readFault } from './replicate-wire.ts'

export const VENDOR = 'Replicate'

/** An answer to a submission, a look or a cancellation. */
export function toCallFailure({ status, headers, json }: VendorAnswer, now: number): ProviderError {
  const { code, message, retryAfterMs } = readFault(json())
  return toStatusFailure(VENDOR, {
    status,
    headers,
    code,
    message,
    // An account with little credit is told of it in the body as well.
    ...(status === 429 && { retryAfterMs: readRetryAfter(headers, now) ?? retryAfterMs }),
    now,
  })
}

/** A submission names the model or its version: what is not found there, or is no valid version, is not offered. */
export function toSubmitFailure(answer: VendorAnswer, now: number): ProviderError {
  const { title } = readFault(answer.json())
  const isGone = answer.status === 404 || (answer.status === 422 && /\bversion\b/i.test(title ?? ''))
  const failure = toCallFailure(answer, now)
  if (!isGone) return failure
  const { delivery, providerCode, providerBilled } = failure
  const message = `${VENDOR} does not offer this model.`
  return new ProviderError({ kind: 'MODEL_RETIRED', delivery, message, providerCode, providerBilled })
}

/** How a prediction ended that made nothing. Whether it is billed depends on the model, and is not said. */
export function toJobFailure(
  state: Extract<ReplicateState, { status: 'ENDED' | 'REMOVED' }>,
  id: string,
): ProviderError {
  const about = { delivery: 'ANSWERED', providerRequestId: id } as const
  if (state.status === 'REMOVED') {
    const message = `${VENDOR} made the picture and has deleted it since: what it makes is kept for an hour.`
    return new ProviderError({
      ...about,
      kind: 'BAD_OUTPUT',
      message,
      providerCode: 'data_removed',
      providerBilled: true,
    })
  }
  const { code, error } = state
  const isRefused = code === 'failed' && error !== null && REFUSAL.test(error)
  const what = isRefused ? 'declined the content' : `took the job and ${ENDINGS[code]}`
  return new ProviderError({
    ...about,
    kind: isRefused ? 'REFUSED' : 'UNAVAILABLE',
    message: `${VENDOR} ${what}.${quoteVendor(error)}`,
    providerCode: code,
    providerBilled: null,
  })
}

const ENDINGS = { failed: 'failed at it', canceled: 'was told to cancel it', aborted: 'gave it up' } as const

/**
 * How models say that they would not: the words differ by model and no list is published (unverified). Only those that
 * can hardly mean anything else; a refusal that is not known as one is a failure like any other.
 */
const REFUSAL = /\bNSFW\b|\bflagged (as|by|for)\b|\bcontent (policy|moderation)\b|\bsafety (filter|checker|system)s?\b/i
