import { RequestError } from '../../errors.ts'
import { CallRefusedError } from '../call-failures.ts'
import { parseTarget } from '../request-facts.ts'
import type { Endpoint } from './endpoint.ts'
import { UnreadableRequestError } from './malformed-request.ts'

export type Destination = { readonly endpoint: Endpoint; readonly id: string; readonly search: URLSearchParams }

/** Names that a key goes by, and how those of ours look. */
const KEY_NAME = /^(x-)?(api|access|auth|bearer|secret)?[-_]?(key|token|secret|bearer|auth|authorization)$/i
const KEY_VALUE = /^(bearer\s|pk_|sk-|eyJ)/i

/** Where a request goes. NOT_FOUND, METHOD_NOT_ALLOWED with `Allow`, and 400 for a key in the address. */
export function findEndpoint(endpoints: readonly Endpoint[], method: string, target: string | undefined): Destination {
  const { pathname, search } = parseTarget(target) ?? { pathname: '', search: '' }
  const parameters = new URLSearchParams(search)
  assertNoKey(parameters)
  const path = pathname.endsWith('/') ? pathname.slice(0, -1) : pathname
  const here = endpoints.filter((endpoint) => endpoint.path.test(path))
  const wanted = method === 'HEAD' ? 'GET' : method
  const endpoint = here.find((each) => each.method === wanted)
  if (endpoint) return { endpoint, id: decode(endpoint.path.exec(path)?.[1] ?? ''), search: parameters }
  if (here.length === 0) throw new RequestError('NOT_FOUND', 'Nothing answers at this address.')
  const allow = here.map((each) => (each.method === 'GET' ? 'GET, HEAD' : each.method)).join(', ')
  throw new CallRefusedError('METHOD_NOT_ALLOWED', `This address takes ${allow}.`, { allow })
}

/** Addresses are kept in logs and histories on the way: whoever sends one there is told before it is looked at. */
function assertNoKey(parameters: URLSearchParams): void {
  for (const [name, value] of parameters) {
    if (!KEY_NAME.test(name) && !KEY_VALUE.test(value)) continue
    throw new UnreadableRequestError(
      'A key has no place in an address, where logs keep it. Send it as "Authorization: Bearer …", and make a new one.',
    )
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new RequestError('NOT_FOUND', 'Nothing answers at this address.')
  }
}
