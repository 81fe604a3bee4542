import type { FieldProblem } from '../errors.ts'
import { formatMicros, parseMicros } from '../money.ts'
import type { Secret } from '../secret.ts'
import { SCOPES, type Scope } from '../viewer.ts'

/** One line of text with something to see in it; `maxLength` counts code points. */
export function checkName(path: string, text: string, maxLength: number): FieldProblem | null {
  if (text.trim() === '') return problem(path, 'It is empty.')
  if (text.length > 2 * maxLength || [...text].length > maxLength) {
    return problem(path, `It may have ${maxLength} characters; it has more.`)
  }
  if (/\p{Cc}/u.test(text) || !text.isWellFormed()) {
    return problem(path, 'It must be valid Unicode without control characters.')
  }
  return null
}

/** At least one, each known, and none that the maker of the key or token does not hold. */
export function checkScopes(asked: readonly string[], held: readonly Scope[]): readonly FieldProblem[] {
  if (asked.length === 0) return [{ path: 'scopes', message: 'List one, or leave it out.', allowed: held }]
  if (asked.length > SCOPES.length) return [{ path: 'scopes', message: 'There are too many.', allowed: held }]
  return asked.flatMap((scope, index) => {
    if (held.some((own) => own === scope)) return []
    const message = isScope(scope) ? 'Your own key or token does not have this scope.' : 'There is no such scope.'
    return [{ path: `scopes.${index}`, message, allowed: held }]
  })
}

/** Decimal text above 0 and not above the maker's own cap. */
export function checkSpend(path: string, text: string | null, capMicros: number | null): FieldProblem | null {
  if (text === null) return null
  const micros = parseMicros(text)
  if (micros === null) return problem(path, 'It must be a plain decimal with at most six places, e.g. "2.50".')
  if (micros <= 0) return problem(path, 'It must be above 0; leave it out to set no limit.')
  if (capMicros === null || micros <= capMicros) return null
  return problem(path, `Your own key or token may spend ${formatMicros(capMicros)}; this must not be above it.`)
}

const MAX_PROVIDER_KEY_LENGTH = 512

/** Goes into a header as it is, so nothing of it is trimmed or mended. The key is never part of the message. */
export function checkProviderKey(path: string, key: Secret): FieldProblem | null {
  const text = key.reveal()
  if (text === '') return problem(path, 'It is empty.')
  if (text.length > MAX_PROVIDER_KEY_LENGTH) {
    return problem(path, `It may have ${MAX_PROVIDER_KEY_LENGTH} characters; it has more.`)
  }
  if (/^[\x21-\x7e]+$/.test(text)) return null
  return problem(path, 'It must be printable ASCII without spaces or line breaks, as the provider shows it.')
}

export function isScope(text: string): text is Scope {
  return SCOPES.some((scope) => scope === text)
}

function problem(path: string, message: string): FieldProblem {
  return { path, message, allowed: [] }
}
