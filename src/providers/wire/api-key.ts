import type { Secret } from '../../secret.ts'
import { ProviderError } from '../provider-error.ts'

/** The caller's own key or, where the call brings none, the server's. Throws where there is neither. */
export function keyOf(vendor: string, ofServer: Secret | null, ofCaller: Secret | null): Secret {
  const key = ofCaller ?? ofServer
  if (key !== null) return key
  const message = `This server has no key for ${vendor}.`
  throw new ProviderError({ kind: 'UNAUTHORIZED', delivery: 'NOT_SENT', message })
}
