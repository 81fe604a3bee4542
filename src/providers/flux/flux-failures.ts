import { ProviderError } from '../provider-error.ts'
import { toStatusFailure } from '../wire/status-failure.ts'
import type { VendorAnswer } from '../wire/vendor-http.ts'
import { quoteVendor } from '../wire/vendor-words.ts'
import { type JobState, readErrorText, readRetryAfterMs } from './flux-wire.ts'

export const VENDOR = 'Black Forest Labs'

/** 403 is a bad key ("Not authenticated"), 402 no credit, 429 too many active tasks (24; kontext-max 6). */
export function toAnswerFailure({ status, headers, json }: VendorAnswer, now: number): ProviderError {
  const body = json()
  return toStatusFailure(VENDOR, {
    status,
    headers,
    message: readErrorText(body),
    ...(status === 429 && { retryAfterMs: readRetryAfterMs(body) }),
    now,
  })
}

/** Of a look alone. */
export function createUnknownJob(id: string): ProviderError {
  const message = `${VENDOR} does not know the job.`
  const about = { providerCode: 'Task not found', providerRequestId: id, providerBilled: null }
  return new ProviderError({ kind: 'INVALID_REQUEST', delivery: 'ANSWERED', message, ...about })
}

/** How a job ended that made nothing. Whether a moderated one is billed is said nowhere. */
export function toJobFailure(state: Extract<JobState, { status: 'MODERATED' | 'FAILED' }>, id: string): ProviderError {
  if (state.status === 'FAILED') {
    const message = `${VENDOR} took the job and failed at it ("${state.code}").`
    const about = { providerCode: state.code, providerRequestId: id, providerBilled: null }
    return new ProviderError({ kind: 'UNAVAILABLE', delivery: 'ANSWERED', message, ...about })
  }
  const what = state.at === 'input' ? 'the request' : 'the picture that came of it'
  return new ProviderError({
    kind: 'REFUSED',
    delivery: 'ANSWERED',
    message: `${VENDOR} declined ${what}.${quoteVendor(state.reasons.join(', '))}`,
    providerCode: state.at === 'input' ? 'Request Moderated' : 'Content Moderated',
    providerRequestId: id,
    providerBilled: state.at === 'input' ? false : null,
  })
}
