export type ProviderErrorKind =
  | 'REFUSED'
  | 'RATE_LIMITED'
  | 'UNAVAILABLE'
  | 'TIMEOUT'
  | 'INVALID_REQUEST'
  | 'UNAUTHORIZED'
  | 'QUOTA_EXHAUSTED'
  | 'MODEL_RETIRED'
  | 'BAD_OUTPUT'

/**
 * How far the call came, which decides whether it may be sent again:
 * NOT_SENT: nothing left this machine. NOT_ACCEPTED: the vendor certainly did not take it (refused connection, 429, 503
 * before the body was read). ANSWERED: the vendor took it and gave a final answer. UNKNOWN: it may be running and billed.
 */
export type Delivery = 'NOT_SENT' | 'NOT_ACCEPTED' | 'ANSWERED' | 'UNKNOWN'

export class ProviderError extends Error {
  override readonly name = 'ProviderError'
  readonly kind: ProviderErrorKind
  readonly delivery: Delivery
  /** From the vendor's Retry-After; null: not told. */
  readonly retryAfterMs: number | null
  /** The vendor's own code, for its support. */
  readonly providerCode: string | null
  readonly providerRequestId: string | null
  /** Did the vendor bill for it? null: unknown. */
  readonly providerBilled: boolean | null
  constructor(details: {
    kind: ProviderErrorKind
    delivery: Delivery
    message: string
    retryAfterMs?: number | null
    providerCode?: string | null
    providerRequestId?: string | null
    providerBilled?: boolean | null
    cause?: unknown
  }) {
    super(tidy(details.message, MAX_MESSAGE_LENGTH), details.cause === undefined ? undefined : { cause: details.cause })
    this.kind = details.kind
    this.delivery = details.delivery
    this.retryAfterMs = details.retryAfterMs ?? null
    this.providerCode = tidyName(details.providerCode)
    this.providerRequestId = tidyName(details.providerRequestId)
    const { providerBilled = details.delivery === 'UNKNOWN' ? null : false } = details
    this.providerBilled = providerBilled
  }
}

/**
 * A vendor's text goes into databases, which take no NUL and no half of a character, and into logs and onto screens, where
 * control characters and directions of writing would change what is read.
 */
function tidy(text: string, maxLength: number): string {
  return text
    .replace(/[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]+/gu, ' ')
    .slice(0, maxLength)
    .toWellFormed()
}

/** Of which the vendor's own words are 500. */
const MAX_MESSAGE_LENGTH = 2_000
const MAX_NAME_LENGTH = 200

function tidyName(name: string | null | undefined): string | null {
  return name === null || name === undefined ? null : tidy(name, MAX_NAME_LENGTH)
}
