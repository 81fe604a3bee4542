import { RequestError } from '../errors.ts'
import type { Viewer } from '../viewer.ts'
import type { RequestInfo } from './request-facts.ts'
import type { Authenticate, Credentials } from './server-options.ts'

export function headerCredentials(request: RequestInfo, authorization: string | null): Credentials {
  const { host, origin, network } = request
  return { authorization, host, origin, network }
}

/**
 * Of a WebSocket's first message: `authorization` or `Authorization` as the header would read, or a bare `token` or
 * `apiKey`. Without any of them the header of the opening request counts, which only programs outside browsers can send.
 */
export function connectionCredentials(
  request: RequestInfo,
  headerAuthorization: string | null,
  params: Readonly<Record<string, unknown>>,
): Credentials {
  const authorization = textOf(params.authorization) ?? textOf(params.Authorization)
  const bare = textOf(params.token) ?? textOf(params.apiKey)
  return headerCredentials(request, authorization ?? (bare === null ? headerAuthorization : `Bearer ${bare}`))
}

/** One refusal for all that cannot be told apart by a caller: nothing shown, unknown, revoked, expired. */
export async function authenticateOrRefuse(authenticate: Authenticate, credentials: Credentials): Promise<Viewer> {
  const viewer = await authenticate(credentials)
  if (viewer === null) throw new RequestError('UNAUTHENTICATED', 'Authentication is required.')
  return viewer
}

export function isUnauthenticated(error: unknown): boolean {
  return error instanceof RequestError && error.code === 'UNAUTHENTICATED'
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}
