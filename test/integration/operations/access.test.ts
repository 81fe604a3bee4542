import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import {
  ApiKeysDocument,
  CreateApiKeyDocument,
  CreateTokenDocument,
  HistoryDocument,
  RevokeApiKeyDocument,
  ViewerDocument,
} from '../../../schema/generated/operations.ts'
import { createKey, createToken } from '../../support/access.ts'
import { make, QUICK, refuse } from '../../support/generating.ts'
import { openRawSocket } from '../../support/raw-websocket.ts'
import { createTestAccount, PRICED_PAINTER, startApp, type TestApp } from '../../support/start-app.ts'

/** The close code of a socket that shows these credentials, or what it answers to connection_init. */
async function knock(url: string, payload: object): Promise<number | string> {
  const socket = await openRawSocket(url)
  const answer = socket.init(payload).then(({ type }) => type)
  const outcome = await Promise.race([answer, socket.closed.then(({ code }) => code)])
  socket.socket.terminate()
  return outcome
}

describe('auto mode', () => {
  it('is open until the first key is made, and closed for good from then on', async () => {
    await using server = await startApp()
    const { viewer } = await server.client.run(ViewerDocument, {})
    expect(viewer).toMatchObject({ account: { id: 'acc_local', billing: 'METERED' }, endUser: null })
    expect(await knock(server.wsUrl, {})).toBe('connection_ack')

    const { secret, apiKey } = await createKey(server.client, { name: 'shop', scopes: ['generate', 'read', 'admin'] })
    expect(secret.startsWith(apiKey.prefix)).toBe(true)
    const closed = await server.client.ask(ViewerDocument)
    expect({ status: closed.status, code: closed.errors[0]?.extensions.code }).toEqual({
      status: 401,
      code: 'UNAUTHENTICATED',
    })
    expect(await knock(server.wsUrl, {})).toBe(4403)
    expect(await knock(server.wsUrl, { authorization: `Bearer ${secret}` })).toBe('connection_ack')

    const keyed = server.clientOf(secret)
    expect((await keyed.run(ViewerDocument, {})).viewer.account.id).toBe('acc_local')
    await keyed.run(RevokeApiKeyDocument, { id: apiKey.id })
    expect((await server.client.ask(ViewerDocument)).status).toBe(401)
    expect((await keyed.ask(ViewerDocument)).status).toBe(401)
    expect(await knock(server.wsUrl, { authorization: `Bearer ${secret}` })).toBe(4403)
  })

  it('is not open to a page of another origin or to another host name', async () => {
    await using server = await startApp()
    const foreign = await fetch(server.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: 'https://evil.example' },
      body: JSON.stringify({ query: '{ viewer { account { id } } }' }),
    })
    expect(foreign.status).toBe(403)
    const socket = new WebSocket(server.wsUrl, 'graphql-transport-ws', { origin: 'https://evil.example' })
    const [, refusal] = await once(socket, 'unexpected-response')
    expect(refusal.statusCode).toBe(403)
    refusal.destroy()
  })
})

describe('a key with few scopes', () => {
  let server: TestApp
  beforeAll(async () => {
    server = await startApp()
  })
  afterAll(() => server[Symbol.asyncDispose]())

  it('may do what it is for and nothing else', async () => {
    const { secret } = await createTestAccount(server.app, { scopes: ['generate', 'read', 'admin'] })
    const admin = server.clientOf(secret)
    const reader = server.clientOf((await createKey(admin, { name: 'reader', scopes: ['read'] })).secret)
    const maker = server.clientOf((await createKey(admin, { name: 'maker', scopes: ['generate'] })).secret)

    const codeOf = async (asked: Promise<{ errors: readonly { extensions: Record<string, unknown> }[] }>) =>
      (await asked).errors[0]?.extensions.code
    expect(await codeOf(reader.ask('mutation { generateImage(input: { prompt: "x" }) { __typename } }'))).toBe(
      'FORBIDDEN',
    )
    expect(await codeOf(reader.ask(ApiKeysDocument))).toBe('FORBIDDEN')
    expect(await codeOf(reader.ask(CreateApiKeyDocument, { input: { name: 'wider' } }))).toBe('FORBIDDEN')
    expect(await codeOf(maker.ask(HistoryDocument, {}))).toBe('FORBIDDEN')
    expect((await reader.ask(HistoryDocument, {})).errors).toEqual([])
  })

  it('gives a token no scope that it does not have itself', async () => {
    const { secret } = await createTestAccount(server.app, { scopes: ['generate'] })
    const { createToken: result } = await server
      .clientOf(secret)
      .run(CreateTokenDocument, { input: { scopes: ['generate', 'read'] } })
    expect(result).toMatchObject({
      __typename: 'InvalidInputError',
      fields: [{ path: 'scopes.1', allowed: ['generate'] }],
    })
  })

  it('spends through a token no more than the token may', async () => {
    await using priced = await startApp({ models: [PRICED_PAINTER] })
    const { secret } = await createTestAccount(priced.app)
    const input = { endUser: 'ada', maxSpend: '0.05', models: ['sandbox/painter'] }
    const token = priced.clientOf(await createToken(priced.clientOf(secret), input))
    await make(token, QUICK)
    expect(await refuse(token, 'CostLimitError', QUICK)).toMatchObject({ limit: { amount: '0.050000' } })
    expect(await refuse(token, 'ModelUnavailableError', { ...QUICK, model: 'etching' })).toMatchObject({
      reason: 'NOT_ALLOWED',
    })
    // The cap is the token's alone: the key goes on.
    await make(priced.clientOf(secret), QUICK)
  })

  it('makes nothing for another end user than that of its token', async () => {
    const { secret } = await createTestAccount(server.app)
    const token = server.clientOf(await createToken(server.clientOf(secret), { endUser: 'ada' }))
    expect(await refuse(token, 'InvalidInputError', { ...QUICK, endUser: 'ben' })).toMatchObject({
      fields: [{ path: 'endUser', allowed: ['ada'] }],
    })
    await make(token, { ...QUICK, endUser: 'ada' })
  })

  it('ends the tokens that were made with it when it is revoked', async () => {
    const { secret, keyId } = await createTestAccount(server.app)
    const key = server.clientOf(secret)
    const accessToken = await createToken(key, { endUser: 'ada' })
    const token = server.clientOf(accessToken)
    expect((await token.run(ViewerDocument, {})).viewer.endUser).toBe('ada')
    await key.run(RevokeApiKeyDocument, { id: keyId })
    expect((await token.ask(ViewerDocument)).status).toBe(401)
    expect(await knock(server.wsUrl, { token: accessToken })).toBe(4403)
  })

  it('closes an open socket with 4403 when its token ends', async () => {
    const { secret } = await createTestAccount(server.app)
    const accessToken = await createToken(server.clientOf(secret), { endUser: 'ada', expiresInSeconds: 1 })
    const socket = await openRawSocket(server.wsUrl)
    expect((await socket.init({ authorization: `Bearer ${accessToken}` })).type).toBe('connection_ack')
    expect((await socket.closed).code).toBe(4403)
  })
})
