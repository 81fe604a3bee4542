import { describe, expect, it } from 'vitest'
import { RequestError } from '../../../src/errors.ts'
import { createAccessTokens } from '../../../src/identity/access-tokens.ts'
import { LOCAL_ACCOUNT_ID } from '../../../src/identity/accounts.ts'
import { createApiKeys } from '../../../src/identity/api-keys.ts'
import { type Authenticate, createAuthenticator } from '../../../src/identity/authenticate.ts'
import { Secret } from '../../../src/secret.ts'
import { createFakeIds } from '../../support/fake-ids.ts'
import { HOUR, keyInput, openIdentity, SERVER_SECRET, tokenInput, viewer } from './identity.ts'

async function codeOf(authenticate: Authenticate, authorization: string | null): Promise<string> {
  return authenticate({ authorization }).then(
    ({ accountId }) => accountId,
    (error: unknown) => (error instanceof RequestError ? error.code : String(error)),
  )
}

describe('authentication', () => {
  it('takes an API key', async () => {
    const { apiKeys, tokens } = await openIdentity()
    const authenticate = createAuthenticator({ mode: 'required', loopback: false, apiKeys, tokens })
    const { apiKey, secret } = await apiKeys.create(LOCAL_ACCOUNT_ID, keyInput({ dailySpend: '1' }), null)
    const expected = viewer({ apiKeyId: apiKey.id, scopes: ['generate', 'read'], keyDailySpendMicros: 1_000_000 })
    for (const authorization of [`Bearer ${secret}`, `bearer ${secret}`, `BEARER   ${secret} `]) {
      expect(await authenticate({ authorization })).toEqual(expected)
    }
  })

  it('takes an access token', async () => {
    const { apiKeys, tokens } = await openIdentity()
    const authenticate = createAuthenticator({ mode: 'required', loopback: false, apiKeys, tokens })
    const { apiKey } = await apiKeys.create(LOCAL_ACCOUNT_ID, keyInput(), null)
    const { accessToken } = await tokens.create(viewer({ apiKeyId: apiKey.id }), tokenInput({ endUser: 'ann' }))
    const found = await authenticate({ authorization: `Bearer ${accessToken}` })
    expect(found).toMatchObject({ apiKeyId: apiKey.id, endUser: 'ann' })
  })

  it('refuses everything else in the same words', async () => {
    const { apiKeys, tokens, clock } = await openIdentity()
    const authenticate = createAuthenticator({ mode: 'auto', loopback: true, apiKeys, tokens })
    const create = (expiresAt: number | null) => apiKeys.create(LOCAL_ACCOUNT_ID, keyInput({ expiresAt }), null)
    const [living, expired, revoked] = [await create(null), await create(clock.now() + HOUR), await create(null)]
    const ofRevoked = await tokens.create(viewer({ apiKeyId: revoked.apiKey.id }), tokenInput())
    await apiKeys.revoke(LOCAL_ACCOUNT_ID, revoked.apiKey.id)
    await clock.advance(HOUR)
    const refused = [
      null,
      '',
      'Bearer',
      'Bearer ',
      `Basic ${living.secret}`,
      living.secret,
      `Bearer ${living.secret} ${living.secret}`,
      `Bearer pk_${'A'.repeat(43)}`,
      `Bearer ${expired.secret}`,
      `Bearer ${revoked.secret}`,
      `Bearer ${ofRevoked.accessToken}`,
      `Bearer ${living.secret}\0`,
      'Bearer a.b.c',
      `Bearer ${'x'.repeat(1_000_000)}`,
    ]
    const errors = await Promise.all(
      refused.map((authorization) => authenticate({ authorization }).catch((error: unknown) => error)),
    )
    for (const error of errors) expect(error).toBeInstanceOf(RequestError)
    expect(new Set(errors.map(String)).size).toBe(1)
    expect(new Set(errors.map((error) => error instanceof RequestError && error.code))).toEqual(
      new Set(['UNAUTHENTICATED']),
    )
    expect(await codeOf(authenticate, `Bearer ${living.secret}`)).toBe(LOCAL_ACCOUNT_ID)
  })
})

describe('a refusal', () => {
  it('costs one look at the database, whatever the reason, and however often it was asked before', async () => {
    const { database, clock, apiKeys: maker } = await openIdentity()
    let looks = 0
    const watched = {
      ...database,
      get read() {
        looks += 1
        return database.read
      },
    }
    const ids = createFakeIds()
    const apiKeys = createApiKeys({ database: watched, clock, ids, logger: { warn: () => undefined } })
    const secret = new Secret(SERVER_SECRET)
    const tokens = createAccessTokens({ secret, clock, ids, apiKeys, resolveModel: (name) => name })
    const authenticate = createAuthenticator({ mode: 'required', loopback: false, apiKeys, tokens })
    const create = (expiresAt: number | null) => maker.create(LOCAL_ACCOUNT_ID, keyInput({ expiresAt }), null)
    const [expired, revoked] = [await create(clock.now() + HOUR), await create(null)]
    const ofRevoked = await tokens.create(viewer({ apiKeyId: revoked.apiKey.id }), tokenInput())
    await authenticate({ authorization: `Bearer ${revoked.secret}` })
    await authenticate({ authorization: `Bearer ${ofRevoked.accessToken}` })
    await maker.revoke(LOCAL_ACCOUNT_ID, revoked.apiKey.id)
    await clock.advance(HOUR)
    const refused = [
      null,
      'Basic nonsense',
      `Bearer pk_${'A'.repeat(43)}`,
      `Bearer ${expired.secret}`,
      `Bearer ${revoked.secret}`,
      `Bearer ${ofRevoked.accessToken}`,
      `Bearer ${ofRevoked.accessToken}x`,
      'Bearer a.b.c',
    ]
    for (const authorization of [...refused, ...refused]) {
      looks = 0
      await expect(authenticate({ authorization })).rejects.toThrow(RequestError)
      expect(looks, String(authorization)).toBe(1)
    }
  })
})

describe('authentication in auto mode', () => {
  it('makes callers on a loopback address the local account with every scope', async () => {
    const { apiKeys, tokens } = await openIdentity()
    const authenticate = createAuthenticator({ mode: 'auto', loopback: true, apiKeys, tokens })
    expect(await authenticate({ authorization: null })).toEqual(viewer())
  })

  it.each([
    ['on a public address', 'auto', false],
    ['where a key is required', 'required', true],
  ] as const)('is never open %s', async (_, mode, loopback) => {
    const { apiKeys, tokens } = await openIdentity()
    const authenticate = createAuthenticator({ mode, loopback, apiKeys, tokens })
    expect(await codeOf(authenticate, null)).toBe('UNAUTHENTICATED')
  })

  it('does not take wrong credentials for none', async () => {
    const { apiKeys, tokens } = await openIdentity()
    const authenticate = createAuthenticator({ mode: 'auto', loopback: true, apiKeys, tokens })
    for (const authorization of ['', 'Bearer pk_wrong', 'Bearer a.b.c']) {
      expect(await codeOf(authenticate, authorization)).toBe('UNAUTHENTICATED')
    }
  })

  it('closes for good with the first key, whoever made it and whatever became of it', async () => {
    const { apiKeys, tokens, accounts, database } = await openIdentity()
    const authenticate = createAuthenticator({ mode: 'auto', loopback: true, apiKeys, tokens })
    expect(await codeOf(authenticate, null)).toBe(LOCAL_ACCOUNT_ID)
    const other = await accounts.create({ name: 'Other', billing: 'PREPAID', limits: {} })
    const row = { id: 'key_x', accountId: other.id, name: 'x', prefix: 'pk_x', secretHash: 'x', scopes: '["read"]' }
    const past = { dailySpendMicros: null, createdAt: 1, lastUsedAt: null, expiresAt: 2, revokedAt: 3 }
    await database.transact((trx) =>
      trx
        .insertInto('apiKeys')
        .values({ ...row, ...past })
        .execute(),
    )
    expect(await codeOf(authenticate, null)).toBe('UNAUTHENTICATED')
  })

  it('takes tokens that were made without a key only while it is open', async () => {
    const { apiKeys, tokens } = await openIdentity()
    const authenticate = createAuthenticator({ mode: 'auto', loopback: true, apiKeys, tokens })
    const local = await authenticate({ authorization: null })
    const { accessToken } = await tokens.create(local, tokenInput({ endUser: 'ann' }))
    expect(await authenticate({ authorization: `Bearer ${accessToken}` })).toMatchObject({ endUser: 'ann' })
    await apiKeys.create(LOCAL_ACCOUNT_ID, keyInput(), null)
    expect(await codeOf(authenticate, `Bearer ${accessToken}`)).toBe('UNAUTHENTICATED')
  })
})
