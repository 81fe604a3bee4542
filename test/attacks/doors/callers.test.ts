import { createHash, createHmac, generateKeyPairSync, hkdfSync, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openRawSocket } from '../../support/raw-websocket.ts'
import { readSourceFiles } from '../../support/source-files.ts'
import { createTestAccount, startApp, type TestAccount, type TestApp } from '../../support/start-app.ts'
import { codeIn, WAYS } from '../../support/ways-in.ts'

const SECRET = 'a secret of this server, 32 bytes and more'
const QUERY = { query: '{ viewer { account { id } } }' }

let server: TestApp
let account: TestAccount
beforeAll(async () => {
  // Else the attempts of this file would be refused for their number.
  server = await startApp({ env: { PICTOR_SECRET: SECRET, PICTOR_LIMIT_FAILURES: 'off' } })
  account = await createTestAccount(server.app)
})
afterAll(() => server[Symbol.asyncDispose]())

type Refusal = { readonly status: number; readonly body: string }

async function ask(authorization: string | null, accept = 'application/json'): Promise<Refusal> {
  const headers = { 'content-type': 'application/json', accept, ...(authorization !== null && { authorization }) }
  const response = await fetch(server.url, { method: 'POST', headers, body: JSON.stringify(QUERY) })
  return { status: response.status, body: (await response.text()).replace(/"requestId":"[^"]+"/, '') }
}

/** The close code, or the type of what is answered. */
async function knock(payload: object): Promise<number | string> {
  const raw = await openRawSocket(server.wsUrl)
  const outcome = await Promise.race([
    raw.init(payload).then(({ type }) => type),
    raw.closed.then(({ code, reason }) => `${code} ${reason}`),
  ])
  raw.socket.terminate()
  return outcome
}

test('A1 no key, a malformed, an unknown, a revoked and an expired one are refused in the same words, over HTTP, as a stream and on a socket', async () => {
  const [revoked, expired] = [await createTestAccount(server.app), await createTestAccount(server.app)]
  const { database } = server.app.foundations
  await server.app.domain.apiKeys.revoke(revoked.accountId, revoked.keyId)
  await database.transact((trx) =>
    trx.updateTable('apiKeys').set({ expiresAt: 1 }).where('id', '=', expired.keyId).execute(),
  )
  const shown: (string | null)[] = [
    null,
    '',
    'Bearer',
    'Bearer  ',
    'Bearer pk_',
    'nonsense',
    `Basic ${account.secret}`,
    `Bearer ${account.secret}x`,
    `Bearer ${account.secret.slice(0, -1)}`,
    `Bearer pk_${'A'.repeat(43)}`,
    `Bearer ${revoked.secret}`,
    `Bearer ${expired.secret}`,
  ]
  expect((await ask(`Bearer ${account.secret}`)).status).toBe(200)
  for (const accept of ['application/json', 'application/graphql-response+json', 'text/event-stream']) {
    const answers = await Promise.all(shown.map((authorization) => ask(authorization, accept)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]))
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1)
    expect(answers[0]?.body).toContain('"code":"UNAUTHENTICATED"')
  }
  const closes = await Promise.all(shown.map((authorization) => knock(authorization === null ? {} : { authorization })))
  expect(new Set(closes)).toEqual(new Set(['4403 Forbidden']))
  expect(await knock({ authorization: `Bearer ${account.secret}` })).toBe('connection_ack')
})

test('A2 a token with alg none, an RSA key for an HMAC one, another audience or issuer, no end, a beginning in the future, an unknown key id, a path as key id, an unknown critical header or a megabyte is refused', async () => {
  const key = Buffer.from(hkdfSync('sha256', SECRET, new Uint8Array(), 'pictor access token v1', 32))
  const now = Math.floor(Date.now() / 1000)
  const header = { alg: 'HS256', typ: 'pictor-access+jwt', kid: 'v1' }
  const payload = {
    sub: account.accountId,
    jti: 'tok_1',
    iss: 'pictor',
    aud: 'pictor',
    iat: now,
    exp: now + 600,
    key: account.keyId,
    usr: null,
    scp: ['read'],
    mdl: null,
    max: null,
    cap: 'tok_1',
  }
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const signed = (head: object, body: object, with_: string | Buffer = key) => {
    const input = `${encode(head)}.${encode(body)}`
    return `${input}.${createHmac('sha256', with_).update(input).digest('base64url')}`
  }
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  const rsaInput = `${encode({ ...header, alg: 'RS256' })}.${encode(payload)}`
  const { exp: _, ...endless } = payload
  const forged = {
    'alg none': `${encode({ ...header, alg: 'none' })}.${encode(payload)}.`,
    'RS256 in the place of HS256': `${rsaInput}.${sign('sha256', Buffer.from(rsaInput), rsa.privateKey).toString('base64url')}`,
    'a public key as HMAC key': signed(
      header,
      payload,
      rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    ),
    'the secret itself as HMAC key': signed(header, payload, SECRET),
    'another audience': signed(header, { ...payload, aud: 'other' }),
    'another issuer': signed(header, { ...payload, iss: 'other' }),
    'no end': signed(header, endless),
    'an end that is over': signed(header, { ...payload, exp: now - 1 }),
    'a beginning in the future': signed(header, { ...payload, nbf: now + 600 }),
    'an unknown key id': signed({ ...header, kid: 'v2' }, payload),
    'a path as key id': signed({ ...header, kid: '../../../../dev/null' }, payload),
    'an unknown critical header': signed({ ...header, crit: ['pay'], pay: 1 }, payload),
    'a megabyte': signed(header, { ...payload, usr: 'x'.repeat(750_000) }),
  }
  const honest = signed(header, payload)
  expect(await ask(`Bearer ${honest}`)).toMatchObject({ status: 200 })
  expect(await knock({ authorization: `Bearer ${honest}` })).toBe('connection_ack')
  for (const [what, token] of Object.entries(forged)) {
    // Node takes no header of more than 16 KiB, and we no frame of more than 256.
    const isLong = token.length > 16_384
    expect((await ask(`Bearer ${token}`)).status, what).toBe(isLong ? 431 : 401)
    expect(await knock({ authorization: `Bearer ${token}` }), what).toMatch(isLong ? /^1009/ : /^4403/)
  }
})

test('A3 a key of scope read generates nothing, is told which scope that needs, and leaves no row', async () => {
  const reader = await createTestAccount(server.app, { scopes: ['read'] })
  const mutation = { query: 'mutation { generateImage(input: { prompt: "a fox", size: "64x64" }) { __typename } }' }
  const { GET: _, ...ways } = WAYS
  for (const [name, way] of Object.entries(ways)) {
    const heard = await way(server, mutation, reader.secret)
    expect(codeIn(heard), `${name}: ${heard.text}`).toBe('FORBIDDEN')
    expect(heard.text).toContain('\\"generateImage\\" needs the scope \\"generate\\"')
  }
  const { read } = server.app.foundations.database
  for (const table of ['generations', 'jobs', 'ledgerEntries'] as const) {
    const rows = await read.selectFrom(table).selectAll().where('accountId', '=', reader.accountId).execute()
    expect(rows, table).toEqual([])
  }
})

test('A56 keys are found by their digest, of which alone the database knows, and signatures are compared in constant time', async () => {
  const row = await server.app.foundations.database.read
    .selectFrom('apiKeys')
    .selectAll()
    .where('id', '=', account.keyId)
    .executeTakeFirstOrThrow()
  expect(row.secretHash).toBe(createHash('sha256').update(account.secret).digest('hex'))
  expect(JSON.stringify(row)).not.toContain(account.secret.slice(row.prefix.length))
  // A signature that came from outside meets ours nowhere but in `timingSafeEqual`.
  const comparing = readSourceFiles('src/').filter(({ path }) =>
    /\b(signature|hmac|mac|secretHash)\w* [!=]==? (?!null|undefined)/i.test(readFileSync(path, 'utf8')),
  )
  expect(comparing.map(({ path }) => path)).toEqual([])
  const own = /timingSafeEqual\(/
  expect(
    readSourceFiles('src/')
      .filter(({ path }) => own.test(readFileSync(path, 'utf8')))
      .map(({ path }) => path),
  ).toEqual(['src/secret.ts'])
  for (const path of [
    'src/storage/signed-url.ts',
    'src/worker/callback-desk.ts',
    'src/providers/flux/flux-callbacks.ts',
  ])
    expect(readFileSync(path, 'utf8'), path).toContain('isSameSecret(')
})
