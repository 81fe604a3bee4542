import { describe, expect, it } from 'vitest'
import { RateLimitedError, RequestError } from '../../../src/errors.ts'
import { LOCAL_ACCOUNT_ID } from '../../../src/identity/accounts.ts'
import { createAuthenticator } from '../../../src/identity/authenticate.ts'
import { createGuessLimit } from '../../../src/identity/guess-limit.ts'
import { createMemoryCounters } from '../../../src/identity/window-counters.ts'
import { keyInput, openIdentity, tokenInput, viewer } from './identity.ts'

async function open(failuresPerMinute: number | null = 3) {
  const identity = await openIdentity()
  const { apiKeys, tokens, clock } = identity
  let asked = 0
  const inner = createAuthenticator({ mode: 'required', loopback: false, apiKeys, tokens })
  const authenticate = createGuessLimit({
    authenticate: (credentials) => {
      asked += 1
      return inner(credentials)
    },
    apiKeys,
    counters: createMemoryCounters({ clock }),
    failuresPerMinute,
    clock,
  })
  const knock = (credential: string | null, network = '198.51.100.7') =>
    authenticate({ authorization: credential && `Bearer ${credential}`, network }).then(
      ({ accountId }) => accountId,
      (error: unknown) => {
        if (error instanceof RateLimitedError || error instanceof RequestError) return error.code
        throw error
      },
    )
  return { ...identity, knock, asked: () => asked }
}

describe('guesses of keys', () => {
  it('are refused past their number, and then not even looked up, for the rest of the minute', async () => {
    const { knock, asked, clock } = await open()
    for (let n = 0; n < 3; n++) expect(await knock(`pk_guess${n}`)).toBe('UNAUTHENTICATED')
    expect(await knock('pk_guess')).toBe('RATE_LIMITED')
    expect(asked()).toBe(3)
    expect(await knock('pk_guess', '198.51.100.8')).toBe('UNAUTHENTICATED')
    await clock.advance(60_000)
    expect(await knock('pk_guess')).toBe('UNAUTHENTICATED')
  })

  it('do not lock out those who share the address: known keys and all tokens go on', async () => {
    const { knock, apiKeys, tokens } = await open()
    const { secret, apiKey } = await apiKeys.create(LOCAL_ACCOUNT_ID, keyInput(), null)
    expect(await knock(secret)).toBe(LOCAL_ACCOUNT_ID)
    for (let n = 0; n < 9; n++) await knock(`pk_guess${n}`)
    const { accessToken } = await tokens.create(viewer({ apiKeyId: apiKey.id }), tokenInput({ endUser: 'new' }))
    expect(await knock(secret)).toBe(LOCAL_ACCOUNT_ID)
    expect(await knock(accessToken)).toBe(LOCAL_ACCOUNT_ID)
    expect(await knock(`${accessToken.slice(0, -4)}AAAA`)).toBe('RATE_LIMITED')
  })

  it('are no calls that show nothing', async () => {
    const { knock } = await open()
    for (let n = 0; n < 9; n++) expect(await knock(null)).toBe('UNAUTHENTICATED')
    expect(await knock('pk_guess')).toBe('UNAUTHENTICATED')
  })

  it('are not bounded where the limit is off', async () => {
    const { knock } = await open(null)
    for (let n = 0; n < 9; n++) expect(await knock('pk_guess')).toBe('UNAUTHENTICATED')
  })
})
