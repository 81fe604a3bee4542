import type { ProviderError, ProviderErrorKind } from '../providers/provider-error.ts'
import type { KeySource } from '../store/tables.ts'

/**
 * The one owner of retries. Pure: what is known of the failure and of the tries so far in, what to do out.
 * A call may be sent again only when the vendor certainly did not take it.
 */
export type RetryDecision =
  | { readonly action: 'retry'; readonly delayMs: number }
  /** Hand it to the next fallback model, if there is one. */
  | { readonly action: 'give-up' }
  /** Nobody can tell whether it was taken; never sent again without the operator's word. */
  | { readonly action: 'unknown-outcome' }

export type RetryPolicy = {
  readonly maxAttempts: number
  readonly baseDelayMs: number
  readonly maxDelayMs: number
  /** `retry-once`: an unknown outcome may be sent one more time, at the risk of paying the vendor twice. */
  readonly unknownOutcome: 'fail' | 'retry-once'
  /** How often a job may be claimed in all: far above what tries and fallbacks can use up. */
  readonly maxClaims: number
}

export const DEFAULT_RETRY_POLICY: RetryPolicy = {
  maxAttempts: 3,
  baseDelayMs: 1_000,
  maxDelayMs: 60_000,
  unknownOutcome: 'fail',
  maxClaims: 30,
}

/** The operator may risk to pay a vendor twice, but not with the money of whoever brought a key. */
export function policyUnder(keySource: KeySource, policy: RetryPolicy): RetryPolicy {
  return keySource === 'SERVER' ? policy : { ...policy, unknownOutcome: 'fail' }
}

/** Kinds that may pass by themselves. The others end the generation however often they are tried. */
const PASSING: ReadonlySet<ProviderErrorKind> = new Set(['RATE_LIMITED', 'UNAVAILABLE', 'TIMEOUT'])

export function isPassing(kind: ProviderErrorKind): boolean {
  return PASSING.has(kind)
}

/** Of failures and problems alike. Under a caller's own key these tell how that key stands, and nothing of the provider. */
const ABOUT_KEY: ReadonlySet<string> = new Set<ProviderErrorKind>(['UNAUTHORIZED', 'QUOTA_EXHAUSTED', 'RATE_LIMITED'])

export function isAboutOwnKey(keySource: KeySource, code: string): boolean {
  return keySource !== 'SERVER' && ABOUT_KEY.has(code)
}

export function decideRetry(tries: {
  readonly error: ProviderError
  /** Number of the attempt that failed, from 1. */
  readonly attempt: number
  /** Earlier attempts of this generation whose outcome nobody knows. */
  readonly unknownOutcomes: number
  readonly policy: RetryPolicy
  /** 0 to 1, for jitter. */
  readonly random: number
}): RetryDecision {
  const { error, attempt, policy } = tries
  if (error.delivery === 'UNKNOWN') {
    return policy.unknownOutcome === 'retry-once' && tries.unknownOutcomes === 0 && attempt < policy.maxAttempts
      ? { action: 'retry', delayMs: 0 }
      : { action: 'unknown-outcome' }
  }
  const isSafe = error.delivery === 'NOT_SENT' || error.delivery === 'NOT_ACCEPTED'
  if (!isSafe || !isPassing(error.kind) || attempt >= policy.maxAttempts) return { action: 'give-up' }
  return { action: 'retry', delayMs: delayOf(tries) }
}

/** The vendor's Retry-After, bounded (it may be absurd), or a doubling delay with full jitter above its half. */
function delayOf({ error, attempt, policy, random }: Parameters<typeof decideRetry>[0]): number {
  if (error.retryAfterMs !== null) return Math.min(Math.max(error.retryAfterMs, 0), policy.maxDelayMs)
  const ceiling = Math.min(policy.baseDelayMs * 2 ** (attempt - 1), policy.maxDelayMs)
  return Math.round(ceiling / 2 + (ceiling / 2) * random)
}
