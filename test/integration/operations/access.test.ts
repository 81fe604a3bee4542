import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import {
  ApiKeysDocument,
  CancelGenerationDocument,
  CreateApiKeyDocument,
  type CreateApiKeyInput,
  CreateTokenDocument,
  type CreateTokenInput,
  DeleteGenerationDocument,
  GenerationDocument,
  HistoryDocument,
  HistoryUpdatesDocument,
  ImageStatusDocument,
  RetryGenerationDocument,
  RevokeApiKeyDocument,
  UsageDocument,
  ViewerDocument,
} from '../../../schema/generated/operations.ts'
import { generate, make, QUICK, quick, refuse } from '../../support/generating.ts'
import type { GraphqlClient } from '../../support/graphql-client.ts'
import { untilSubscribed } from '../../support/metrics.ts'
import { openRawSocket } from '../../support/raw-websocket.ts'
import { createTestAccount, PRICED_PAINTER, startApp, type TestApp } from '../../support/start-app.ts'
import { collect, createWatchClient, watch } from '../../support/watch-client.ts'

async function createKey(client: GraphqlClient, input: CreateApiKeyInput) {
  const { createApiKey } = await client.run(CreateApiKeyDocument, { input })
  if (createApiKey.__typename !== 'CreateApiKeySuccess') throw new Error(JSON.stringify(createApiKey))
  return createApiKey
}

async function createToken(client: GraphqlClient, input: CreateTokenInput): Promise<string> {
  const { createToken: result } = await client.run(CreateTokenDocument, { input })
  if (result.__typename !== 'CreateTokenSuccess') throw new Error(JSON.stringify(result))
  return result.accessToken
}

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

describe('what belongs to someone else', () => {
  let server: TestApp
  let owner: GraphqlClient
  let adasToken: string
  let bobsToken: string
  let generationId: string
  let imageId: string
  let attemptId: string

  beforeAll(async () => {
    server = await startApp()
    owner = server.clientOf((await createTestAccount(server.app)).secret)
    adasToken = await createToken(owner, { endUser: 'ada' })
    bobsToken = await createToken(owner, { endUser: 'bob' })
    generationId = (await make(server.clientOf(adasToken), QUICK)).id
    const { generation } = await owner.run(GenerationDocument, { id: generationId })
    imageId = generation?.images[0]?.id ?? ''
    attemptId = generation?.attempts[0]?.id ?? ''
  })
  afterAll(() => server[Symbol.asyncDispose]())

  const NODES = 'query ($ids: [ID!]!, $id: ID!) { nodes(ids: $ids) { __typename id } node(id: $id) { id } }'

  async function others() {
    const stranger = await createTestAccount(server.app)
    return [
      { who: 'another end user', secret: bobsToken },
      { who: 'another account', secret: stranger.secret },
    ]
  }

  it('is there for its owner', async () => {
    const ada = server.clientOf(adasToken)
    const { data } = await ada.ask(NODES, { ids: [generationId, imageId, attemptId], id: generationId })
    expect(data).toEqual({
      nodes: [
        { __typename: 'Generation', id: generationId },
        { __typename: 'Image', id: imageId },
        { __typename: 'Attempt', id: attemptId },
      ],
      node: { id: generationId },
    })
    expect((await ada.run(HistoryDocument, {})).history.edges.map(({ node }) => node.id)).toEqual([generationId])
    expect((await owner.run(HistoryDocument, {})).history.edges.map(({ node }) => node.id)).toEqual([generationId])
  })

  it('is as if it did not exist for queries, nodes, history and usage', async () => {
    for (const { who, secret } of await others()) {
      const client = server.clientOf(secret)
      const { data, errors } = await client.ask(NODES, { ids: [generationId, imageId, attemptId], id: imageId })
      expect({ who, data, errors }).toEqual({ who, data: { nodes: [null, null, null], node: null }, errors: [] })
      expect((await client.run(GenerationDocument, { id: generationId })).generation).toBeNull()
      expect((await client.run(HistoryDocument, {})).history.edges).toEqual([])
      const range = { from: '2026-01-01T00:00:00.000Z', to: '2100-01-01T00:00:00.000Z' }
      expect((await client.run(UsageDocument, { ...range, groupBy: 'END_USER' })).usage).toEqual([])
      expect((await client.run(HistoryDocument, { filter: { endUser: 'ada' } })).history.edges).toEqual([])
    }
  })

  it('is as if it did not exist for mutations', async () => {
    for (const { secret } of await others()) {
      const client = server.clientOf(secret)
      expect(await client.run(CancelGenerationDocument, { id: generationId })).toMatchObject({
        cancelGeneration: { __typename: 'NotFoundError' },
      })
      expect(await client.run(DeleteGenerationDocument, { id: generationId })).toMatchObject({
        deleteGeneration: { __typename: 'NotFoundError' },
      })
      const retried = await client.ask(RetryGenerationDocument, { id: generationId })
      expect(retried.errors[0]?.extensions.code).toBe('NOT_FOUND')
    }
  })

  it('cannot be watched, with or without one of its cursors', async () => {
    const [first] = await collect(server.clientOf(adasToken).stream(ImageStatusDocument, { id: generationId }))
    for (const { secret } of await others()) {
      const client = createWatchClient({ url: server.wsUrl, connectionParams: { authorization: `Bearer ${secret}` } })
      for (const after of [undefined, first?.data?.imageStatus.cursor]) {
        await expect(collect(watch(client, generationId, after))).rejects.toMatchObject([
          { extensions: { code: 'NOT_FOUND' } },
        ])
      }
      await client.dispose()
    }
  })

  it('stays out of the feed of another end user', async () => {
    const feed = server.clientOf(bobsToken).stream(HistoryUpdatesDocument, {})
    const first = feed.next()
    await untilSubscribed(server.origin, 1)
    await make(server.clientOf(adasToken), QUICK)
    const { generation } = await generate(server.clientOf(bobsToken), QUICK)
    const event = await first
    expect(event.done ? null : event.value.data?.historyUpdates).toMatchObject({
      kind: 'QUEUED',
      generation: { id: generation.id },
    })
    await feed.return()
  })

  it('gives a token no other end user than its own', async () => {
    const result = await refuseOrAccept(server.clientOf(bobsToken), { ...QUICK, endUser: 'ada' })
    expect(result).not.toBe('ada')
  })

  it('keeps running generations of others out of reach of cancel', async () => {
    const { generation } = await generate(server.clientOf(adasToken), quick('delay=600000'))
    const { cancelGeneration } = await server.clientOf(bobsToken).run(CancelGenerationDocument, { id: generation.id })
    expect(cancelGeneration.__typename).toBe('NotFoundError')
    const own = await server.clientOf(adasToken).run(CancelGenerationDocument, { id: generation.id })
    expect(own.cancelGeneration).toMatchObject({ generation: { status: 'CANCELED' } })
  })
})

/** Whose the generation is that came of it; null where it was refused. */
async function refuseOrAccept(client: GraphqlClient, input: typeof QUICK & { endUser: string }) {
  const { data } = await client.ask<{ generateImage: { generation?: { endUser: string } } }>(
    'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { ... on GenerateImageSuccess { generation { endUser } } } }',
    { input },
  )
  return data?.generateImage.generation?.endUser ?? null
}
