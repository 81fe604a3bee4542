import { ProviderError, type ProviderErrorKind } from '../provider-error.ts'
import { toStatusFailure } from '../wire/status-failure.ts'
import type { VendorAnswer } from '../wire/vendor-http.ts'
import { quoteVendor } from '../wire/vendor-words.ts'
import { type FalStatus, readFault } from './fal-wire.ts'

export const VENDOR = 'fal'

/** An answer to a submission, a look or a cancellation. `now`: for a Retry-After that is a date. */
export function toCallFailure(answer: VendorAnswer, now: number): ProviderError {
  const { status, headers } = answer
  const { code, message } = readFault(answer.json(), headers)
  const kind = kindOfCall(status, code, message)
  return toStatusFailure(VENDOR, {
    status,
    headers,
    code,
    message,
    requestId: headers.get('x-fal-request-id'),
    ...(kind !== null && { kind }),
    // fal's own errors of the 500s are not charged; what a proxy says before it tells nothing.
    ...(status === 500 && code !== null && { providerBilled: false }),
    now,
  })
}

/** A submission names the app, so that nothing found there is an app that is not offered. */
export function toSubmitFailure(answer: VendorAnswer, now: number): ProviderError {
  const failure = toCallFailure(answer, now)
  return answer.status === 404 ? withKind(failure, 'MODEL_RETIRED', `${VENDOR} does not offer this model.`) : failure
}

/** What the answer to the call for a result says of the job itself. `failure` undefined: it is not done after all. */
export class FalVerdict extends Error {
  override readonly name = 'FalVerdict'
  readonly failure: ProviderError | undefined
  constructor(failure: ProviderError | undefined) {
    super('The job has no result.')
    this.failure = failure
  }
}

/**
 * A job that is COMPLETED may have failed: its error comes as the answer to the call for its result, a FalVerdict. Any
 * other answer (of a gateway, to too many looks, to a key that was taken back) says that the look failed, no more.
 */
export function toResultFailure(answer: VendorAnswer, id: string, now: number): Error {
  const { status, headers } = answer
  const { code, message } = readFault(answer.json(), headers)
  if (status === 400 && UNFINISHED.test(message ?? '')) return new FalVerdict(undefined)
  const isOfJob = code !== null || status === 422 || headers.has('x-fal-request-timeout-type')
  if (!isOfJob || NOT_OF_A_JOB.has(status)) return toCallFailure(answer, now)
  const kind = KINDS.get(code ?? '') ?? (status === 504 ? 'TIMEOUT' : null)
  const failure = toStatusFailure(VENDOR, {
    // Statuses of gateways, which leave open what goes on behind them, are a final word here.
    status: status >= 499 ? 500 : status,
    headers,
    delivery: 'ANSWERED',
    code: code ?? headers.get('x-fal-request-timeout-type'),
    message,
    requestId: id,
    ...(kind !== null && { kind }),
    // 5xx are not charged, 422 may be.
    providerBilled: status >= 500 || status === 400 ? false : null,
    now,
  })
  return new FalVerdict(failure)
}

/** Newer replies tell of the failure in the status already. */
export function toStatusError({ error, errorType }: Extract<FalStatus, { status: 'COMPLETED' }>, id: string) {
  if (error === null && errorType === null) return undefined
  return new ProviderError({
    kind: KINDS.get(errorType ?? '') ?? 'UNAVAILABLE',
    delivery: 'ANSWERED',
    message: `${VENDOR} took the job and failed at it.${quoteVendor(error)}`,
    providerCode: errorType,
    providerRequestId: id,
    providerBilled: null,
  })
}

/** The safety checker of the app has painted it black. Whether it is billed is said nowhere. */
export function createFlagged(id: string): ProviderError {
  return new ProviderError({
    kind: 'REFUSED',
    delivery: 'ANSWERED',
    message: `${VENDOR} declined the picture that came of the request.`,
    providerCode: 'has_nsfw_concepts',
    providerRequestId: id,
    providerBilled: null,
  })
}

/** 401 and 403 of an account without balance say "User is locked…" (which of them, or 402, is unverified). */
function kindOfCall(status: number, code: string | null, message: string | null): ProviderErrorKind | null {
  if (code === 'content_policy_violation') return 'REFUSED'
  const isOfAccount = status === 401 || status === 403
  return isOfAccount && /\blocked\b|\bbalance\b/i.test(message ?? '') ? 'QUOTA_EXHAUSTED' : null
}

function withKind(error: ProviderError, kind: ProviderErrorKind, message: string): ProviderError {
  const { delivery, providerCode, providerRequestId, providerBilled } = error
  return new ProviderError({ kind, delivery, message, providerCode, providerRequestId, providerBilled })
}

const NOT_OF_A_JOB: ReadonlySet<number> = new Set([401, 402, 403, 429])
/** A result that was asked for too early (400, its words unverified), although the status said otherwise. */
const UNFINISHED = /in progress|in queue|not (yet )?(completed|finished|ready)/i

/** By `type` or `error_type`; what is not named goes by its status. The last two are from memory (unverified). */
const KINDS: ReadonlyMap<string, ProviderErrorKind> = new Map([
  ['content_policy_violation', 'REFUSED'],
  ['request_timeout', 'TIMEOUT'],
  ['startup_timeout', 'TIMEOUT'],
  ['client_cancelled', 'UNAVAILABLE'],
  ['client_disconnected', 'UNAVAILABLE'],
  ['generation_timeout', 'TIMEOUT'],
  ['no_media_generated', 'BAD_OUTPUT'],
])
