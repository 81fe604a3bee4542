import { describe, expect, it } from 'vitest'
import { CreateTokenDocument, GenerateImageDocument } from '../../../schema/generated/operations.ts'
import type { GraphqlClient } from '../../support/graphql-client.ts'
import { openRawSocket } from '../../support/raw-websocket.ts'
import { createTestAccount, type NewTestAccount, type StartOptions, startApp } from '../../support/start-app.ts'

async function open(env: StartOptions['env'] & object, account: NewTestAccount = {}) {
  const server = await startApp({ env })
  const { secret } = await createTestAccount(server.app, account)
  const token = async (endUser: string | null) => {
    const { createToken } = await server.clientOf(secret).run(CreateTokenDocument, { input: { endUser } })
    if (createToken.__typename !== 'CreateTokenSuccess') throw new Error(JSON.stringify(createToken))
    return createToken.accessToken
  }
  return { server, secret, token }
}

const QUERY = '{ viewer { endUser } }'

async function outcome(client: GraphqlClient) {
  const { status, headers, errors } = await client.ask(QUERY)
  const [error] = errors
  const of = (name: string) => headers.get(name)
  return { status, code: error?.extensions.code, retryAfter: of('retry-after'), limit: of('ratelimit'), error }
}

describe('an answer over HTTP', () => {
  it('says how the caller stands with each limit, and when to come again past one', async () => {
    const { server, token } = await open({ PICTOR_LIMIT_END_USER: '2', PICTOR_LIMIT_TOKEN: '9' })
    await using _ = server
    const client = server.clientOf(await token('ann'))
    const { headers } = await client.ask(QUERY)
    expect(headers.get('ratelimit-policy')).toBe(
      '"end-user";q=2;w=60, "token";q=9;w=60, "end-user-requests";q=60;w=60, "account";q=600;w=60',
    )
    expect(headers.get('ratelimit')).toMatch(
      /^"end-user";r=1;t=\d+, "token";r=8;t=\d+, "end-user-requests";r=60;t=60, "account";r=600;t=60$/,
    )
    await client.ask(QUERY)
    const refused = await outcome(client)
    expect(refused).toMatchObject({ status: 429, code: 'RATE_LIMITED' })
    expect(Number(refused.retryAfter)).toBeGreaterThan(0)
    expect(Number(refused.retryAfter)).toBeLessThanOrEqual(60)
    expect(refused.limit).toMatch(/^"end-user";r=0;t=\d+, "token";r=7/)
    expect(refused.error?.extensions.rateLimit).toMatchObject({ limit: 'end-user', quota: 2, remaining: 0 })
    expect(await outcome(server.clientOf(await token('ann')))).toMatchObject({ status: 429 })
    expect(await outcome(server.clientOf(await token('bob')))).toMatchObject({ status: 200 })
  })

  it('counts down the requests of the account as they are made', async () => {
    const { server, secret } = await open({}, { limits: { requestsPerMinute: 2 } })
    await using _ = server
    const client = server.clientOf(secret)
    const remaining: (string | null | undefined)[] = []
    const names: string[] = []
    for (let n = 0; n < 3; n++) {
      const { data, headers } = await client.ask(GenerateImageDocument, { input: { prompt: 'a fox', size: '64x64' } })
      names.push(String(data?.generateImage.__typename))
      remaining.push(/"account";r=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1])
    }
    expect(names).toEqual(['GenerateImageSuccess', 'GenerateImageSuccess', 'RateLimitedError'])
    expect(remaining).toEqual(['1', '0', '0'])
  })

  it('counts what comes by a key, and not the local account', async () => {
    await using open = await startApp({ env: { PICTOR_LIMIT_KEY: '1' } })
    for (let n = 0; n < 3; n++) expect(await outcome(open.client)).toMatchObject({ status: 200 })
    const { secret } = await createTestAccount(open.app)
    expect(await outcome(open.clientOf(secret))).toMatchObject({ status: 200 })
    expect(await outcome(open.clientOf(secret))).toMatchObject({ status: 429 })
  })

  it('refuses guesses of keys with the time to wait, before a long body is read too', async () => {
    const { server, secret } = await open({ PICTOR_LIMIT_FAILURES: '2' })
    await using _ = server
    expect(await outcome(server.clientOf(secret))).toMatchObject({ status: 200 })
    for (let n = 0; n < 2; n++) {
      expect(await outcome(server.clientOf(`pk_guess${n}`))).toMatchObject({ status: 401, retryAfter: null })
    }
    const refused = await outcome(server.clientOf('pk_guess'))
    expect(refused).toMatchObject({ status: 429, code: 'RATE_LIMITED' })
    expect(Number(refused.retryAfter)).toBeGreaterThan(0)
    const long = await fetch(server.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer pk_guess' },
      body: JSON.stringify({ query: QUERY, variables: { padding: 'x'.repeat(2_000_000) } }),
    })
    expect(long.status).toBe(429)
    expect(Number(long.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await long.json()).errors[0].extensions.rateLimit).toMatchObject({ limit: 'address', quota: 2 })
    expect(await outcome(server.clientOf(secret))).toMatchObject({ status: 200 })
  })

  it('counts guesses for whom a trusted proxy names, and for nobody that a caller names', async () => {
    const guess = async (url: string, forwarded: string) => {
      const headers = {
        'content-type': 'application/json',
        authorization: 'Bearer pk_guess',
        'x-forwarded-for': forwarded,
      }
      return (await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query: QUERY }) })).status
    }
    const { server: plain } = await open({ PICTOR_LIMIT_FAILURES: '1' })
    await using _plain = plain
    expect([await guess(plain.url, '203.0.113.1'), await guess(plain.url, '203.0.113.2')]).toEqual([401, 429])
    const { server: behind } = await open({ PICTOR_LIMIT_FAILURES: '1', PICTOR_TRUSTED_PROXIES: '127.0.0.0/8' })
    await using _behind = behind
    expect([await guess(behind.url, '203.0.113.1'), await guess(behind.url, '203.0.113.2')]).toEqual([401, 401])
    expect(await guess(behind.url, '198.51.100.66, 203.0.113.1')).toBe(429)
  })
})

describe('a refusal for asking too often', () => {
  it('says the same on an event stream and on a socket', async () => {
    const { server, token } = await open({ PICTOR_LIMIT_END_USER: '1' })
    await using _ = server
    const authorization = `Bearer ${await token('ann')}`
    const stream = async () => {
      const headers = { 'content-type': 'application/json', accept: 'text/event-stream', authorization }
      return fetch(server.url, { method: 'POST', headers, body: JSON.stringify({ query: QUERY }) })
    }
    expect((await stream()).status).toBe(200)
    const refused = await stream()
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await refused.text()).toMatch(
      /"code":"RATE_LIMITED","retryAfterMs":\d+,"rateLimit":\{"limit":"end-user","quota":1/,
    )

    const socket = await openRawSocket(server.wsUrl)
    await socket.init({ authorization })
    socket.send({ type: 'subscribe', id: '1', payload: { query: QUERY } })
    const rateLimit = { limit: 'end-user', quota: 1, remaining: 0, windowSeconds: 60 }
    expect(await socket.next()).toMatchObject({
      type: 'error',
      payload: [{ extensions: { code: 'RATE_LIMITED', retryAfterMs: expect.any(Number), rateLimit } }],
    })
    socket.socket.terminate()
  })

  it('closes a socket that shows a guess, so that its client comes again later', async () => {
    const { server } = await open({ PICTOR_LIMIT_FAILURES: '1' })
    await using _ = server
    const codes: number[] = []
    for (let n = 0; n < 2; n++) {
      const socket = await openRawSocket(server.wsUrl)
      socket.send({ type: 'connection_init', payload: { authorization: 'Bearer pk_guess' } })
      codes.push((await socket.closed).code)
    }
    expect(codes).toEqual([4403, 1013])
  })
})
