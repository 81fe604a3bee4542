import { scrubSecrets } from '../../logger.ts'
import { readRetryAfter } from '../../outbound/retry-after.ts'
import { type Delivery, ProviderError, type ProviderErrorKind } from '../provider-error.ts'
import { quoteVendor } from './vendor-words.ts'

/** What a vendor answered instead of pictures, as far as its adapter has read it. */
export type VendorRefusal = {
  readonly status: number
  readonly headers: Headers
  /** The vendor's own code. */
  readonly code?: string | null
  /** The vendor's own words. They are shown to the caller, so an adapter leaves out what quotes keys or addresses. */
  readonly message?: string | null
  readonly requestId?: string | null
  /** Where the adapter knows better than the status does. */
  readonly kind?: ProviderErrorKind
  readonly delivery?: Delivery
  readonly retryAfterMs?: number | null
  readonly providerBilled?: boolean | null
  /** The clock's time: for a Retry-After that is a date. */
  readonly now: number
}

type Meaning = { readonly kind: ProviderErrorKind; readonly delivery: Delivery; readonly what: string }

/**
 * A status as every vendor means it. 4xx and 503 are said before any work; a 500 ends work that may have been billed; a
 * gateway's 502, 504, 408 and 499 leave open what goes on behind it. Of Cloudflare's own, 520, 522 and 524 leave it open
 * too, while 521, 523, 525 and 526 say that it had no connection to the vendor.
 */
export function toStatusFailure(vendor: string, refusal: VendorRefusal): ProviderError {
  const meaning = meaningOf(refusal.status)
  const { kind = meaning.kind, delivery = meaning.delivery, message } = refusal
  const what = WHAT[kind] ?? (kind === meaning.kind ? meaning.what : 'failed at its work')
  // With a 401 it is the key that is spoken of, and often quoted; other words say what else is missing.
  const words = refusal.status === 401 ? '' : quoteVendor(message && scrubSecrets(message))
  const isPassing = kind === 'RATE_LIMITED' || kind === 'UNAVAILABLE'
  const isOpen = delivery === 'UNKNOWN' || (kind === 'UNAVAILABLE' && delivery === 'ANSWERED')
  return new ProviderError({
    kind,
    delivery,
    message: `${vendor} ${what}.${words}`,
    retryAfterMs: refusal.retryAfterMs ?? (isPassing ? readRetryAfter(refusal.headers, refusal.now) : null),
    providerCode: refusal.code ?? null,
    providerRequestId: refusal.requestId ?? null,
    providerBilled: refusal.providerBilled !== undefined ? refusal.providerBilled : isOpen ? null : false,
  })
}

const WHAT: Partial<Record<ProviderErrorKind, string>> = {
  REFUSED: 'declined the content',
  RATE_LIMITED: 'takes no more requests at the moment',
  UNAUTHORIZED: 'did not accept the key',
  QUOTA_EXHAUSTED: 'has no credit left for this key',
  MODEL_RETIRED: 'does not offer this model',
  INVALID_REQUEST: 'did not accept the request',
}

function meaningOf(status: number): Meaning {
  const rejected = { delivery: 'NOT_ACCEPTED', what: 'did not accept the request' } as const
  if (status === 429) return { ...rejected, kind: 'RATE_LIMITED' }
  if (status === 401 || status === 403) return { ...rejected, kind: 'UNAUTHORIZED' }
  if (status === 402) return { ...rejected, kind: 'QUOTA_EXHAUSTED' }
  if (DOWN.has(status)) return { ...rejected, kind: 'UNAVAILABLE', what: 'is overloaded or down' }
  if (UNDECIDED.has(status)) {
    const what = 'is behind a gateway that gave up; nobody can tell what it made of the request'
    return { kind: 'TIMEOUT', delivery: 'UNKNOWN', what }
  }
  if (status >= 500) return { kind: 'UNAVAILABLE', delivery: 'ANSWERED', what: 'failed at its work' }
  return { kind: 'INVALID_REQUEST', delivery: 'ANSWERED', what: 'did not accept the request' }
}

const DOWN: ReadonlySet<number> = new Set([503, 521, 523, 525, 526, 529])
const UNDECIDED: ReadonlySet<number> = new Set([408, 499, 502, 504, 520, 522, 524])
