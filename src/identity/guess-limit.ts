import type { Clock } from '../clock.ts'
import { RateLimitedError, RequestError } from '../errors.ts'
import type { Viewer } from '../viewer.ts'
import type { ApiKeys } from './api-keys.ts'
import { type Authenticate, isToken, readBearer } from './authenticate.ts'
import type { WindowCounters } from './window-counters.ts'

export type AddressedCredentials = {
  readonly authorization: string | null
  /** Whom to count failures for: an address, or the network that one caller is likely to have to itself. */
  readonly network: string
}

/** As `Authenticate`; besides, RateLimitedError where too many attempts of that network failed in this minute. */
export type AuthenticateFrom = (credentials: AddressedCredentials) => Promise<Viewer>

/**
 * Slows down whoever guesses. Past the limit, keys that this process has never seen are not even looked up. Tokens, and
 * keys that it has seen, are read as ever: neither can be guessed, and they are what the honest others have who share the
 * address.
 */
export function createGuessLimit(deps: {
  readonly authenticate: Authenticate
  readonly apiKeys: Pick<ApiKeys, 'remembers'>
  readonly counters: WindowCounters
  /** Failures of one network in a minute; null: no limit. */
  readonly failuresPerMinute: number | null
  readonly clock: Clock
}): AuthenticateFrom {
  const { authenticate, apiKeys, counters, failuresPerMinute, clock } = deps
  if (failuresPerMinute === null) return authenticate
  const limitPerMinute = failuresPerMinute

  function isGuess(authorization: string): boolean {
    const credential = readBearer(authorization)
    return !isToken(credential) && !apiKeys.remembers(credential)
  }

  function refusal(endsAt: number): RateLimitedError {
    return new RateLimitedError({
      limit: 'address',
      limitPerMinute,
      retryAfterMs: Math.max(1, endsAt - clock.now()),
    })
  }

  return async (credentials) => {
    const { authorization, network } = credentials
    if (authorization === null) return authenticate(credentials)
    const window = await counters.read(network)
    if (window && window.count >= limitPerMinute && isGuess(authorization)) throw refusal(window.endsAt)
    try {
      return await authenticate(credentials)
    } catch (error) {
      if (!(error instanceof RequestError)) throw error
      const { count, endsAt } = await counters.add(network)
      throw count > limitPerMinute ? refusal(endsAt) : error
    }
  }
}
