import type { ProviderReference } from '../providers/provider.ts'
import { ProviderError } from '../providers/provider-error.ts'
import type { Secret } from '../secret.ts'

/**
 * What a provider says is shown to callers, stored and logged, and some quote the key that they were sent. The adapters
 * leave that out where they know of it; it is looked for here once more, whoever's key it is, as it is and in the forms in
 * which it is sent. `keys`: all that may have been sent.
 */
export function withoutKeys(error: ProviderError, keys: readonly Secret[]): ProviderError {
  const { kind, delivery, retryAfterMs, providerBilled } = error
  const clean = (text: string | null) => textWithoutKeys(text, keys)
  return new ProviderError({
    kind,
    delivery,
    retryAfterMs,
    providerBilled,
    message: cutOut(error.message, keys),
    providerCode: clean(error.providerCode),
    providerRequestId: clean(error.providerRequestId),
  })
}

export function textWithoutKeys(text: string | null, keys: readonly Secret[]): string | null {
  return text === null ? text : cutOut(text, keys)
}

/** It stays when the generation has ended, with the failures of its parts in it. */
export function referenceWithoutKeys(reference: ProviderReference, keys: readonly Secret[]): ProviderReference {
  return JSON.parse(JSON.stringify(reference), (_name, value: unknown) =>
    typeof value === 'string' ? cutOut(value, keys) : value,
  )
}

/** For a log line. Only text is kept: an error of a library may carry a whole request. */
export function describeFault(error: unknown, keys: readonly Secret[]): string {
  return cutOut(listCauses(error).join('\nCaused by: '), keys)
}

/** What is shorter would be cut out of words that have nothing to do with it. */
const MIN_KEY_LENGTH = 8
const MAX_CAUSES = 6

function listCauses(error: unknown, depth = 0): readonly string[] {
  if (!(error instanceof Error)) return [String(error)]
  const own = error.stack ?? error.message
  return error.cause === undefined || depth === MAX_CAUSES ? [own] : [own, ...listCauses(error.cause, depth + 1)]
}

function cutOut(text: string, keys: readonly Secret[]): string {
  return keys.reduce(
    (left, key) => formsOf(key.reveal()).reduce((rest, form) => rest.replaceAll(form, CUT), left),
    text,
  )
}

const CUT = '[secret]'

/** As it is, within an address, and as credentials of HTTP. */
function formsOf(key: string): readonly string[] {
  if (key.length < MIN_KEY_LENGTH) return []
  return [key, encodeURIComponent(key), Buffer.from(key).toString('base64')]
}
