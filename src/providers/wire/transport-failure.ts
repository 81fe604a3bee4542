import { ProviderError } from '../provider-error.ts'

/** Codes of Node, undici and TLS that say that no byte of the request can have arrived: there was no connection. */
const NEVER_CONNECTED: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
  'ERR_INVALID_URL',
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
])

const TIMED_OUT: ReadonlySet<string> = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'ETIMEDOUT'])

/** Code of an answer that was given up, since it has more bytes than are read. */
export const TOO_LARGE = 'PICTOR_ANSWER_TOO_LARGE'

/**
 * What a call that brought no answer means: what `fetch`, an SDK over it or our own limits have thrown. Without a
 * connection the vendor certainly took nothing. Anything else, our own giving up among it, leaves the outcome unknown.
 * `requestId`: of an answer that had begun and broke off.
 */
export function toTransportFailure(error: unknown, vendor: string, requestId: string | null = null): ProviderError {
  if (error instanceof ProviderError) return error
  const codes = listCodes(error)
  if (chain(error).some(isOfConnecting)) {
    const message = `${vendor} cannot be reached.`
    return new ProviderError({ kind: 'UNAVAILABLE', delivery: 'NOT_ACCEPTED', message, cause: describe(error) })
  }
  if (codes.includes(TOO_LARGE)) {
    const message = `${vendor} answered with more bytes than are read.`
    const about = { providerBilled: null, cause: describe(error) }
    return new ProviderError({ kind: 'BAD_OUTPUT', delivery: 'ANSWERED', message, ...about })
  }
  const isLate = codes.some((code) => TIMED_OUT.has(code)) || listNames(error).includes('TimeoutError')
  const message = isLate
    ? `${vendor} did not answer in time, and nobody can tell what it made of the request.`
    : `The connection to ${vendor} broke off before it had answered.`
  const kind = isLate ? 'TIMEOUT' : 'UNAVAILABLE'
  const about = { providerRequestId: requestId, cause: describe(error) }
  return new ProviderError({ kind, delivery: 'UNKNOWN', message, ...about })
}

/**
 * A host can also become unreachable, or time out, when everything was sent: such codes count only where the system says
 * that it was connecting. Node tries several addresses in turn and gives each a quarter of a second.
 */
function isOfConnecting(error: Error): boolean {
  if ('syscall' in error && error.syscall === 'connect') return true
  if (error.message.includes('before secure TLS connection was established')) return true
  const code = codeOf(error)
  return code !== null && NEVER_CONNECTED.has(code)
}

/** Errors of SDKs carry whole requests with headers and prompts: only names, codes and messages of the chain are kept. */
function describe(error: unknown): Error {
  return new Error(
    chain(error)
      .map((each) => `${each.name}: ${codeOf(each) ?? 'no code'}`)
      .join(' ← '),
  )
}

function listCodes(error: unknown): string[] {
  return chain(error).flatMap((each) => codeOf(each) ?? [])
}

function listNames(error: unknown): string[] {
  return chain(error).map((each) => each.name)
}

/** The error and its causes, those of an AggregateError (several addresses tried) among them; bounded. */
function chain(error: unknown, depth = 0): Error[] {
  if (!(error instanceof Error) || depth > 6) return []
  const inner = error instanceof AggregateError ? error.errors.slice(0, 4) : []
  return [error, ...inner.flatMap((each) => chain(each, depth + 1)), ...chain(error.cause, depth + 1)]
}

function codeOf(error: Error): string | null {
  return 'code' in error && typeof error.code === 'string' ? error.code : null
}
