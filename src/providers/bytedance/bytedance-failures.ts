import { ProviderError, type ProviderErrorKind } from '../provider-error.ts'
import { readRecord } from '../wire/json-values.ts'
import { requestIdOf } from '../wire/request-ids.ts'
import { toStatusFailure } from '../wire/status-failure.ts'
import type { VendorAnswer } from '../wire/vendor-http.ts'
import { quoteVendor } from '../wire/vendor-words.ts'
import { type ArkError, readError } from './bytedance-wire.ts'

export const VENDOR = 'ByteDance'

/** `{error: {code, message, param, type}}`. The code says more than the status does. */
export function toAnswerFailure({ status, headers, json }: VendorAnswer, now: number): ProviderError {
  const { code, message } = readError(readRecord(json())?.error) ?? { code: null, message: null }
  const kind = kindOf(code)
  return toStatusFailure(VENDOR, {
    status,
    headers,
    code,
    message,
    requestId: requestIdOf(headers),
    ...(kind !== null && { kind }),
    // Nothing was begun on a model that is not there.
    ...(kind === 'MODEL_RETIRED' && { delivery: 'NOT_ACCEPTED' }),
    now,
  })
}

/** One picture that was not made, told with status 200. Only those that were made are billed. */
export function toPictureFailure({ code, message }: ArkError, requestId: string | null): ProviderError {
  const kind = kindOf(code) ?? 'UNAVAILABLE'
  const what = kind === 'REFUSED' ? 'declined the content' : 'took the request and failed at the picture'
  const words = kind === 'UNAUTHORIZED' ? '' : quoteVendor(message)
  return new ProviderError({
    kind,
    delivery: 'ANSWERED',
    message: `${VENDOR} ${what}.${words}`,
    providerCode: code,
    providerRequestId: requestId,
    providerBilled: false,
  })
}

/** Codes partly from memory (unverified); they may go on after a dot. null: as the status says. */
function kindOf(code: string | null): ProviderErrorKind | null {
  if (code === null) return null
  if (code.includes('SensitiveContentDetected')) return 'REFUSED'
  return KINDS.get(code.split('.')[0] ?? '') ?? null
}

const KINDS: ReadonlyMap<string, ProviderErrorKind> = new Map([
  ['AuthenticationError', 'UNAUTHORIZED'],
  ['AccessDenied', 'UNAUTHORIZED'],
  ['AccountOverdueError', 'QUOTA_EXHAUSTED'],
  // Of a free trial, by the vendor's words (unverified); what passes by itself is RateLimitExceeded.
  ['QuotaExceeded', 'QUOTA_EXHAUSTED'],
  ['ModelNotOpen', 'MODEL_RETIRED'],
  ['InvalidEndpointOrModel', 'MODEL_RETIRED'],
  ['RateLimitExceeded', 'RATE_LIMITED'],
  // Comes with 429, and is not about the caller.
  ['ServerOverloaded', 'UNAVAILABLE'],
  ['InternalServiceError', 'UNAVAILABLE'],
  ['InvalidParameter', 'INVALID_REQUEST'],
])
