import { ProviderError, type ProviderErrorKind } from '../provider-error.ts'
import { type JsonRecord, readRecord, readRecords, readText } from '../wire/json-values.ts'
import { toStatusFailure } from '../wire/status-failure.ts'
import type { VendorAnswer } from '../wire/vendor-http.ts'
import { quoteVendor } from '../wire/vendor-words.ts'
import type { GoogleReply } from './google-wire.ts'

export const VENDOR = 'Google'

/** `{error: {code, message, status, details: []}}`, with the delay of a 429 in a detail and not in a header (unverified). */
export function toAnswerFailure({ status, headers, json }: VendorAnswer, now: number): ProviderError {
  const error = readRecord(readRecord(json())?.error)
  const details = readRecords(error?.details)
  const name = readText(error?.status)
  const reason = details.flatMap((detail) => readText(detail.reason) ?? [])[0] ?? null
  const message = readText(error?.message)
  const kind = kindOf(status, { name, reason, message, details })
  const retryAfterMs = kind === 'QUOTA_EXHAUSTED' ? null : readRetryDelay(details)
  return toStatusFailure(VENDOR, {
    status,
    headers,
    code: reason ?? name,
    message: message && withoutAddresses(message),
    ...(kind !== null && { kind, delivery: 'NOT_ACCEPTED' }),
    ...(retryAfterMs !== null && { retryAfterMs }),
    now,
  })
}

type ErrorParts = {
  readonly name: string | null
  readonly reason: string | null
  readonly message: string | null
  readonly details: readonly JsonRecord[]
}

/** null: as the status says. */
function kindOf(status: number, { name, reason, message, details }: ErrorParts): ProviderErrorKind | null {
  // A bad key is a bad argument here; a precondition that fails is a region, or an account without billing.
  if (status === 400) return reason === 'API_KEY_INVALID' || name === 'FAILED_PRECONDITION' ? 'UNAUTHORIZED' : null
  if (status === 404) return 'MODEL_RETIRED'
  if (status !== 429 && status !== 403) return null
  if (PREPAID_IS_SPENT.test(message ?? '')) return 'QUOTA_EXHAUSTED'
  return status === 429 && details.some(isUsedUp) ? 'QUOTA_EXHAUSTED' : null
}

/** Out of prepaid funds shows as 429 or 403; the words are from memory (unverified). */
const PREPAID_IS_SPENT = /prepa(id|yment)|credits? (is|are|has been|have been) (depleted|exhausted)/i

/**
 * A quota of the day, or one of nothing (a model that the free tier does not have), does not come back in a minute. Names of
 * quotas are from memory (unverified): `GenerateRequestsPerDayPerProjectPerModel-FreeTier`.
 */
function isUsedUp(detail: JsonRecord): boolean {
  return readRecords(detail.violations).some(
    ({ quotaId, quotaValue }) => /PerDay/i.test(readText(quotaId) ?? '') || String(quotaValue) === '0',
  )
}

/** `RetryInfo`: `{retryDelay: "12s"}`, with a fraction at times. */
function readRetryDelay(details: readonly JsonRecord[]): number | null {
  const delay = details.flatMap(({ retryDelay }) => readText(retryDelay) ?? [])[0]
  const seconds = /^(\d{1,9}(?:\.\d+)?)s$/.exec(delay ?? '')?.[1]
  return seconds === undefined ? null : Math.round(Number(seconds) * 1000)
}

/** An answer without a picture. Of blocked prompts what went in is billed, of the rest it is said nowhere (unverified). */
export function toReplyFailure(reply: GoogleReply): ProviderError {
  const { blockReason, finishReason, responseId: providerRequestId } = reply
  const about = { delivery: 'ANSWERED', providerRequestId, providerBilled: null } as const
  const words = quoteVendor(withoutAddresses(reply.reasonText ?? reply.text ?? ''))
  if (blockReason !== null) {
    const message = `${VENDOR} declined the prompt.${words}`
    return new ProviderError({ ...about, kind: 'REFUSED', message, providerCode: blockReason })
  }
  if (isRefusal(finishReason)) {
    const message = `${VENDOR} declined to paint this.${words}`
    return new ProviderError({ ...about, kind: 'REFUSED', message, providerCode: finishReason })
  }
  if (finishReason === 'STOP' && reply.text !== null) {
    const message = `${VENDOR} answered in words and painted nothing.${words}`
    return new ProviderError({ ...about, kind: 'REFUSED', message, providerCode: finishReason })
  }
  const message = `${VENDOR} ended without a picture ("${finishReason ?? 'no reason'}").${words}`
  return new ProviderError({ ...about, kind: 'BAD_OUTPUT', message, providerCode: finishReason })
}

/** The answer was stopped for what it shows, or would: a picture beside such a reason is not to be delivered. */
export function isRefusal(finishReason: string | null): boolean {
  return finishReason !== null && (REFUSALS.has(finishReason) || finishReason.startsWith('IMAGE_'))
}

const REFUSALS: ReadonlySet<string> = new Set([
  'SAFETY',
  'RECITATION',
  'BLOCKLIST',
  'PROHIBITED_CONTENT',
  'SPII',
  'LANGUAGE',
  'NO_IMAGE',
])

function withoutAddresses(text: string): string {
  return text.replace(/\bhttps?:\/\/\S+/gi, '…')
}
