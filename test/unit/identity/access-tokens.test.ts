import { createHmac, generateKeyPairSync, hkdfSync, sign } from 'node:crypto'
import { SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { InvalidInputError } from '../../../src/errors.ts'
import type { CreateTokenInput } from '../../../src/identity/account-types.ts'
import { LOCAL_ACCOUNT_ID } from '../../../src/identity/accounts.ts'
import type { Viewer } from '../../../src/viewer.ts'
import { HOUR, type Identity, keyInput, openIdentity, SECOND, SERVER_SECRET, tokenInput, viewer } from './identity.ts'

async function makeKeyViewer({ apiKeys }: Identity, details: Partial<Viewer> = {}): Promise<Viewer> {
  const { apiKey } = await apiKeys.create(LOCAL_ACCOUNT_ID, keyInput({ scopes: ['generate', 'read', 'admin'] }), null)
  return viewer({ apiKeyId: apiKey.id, ...details })
}

describe('access tokens', () => {
  it('carry account, key, end user, scopes, models and spend', async () => {
    const identity = await openIdentity()
    const { apiKeys, tokens, clock } = identity
    const { apiKey } = await apiKeys.create(LOCAL_ACCOUNT_ID, keyInput({ dailySpend: '9' }), null)
    const input = tokenInput({ endUser: 'ann', scopes: ['read'], models: ['painter'], maxSpend: '0.25' })
    const { accessToken, expiresAt } = await tokens.create(viewer({ apiKeyId: apiKey.id }), input)
    expect(expiresAt).toBe(clock.now() + 900 * SECOND)
    expect(await tokens.verify(accessToken)).toEqual({
      accountId: LOCAL_ACCOUNT_ID,
      apiKeyId: apiKey.id,
      tokenId: expect.stringMatching(/^tok_/),
      endUser: 'ann',
      scopes: ['read'],
      models: ['sandbox/painter'],
      tokenMaxSpendMicros: 250_000,
      keyDailySpendMicros: 9_000_000,
      expiresAt,
    })
  })

  it('do not carry admin unless it is asked for', async () => {
    const identity = await openIdentity()
    const maker = await makeKeyViewer(identity)
    const plain = await identity.tokens.create(maker, tokenInput())
    expect((await identity.tokens.verify(plain.accessToken))?.scopes).toEqual(['generate', 'read'])
    const admin = await identity.tokens.create(maker, tokenInput({ scopes: ['admin'] }))
    expect((await identity.tokens.verify(admin.accessToken))?.scopes).toEqual(['admin'])
  })

  it('end on time, and with the key that made them at the latest', async () => {
    const identity = await openIdentity()
    const { tokens, clock } = identity
    const maker = await makeKeyViewer(identity, { expiresAt: clock.now() + HOUR })
    const { accessToken, expiresAt } = await tokens.create(maker, tokenInput({ expiresInSeconds: 86_400 }))
    expect(expiresAt).toBe(maker.expiresAt)
    await clock.advance(HOUR - 1)
    expect(await tokens.verify(accessToken)).toBeDefined()
    await clock.advance(1)
    expect(await tokens.verify(accessToken)).toBeUndefined()
  })

  it('end when the key that made them is revoked', async () => {
    const identity = await openIdentity()
    const maker = await makeKeyViewer(identity)
    const { accessToken } = await identity.tokens.create(maker, tokenInput())
    expect(await identity.tokens.verify(accessToken)).toBeDefined()
    await identity.apiKeys.revoke(LOCAL_ACCOUNT_ID, maker.apiKeyId ?? '')
    expect(await identity.tokens.verify(accessToken)).toBeUndefined()
  })

  it('of a key that belongs to another account are refused', async () => {
    const identity = await openIdentity()
    const maker = await makeKeyViewer(identity, { accountId: 'acc_other' })
    const { accessToken } = await identity.tokens.create(maker, tokenInput())
    expect(await identity.tokens.verify(accessToken)).toBeUndefined()
  })
})

const seconds = (time: number) => Math.floor(time / SECOND)
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const realKey = new Uint8Array(hkdfSync('sha256', SERVER_SECRET, new Uint8Array(), 'pictor access token v1', 32))
const header = { alg: 'HS256', typ: 'pictor-access+jwt', kid: 'v1' }
const NOW = seconds(Date.UTC(2026, 0, 1))
const payload = {
  iss: 'pictor',
  aud: 'pictor',
  sub: LOCAL_ACCOUNT_ID,
  jti: 'tok_1',
  iat: NOW,
  exp: NOW + 60,
  key: null,
  usr: null,
  scp: ['read'],
  mdl: null,
  max: null,
  cap: 'tok_1',
}

function signed(head: object, body: object, key: Uint8Array | string = realKey): string {
  const input = `${encode(head)}.${encode(body)}`
  return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`
}

function without(name: keyof typeof payload): object {
  return Object.fromEntries(Object.entries(payload).filter(([key]) => key !== name))
}

const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 })
const rsaInput = `${encode({ ...header, alg: 'RS256' })}.${encode(payload)}`
const rsaSigned = `${rsaInput}.${sign('sha256', Buffer.from(rsaInput), rsa.privateKey).toString('base64url')}`
const rsaPublicPem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString()
const [head = '', body = '', mac = ''] = signed(header, payload).split('.')

describe('access tokens of somebody else', () => {
  it('would be taken with the right key, so that the refusals below mean something', async () => {
    const { tokens } = await openIdentity()
    expect(await tokens.verify(signed(header, payload))).toMatchObject({ accountId: LOCAL_ACCOUNT_ID })
  })

  it.each<[string, string]>([
    ['nothing', ''],
    ['dots', '..'],
    ['text', 'a.b.c'],
    ['an encrypted token', 'a.b.c.d.e'],
    ['alg none', `${encode({ ...header, alg: 'none' })}.${encode(payload)}.`],
    ['alg None', `${encode({ ...header, alg: 'None' })}.${encode(payload)}.${mac}`],
    ['no alg', signed({ typ: header.typ, kid: 'v1' }, payload)],
    ['HS512 under the right key', `${encode({ ...header, alg: 'HS512' })}.${body}.${mac}`],
    ['an RSA signature', rsaSigned],
    ['a public key used as HMAC key', signed(header, payload, rsaPublicPem)],
    ['the server secret itself as key', signed(header, payload, SERVER_SECRET)],
    ['an empty signature', `${head}.${body}.`],
    ['a shortened signature', `${head}.${body}.${mac.slice(0, -2)}`],
    ['another body under the signature', `${head}.${encode({ ...payload, scp: ['admin'] })}.${mac}`],
    ['another audience', signed(header, { ...payload, aud: 'other' })],
    ['no audience', signed(header, without('aud'))],
    ['another issuer', signed(header, { ...payload, iss: 'other' })],
    ['no issuer', signed(header, without('iss'))],
    ['no end', signed(header, without('exp'))],
    ['an end that is text', signed(header, { ...payload, exp: '9999999999' })],
    ['an end in the past', signed(header, { ...payload, exp: NOW })],
    ['a beginning in the future', signed(header, { ...payload, nbf: NOW + 60 })],
    ['no id', signed(header, without('jti'))],
    ['no account', signed(header, without('sub'))],
    ['no key claim', signed(header, without('key'))],
    ['a scope that is none', signed(header, { ...payload, scp: ['root'] })],
    ['no scope', signed(header, { ...payload, scp: [] })],
    ['a cap below nothing', signed(header, { ...payload, max: -1 })],
    ['a key that is not there', signed(header, { ...payload, key: 'key_none' })],
    ['an unknown key id', signed({ ...header, kid: 'v2' }, payload)],
    ['a key id that is a path', signed({ ...header, kid: '../../dev/null' }, payload)],
    ['no key id', signed({ alg: 'HS256', typ: header.typ }, payload)],
    ['another type', signed({ ...header, typ: 'JWT' }, payload)],
    ['no type', signed({ alg: 'HS256', kid: 'v1' }, payload)],
    ['an unknown critical header', signed({ ...header, crit: ['pay'], pay: 1 }, payload)],
    ['an unencoded payload', signed({ ...header, crit: ['b64'], b64: false }, payload)],
    ['a body that is a list', signed(header, [payload])],
    ['a megabyte', signed(header, { ...payload, usr: 'x'.repeat(1_000_000) })],
    ['three megabytes of dots', '.'.repeat(3_000_000)],
  ])('are refused: %s', async (_, token) => {
    const { tokens } = await openIdentity()
    expect(await tokens.verify(token)).toBeUndefined()
  })

  it('are refused when another server signed them', async () => {
    const { tokens } = await openIdentity()
    const foreign = await new SignJWT(payload).setProtectedHeader(header).sign(new Uint8Array(32))
    expect(await tokens.verify(foreign)).toBeUndefined()
  })
})

async function problemsOf(input: Partial<CreateTokenInput>, maker: Partial<Viewer> = {}) {
  const { tokens } = await openIdentity()
  const made = tokens.create(viewer(maker), tokenInput(input))
  return made.then(
    () => [],
    (error: unknown) => (error instanceof InvalidInputError ? error.fields : [String(error)]),
  )
}

const at = (...paths: string[]) => paths.map((path) => expect.objectContaining({ path }))

describe('access token input', () => {
  it.each<[string, Partial<CreateTokenInput>, string[]]>([
    ['a life of nothing', { expiresInSeconds: 0 }, ['expiresInSeconds']],
    ['more than a day', { expiresInSeconds: 86_401 }, ['expiresInSeconds']],
    ['a broken second', { expiresInSeconds: 1.5 }, ['expiresInSeconds']],
    ['an empty end user', { endUser: '' }, ['endUser']],
    ['an end user with a line break', { endUser: 'a\nb' }, ['endUser']],
    ['half a character', { endUser: '\ud800' }, ['endUser']],
    ['no scope', { scopes: [] }, ['scopes']],
    ['a scope that is none', { scopes: ['root'] }, ['scopes.0']],
    ['no model', { models: [] }, ['models']],
    ['a hundred models', { models: Array.from({ length: 100 }, () => 'painter') }, ['models']],
    ['a spend that is no decimal', { maxSpend: 'NaN' }, ['maxSpend']],
    ['a spend of nothing', { maxSpend: '0.000000' }, ['maxSpend']],
    [
      'everything at once',
      { endUser: '', expiresInSeconds: -1, maxSpend: '-1' },
      ['endUser', 'expiresInSeconds', 'maxSpend'],
    ],
  ])('refuses %s', async (_, input, paths) => {
    expect(await problemsOf(input)).toEqual(at(...paths))
  })

  it('names models that would do', async () => {
    expect(await problemsOf({ models: ['painter', 'pianter'] })).toEqual([
      { path: 'models.1', message: 'There is no model "pianter".', allowed: ['sandbox/painter'] },
    ])
  })

  it('refuses what is wider than the one who asks', async () => {
    const maker = {
      endUser: 'ann',
      scopes: ['read', 'admin'],
      models: ['sandbox/painter'],
      tokenMaxSpendMicros: 1_000_000,
    }
    const narrow = { ...maker, tokenId: 'tok_0' } as Partial<Viewer>
    expect(await problemsOf({ endUser: 'bob' }, narrow)).toEqual(at('endUser'))
    expect(await problemsOf({ scopes: ['generate'] }, narrow)).toEqual(at('scopes.0'))
    expect(await problemsOf({ models: ['openai/gpt-image-1'] }, narrow)).toEqual(at('models.0'))
    expect(await problemsOf({ maxSpend: '1.000001' }, narrow)).toEqual(at('maxSpend'))
    expect(await problemsOf({ endUser: 'ann', scopes: ['read'], models: ['painter'], maxSpend: '1' }, narrow)).toEqual(
      [],
    )
  })
})

describe('tokens made by tokens', () => {
  it('inherit every bound that is left out', async () => {
    const identity = await openIdentity()
    const bounds = { endUser: 'ann', models: ['sandbox/painter'], scopes: ['read', 'admin'] } as const
    const maker = await makeKeyViewer(identity, { ...bounds, tokenId: 'tok_0', expiresAt: identity.clock.now() + HOUR })
    const { accessToken, expiresAt } = await identity.tokens.create(maker, tokenInput({ expiresInSeconds: 86_400 }))
    expect(expiresAt).toBe(maker.expiresAt)
    expect(await identity.tokens.verify(accessToken)).toMatchObject({
      endUser: 'ann',
      models: ['sandbox/painter'],
      scopes: ['read'],
    })
  })

  it("count against their maker's cap, so that many cannot spend more than one", async () => {
    const identity = await openIdentity()
    const maker = await makeKeyViewer(identity, { tokenId: 'tok_0', tokenMaxSpendMicros: 1_000_000 })
    const { accessToken } = await identity.tokens.create(maker, tokenInput({ maxSpend: '0.5' }))
    expect(await identity.tokens.verify(accessToken)).toMatchObject({ tokenId: 'tok_0', tokenMaxSpendMicros: 500_000 })
  })

  it('have a cap of their own where their maker has none', async () => {
    const identity = await openIdentity()
    const maker = await makeKeyViewer(identity, { tokenId: 'tok_0' })
    const made = await Promise.all([1, 2].map(() => identity.tokens.create(maker, tokenInput({ maxSpend: '0.5' }))))
    const ids = await Promise.all(
      made.map(async ({ accessToken }) => (await identity.tokens.verify(accessToken))?.tokenId),
    )
    expect(new Set(['tok_0', ...ids]).size).toBe(3)
  })
})
