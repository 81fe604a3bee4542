import type { ProviderReference } from '../providers/provider.ts'
import { ProviderError } from '../providers/provider-error.ts'
import type { Secret } from '../secret.ts'

/**
 * What a provider says is shown to callers, stored and logged, and some quote the key that they were sent. The adapters
 * leave that out where they know of it; a caller's own key is looked for here once more.
 */
export function withoutKey(error: ProviderError, key: Secret | null): ProviderError {
  if (key === null) return error
  const { kind, delivery, retryAfterMs, providerBilled } = error
  const clean = (text: string | null) => textWithoutKey(text, key)
  return new ProviderError({
    kind,
    delivery,
    retryAfterMs,
    providerBilled,
    message: cutOut(error.message, key),
    providerCode: clean(error.providerCode),
    providerRequestId: clean(error.providerRequestId),
  })
}

export function textWithoutKey(text: string | null, key: Secret | null): string | null {
  return text === null || key === null ? text : cutOut(text, key)
}

/** It stays when the generation has ended, with the failures of its parts in it. */
export function referenceWithoutKey(reference: ProviderReference, key: Secret | null): ProviderReference {
  if (key === null) return reference
  return JSON.parse(JSON.stringify(reference), (_name, value: unknown) =>
    typeof value === 'string' ? cutOut(value, key) : value,
  )
}

/** For a log line. Under a caller's own key only text is kept: an error of a library may carry a whole request. */
export function describeFault(error: unknown, key: Secret | null): unknown {
  if (key === null) return error
  return cutOut(error instanceof Error ? (error.stack ?? error.message) : String(error), key)
}

function cutOut(text: string, key: Secret): string {
  return text.replaceAll(key.reveal(), '[secret]')
}
