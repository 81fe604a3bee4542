import { RequestError } from '../errors.ts'
import { SCOPES, type Viewer } from '../viewer.ts'
import type { AccessTokens } from './access-tokens.ts'
import type { ApiKey } from './account-types.ts'
import { LOCAL_ACCOUNT_ID } from './accounts.ts'
import type { ApiKeys } from './api-keys.ts'

export type Credentials = {
  /** The header of that name, or the same text from a socket's connection parameters; null: none was sent. */
  readonly authorization: string | null
}

/**
 * Who calls. Rejects with UNAUTHENTICATED, in the same words whatever the reason. To be asked again while a connection
 * lasts: a revoked key is refused within ten seconds.
 */
export type Authenticate = (credentials: Credentials) => Promise<Viewer>

const BEARER = /^Bearer +([\w.~+/=-]+) *$/i
const MAX_HEADER_LENGTH = 16_384

const LOCAL_VIEWER: Viewer = {
  accountId: LOCAL_ACCOUNT_ID,
  apiKeyId: null,
  tokenId: null,
  endUser: null,
  scopes: SCOPES,
  models: null,
  tokenMaxSpendMicros: null,
  keyDailySpendMicros: null,
  expiresAt: null,
}

/**
 * `auto`: on a loopback address and as long as no key was ever made, whoever sends no credentials is the local account.
 * The first key closes that door for good, also for the tokens that were made through it. `required`: it is never open.
 */
export function createAuthenticator(deps: {
  readonly mode: 'auto' | 'required'
  /** Does the server listen on loopback addresses only? */
  readonly loopback: boolean
  readonly apiKeys: Pick<ApiKeys, 'authenticate' | 'anyExist'>
  readonly tokens: Pick<AccessTokens, 'verify'>
}): Authenticate {
  const { mode, loopback, apiKeys, tokens } = deps

  async function isOpen(): Promise<boolean> {
    return mode === 'auto' && loopback && !(await apiKeys.anyExist())
  }

  async function identify(authorization: string | null): Promise<Viewer | undefined> {
    if (authorization === null && (await isOpen())) return LOCAL_VIEWER
    const credential = readBearer(authorization ?? '')
    if (isToken(credential)) {
      const viewer = await tokens.verify(credential)
      return viewer && (viewer.apiKeyId !== null || (await isOpen())) ? viewer : undefined
    }
    const apiKey = await apiKeys.authenticate(credential)
    return apiKey && viewerOf(apiKey)
  }

  return async ({ authorization }) => {
    const viewer = await identify(authorization)
    if (viewer) return viewer
    throw new RequestError(
      'UNAUTHENTICATED',
      'This needs a valid API key or access token, sent as "Authorization: Bearer …".',
    )
  }
}

/** What is missing or malformed becomes a secret that no key has, so that it costs the look-up that every failure costs. */
export function readBearer(authorization: string): string {
  if (authorization.length > MAX_HEADER_LENGTH) return ''
  return BEARER.exec(authorization)?.[1] ?? ''
}

export function isToken(credential: string): boolean {
  return credential.includes('.')
}

function viewerOf(apiKey: ApiKey): Viewer {
  return {
    accountId: apiKey.accountId,
    apiKeyId: apiKey.id,
    tokenId: null,
    endUser: null,
    scopes: apiKey.scopes,
    models: null,
    tokenMaxSpendMicros: null,
    keyDailySpendMicros: apiKey.dailySpendMicros,
    expiresAt: apiKey.expiresAt,
  }
}
