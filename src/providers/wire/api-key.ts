import type { Secret } from '../../secret.ts'
import { ProviderError } from '../provider-error.ts'

/**
 * The caller's own key or, where the call brings none, the server's. Throws where there is neither, and where it is none
 * that a header can carry: `fetch` would say so in an error that quotes it.
 */
export function keyOf(vendor: string, ofServer: Secret | null, ofCaller: Secret | null): Secret {
  const key = ofCaller ?? ofServer
  if (key !== null && /^[\x20-\x7e]+$/.test(key.reveal().trim())) return key
  const message =
    key === null ? `This server has no key for ${vendor}.` : `The key for ${vendor} has characters that no key has.`
  throw new ProviderError({ kind: 'UNAUTHORIZED', delivery: 'NOT_SENT', message })
}
