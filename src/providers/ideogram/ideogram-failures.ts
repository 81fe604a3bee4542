import { ProviderError } from '../provider-error.ts'
import { toStatusFailure } from '../wire/status-failure.ts'
import type { VendorAnswer } from '../wire/vendor-http.ts'
import { quoteVendor } from '../wire/vendor-words.ts'
import { type GenerationState, readError } from './ideogram-wire.ts'

export const VENDOR = 'Ideogram'

/** Behind these a gateway may have given up on work that goes on. */
const UNDECIDED: ReadonlySet<number> = new Set([502, 504])

/**
 * An answer that brings no pictures: to a request for some or, with a `generationId`, to a look at a generation. 402 is no
 * credit or the day's limit, 422 a refusal that is not billed, 429 too many pictures in flight (10).
 */
export function toAnswerFailure(
  answer: VendorAnswer,
  { now, generationId = null }: { readonly now: number; readonly generationId?: string | null },
): ProviderError {
  const { status, headers } = answer
  const { error, rejectReason } = readError(answer.json())
  const isRefused = status === 422
  // The address of a request stands for the model, or names it.
  const isGone = (status === 404 || status === 410) && generationId === null
  // What it says of a bad key may quote the key.
  const isAboutKey = status === 401 || status === 403
  // Failures of the vendor's own are not billed. One without its `error` may be another's, who knows nothing of bills.
  const isUnbilled = status >= 500 && error !== null && !UNDECIDED.has(status)
  return toStatusFailure(VENDOR, {
    status,
    headers,
    code: rejectReason,
    message: isAboutKey ? null : error,
    requestId: generationId,
    ...(isRefused && { kind: 'REFUSED' }),
    ...(isGone && { kind: 'MODEL_RETIRED' }),
    ...(isUnbilled && { providerBilled: false }),
    now,
  })
}

/** Whether a generation that failed is billed is said nowhere. */
export function toGenerationFailure(
  { code, message }: Extract<GenerationState, { status: 'FAILED' }>,
  generationId: string,
): ProviderError {
  return new ProviderError({
    kind: 'UNAVAILABLE',
    delivery: 'ANSWERED',
    message: `${VENDOR} took the job and failed at it.${quoteVendor(message)}`,
    providerCode: code,
    providerRequestId: generationId,
    providerBilled: null,
  })
}

/** One picture of several may be held back while the rest is handed over; it is billed like them. */
export function createUnsafe(generationId: string | null): ProviderError {
  return new ProviderError({
    kind: 'REFUSED',
    delivery: 'ANSWERED',
    message: `${VENDOR} made the picture and does not hand it over, because it does not take it for safe.`,
    providerCode: 'is_image_safe',
    providerRequestId: generationId,
    providerBilled: true,
  })
}
