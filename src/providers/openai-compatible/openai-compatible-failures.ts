import type { ProviderError, ProviderErrorKind } from '../provider-error.ts'
import { requestIdOf } from '../wire/request-ids.ts'
import { toStatusFailure } from '../wire/status-failure.ts'
import type { VendorAnswer } from '../wire/vendor-http.ts'
import { readRejection } from './openai-compatible-wire.ts'

/** OpenAI's own codes, for servers that say them too. */
const KINDS: ReadonlyMap<string, ProviderErrorKind> = new Map([
  ['content_policy_violation', 'REFUSED'],
  ['moderation_blocked', 'REFUSED'],
  ['insufficient_quota', 'QUOTA_EXHAUSTED'],
  ['billing_hard_limit_reached', 'QUOTA_EXHAUSTED'],
  ['model_not_found', 'MODEL_RETIRED'],
])

/** 404: it has no such model, or makes no images at all. */
export function toAnswerFailure(vendor: string, { status, headers, json }: VendorAnswer, now: number): ProviderError {
  const { code, words } = readRejection(json())
  const kind = KINDS.get(code ?? '') ?? (status === 404 ? 'MODEL_RETIRED' : undefined)
  const requestId = requestIdOf(headers)
  return toStatusFailure(vendor, { status, headers, code, message: words, requestId, now, ...(kind && { kind }) })
}
