import { Webhook } from 'standardwebhooks'
import { Webhook as SvixWebhook } from 'svix'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  CreateTokenDocument,
  CreateWebhookEndpointDocument,
  DeleteWebhookEndpointDocument,
  GenerationDocument,
  RedeliverWebhookDocument,
  RotateWebhookSecretDocument,
  UpdateWebhookEndpointDocument,
} from '../../schema/generated/operations.ts'
import type { Clock } from '../../src/clock.ts'
import { PATIENCE_MS, PAUSES_MS } from '../../src/webhooks/delivery-schedule.ts'
import { generate, make, QUICK, quick, refuse } from '../support/generating.ts'
import type { GraphqlClient } from '../support/graphql-client.ts'
import { type Received, type Receiver, startReceiver } from '../support/receiver.ts'
import { createSkippingClock } from '../support/skipping-clock.ts'
import { createTestAccount, PRICED_PAINTER, startApp, type TestApp } from '../support/start-app.ts'
import { ENDS, headersOf, lookAtEndpoint, subscribe, untilDelivery } from '../support/webhooks.ts'

type Stage = { readonly server: TestApp; readonly receiver: Receiver; readonly client: GraphqlClient }

async function open(clock?: Clock): Promise<Stage> {
  const receiver = await startReceiver()
  const server = await startApp({
    env: { PICTOR_WEBHOOK_ORIGINS: receiver.origin },
    models: [PRICED_PAINTER],
    pollMs: 10,
    random: () => 0,
    ...(clock && { clock, leaseMs: 1e9 }),
  })
  onTestFinished(async () => {
    await server[Symbol.asyncDispose]()
    await receiver[Symbol.asyncDispose]()
  })
  return { server, receiver, client: server.client }
}

function readData(message: Received | undefined) {
  return JSON.parse(message?.body ?? '{}')
}

describe('A webhook endpoint', () => {
  it('is told of the start and the end, by messages that two libraries take for genuine', async () => {
    const { client, receiver } = await open()
    const { secret } = await subscribe(client, receiver.url, ['GENERATION_STARTED', ...ENDS])
    const input = { ...QUICK, count: 2, tags: ['shop'], metadata: { order: 7 } }
    const { id } = await make(client, input)
    const messages = await receiver.until(2)
    for (const message of messages) {
      expect(new Webhook(secret).verify(message.body, headersOf(message))).toMatchObject({ data: { generationId: id } })
      expect(() => new SvixWebhook(secret).verify(message.body, headersOf(message))).not.toThrow()
      expect(message.headers['content-type']).toBe('application/json')
      expect(message.body).not.toContain(QUICK.prompt)
    }
    const told = messages.map(readData).toSorted((one, other) => one.data.sequence - other.data.sequence)
    expect(told.map(({ type }) => type)).toEqual(['generation.started', 'generation.completed'])
    expect(told[0].data).toMatchObject({ status: 'RUNNING', previousStatus: 'QUEUED', images: [], finishedAt: null })
    const { data } = told[1]
    expect(data).toMatchObject({
      status: 'COMPLETED',
      sequence: 5,
      tags: ['shop'],
      metadata: { order: 7 },
      error: null,
    })
    expect(data.cost.charged).toMatchObject({ amount: '0.080000', currency: 'USD' })
    expect(data.images).toMatchObject([
      { index: 0, width: 64 },
      { index: 1, width: 64 },
    ])
    for (const { url } of data.images) expect((await fetch(url)).status).toBe(200)
  })

  it('can tell a message that was changed, or that comes again much later', async () => {
    const { client, receiver } = await open()
    const { secret } = await subscribe(client, receiver.url)
    await make(client, QUICK)
    const [message] = await receiver.until(1)
    if (!message) throw new Error('Nothing came.')
    const headers = headersOf(message)
    for (const library of [new Webhook(secret), new SvixWebhook(secret)]) {
      expect(() => library.verify(`${message.body} `, headers)).toThrow()
      const old = { ...headers, 'webhook-timestamp': String(Number(headers['webhook-timestamp']) - 301) }
      expect(() => library.verify(message.body, old)).toThrow()
    }
  })

  it('is told of a failure with its reason, and of nothing that it did not ask for', async () => {
    const { client, receiver } = await open()
    await subscribe(client, receiver.url, ['GENERATION_FAILED'])
    await make(client, QUICK)
    await make(client, quick('fail=refused'))
    const [only] = await receiver.until(1)
    expect(readData(only)).toMatchObject({
      type: 'generation.failed',
      data: { status: 'FAILED', images: [], error: { code: 'REFUSED', billed: false } },
    })
    expect((await lookAtEndpoint(client)).deliveries).toHaveLength(1)
  })

  it('is left alone from the day on which it says 410, and what waits for it is given up', async () => {
    const { client, receiver } = await open()
    await subscribe(client, receiver.url)
    receiver.script(410)
    await make(client, QUICK)
    await untilDelivery(client, ({ state }) => state === 'FAILED')
    await make(client, QUICK)
    expect(await lookAtEndpoint(client)).toMatchObject({
      state: 'DISABLED_BY_FAILURES',
      deliveries: [{ state: 'FAILED', lastResponseStatus: 410 }],
    })
    expect(receiver.received).toHaveLength(1)
  })

  it('is disabled when nothing has arrived for days, and starts afresh when it is enabled', async () => {
    const clock = createSkippingClock()
    const { client, receiver } = await open(clock)
    const { id } = await subscribe(client, receiver.url)
    receiver.script(500, 500)
    await make(client, QUICK)
    await untilDelivery(client, ({ lastError }) => lastError !== null)
    clock.moveOn(PATIENCE_MS)
    await untilDelivery(client, ({ state }) => state === 'FAILED')
    expect((await lookAtEndpoint(client)).state).toBe('DISABLED_BY_FAILURES')
    await client.run(UpdateWebhookEndpointDocument, { id, input: { enabled: true } })
    const before = receiver.received.length
    await make(client, QUICK)
    await receiver.until(before + 1)
    expect((await lookAtEndpoint(client)).state).toBe('ACTIVE')
  })

  it('holds up nobody else when it does not answer', async () => {
    const { client, receiver } = await open()
    await subscribe(client, `${receiver.origin}/slow`)
    receiver.script(...Array.from({ length: 4 }, () => () => undefined))
    for (let times = 0; times < 5; times += 1) await make(client, QUICK)
    await receiver.until(4)
    await subscribe(client, `${receiver.origin}/quick`)
    const { id } = await make(client, QUICK)
    const messages = await receiver.until(5)
    expect(readData(messages[4]).data.generationId).toBe(id)
  })

  it('has both secrets sign after a rotation', async () => {
    const { client, receiver } = await open()
    const { id, secret } = await subscribe(client, receiver.url)
    const { rotateWebhookSecret: rotated } = await client.run(RotateWebhookSecretDocument, { id })
    if (rotated.__typename !== 'RotateWebhookSecretSuccess') throw new Error(JSON.stringify(rotated))
    expect(rotated.signingSecret).not.toBe(secret)
    await make(client, QUICK)
    const [message] = await receiver.until(1)
    if (!message) throw new Error('Nothing came.')
    for (const each of [secret, rotated.signingSecret]) {
      expect(new Webhook(each).verify(message.body, headersOf(message))).toBeDefined()
    }
  })

  it('is sent a message again by hand, under the same id', async () => {
    const { client, receiver } = await open()
    await subscribe(client, receiver.url)
    await make(client, QUICK)
    const { id, messageId } = await untilDelivery(client, ({ state }) => state === 'DELIVERED')
    const { redeliverWebhook } = await client.run(RedeliverWebhookDocument, { id })
    expect(redeliverWebhook).toMatchObject({ delivery: { id, messageId, state: 'PENDING' } })
    const messages = await receiver.until(2)
    expect(messages.map(({ headers }) => headers['webhook-id'])).toEqual([messageId, messageId])
    expect(await untilDelivery(client, ({ state }) => state === 'DELIVERED')).toMatchObject({ attempts: 2 })
  })

  it('gets nothing more once it is deleted or disabled', async () => {
    const { client, receiver } = await open()
    const { id } = await subscribe(client, receiver.url)
    await client.run(UpdateWebhookEndpointDocument, { id, input: { enabled: false } })
    await make(client, QUICK)
    expect(await lookAtEndpoint(client)).toMatchObject({ state: 'DISABLED_BY_OWNER', deliveries: [] })
    expect(await client.run(DeleteWebhookEndpointDocument, { id })).toEqual({
      deleteWebhookEndpoint: { __typename: 'DeleteWebhookEndpointSuccess', id },
    })
    expect((await client.run(DeleteWebhookEndpointDocument, { id })).deleteWebhookEndpoint.__typename).toBe(
      'NotFoundError',
    )
  })

  it('is refused with each fault of the request named', async () => {
    const { client } = await open()
    const input = { url: 'http://127.0.0.1/hooks', events: [] }
    const { createWebhookEndpoint: refused } = await client.run(CreateWebhookEndpointDocument, { input })
    expect(refused).toMatchObject({
      __typename: 'InvalidInputError',
      fields: [
        { path: 'input.url', message: 'It must begin with https://.' },
        { path: 'input.events', allowed: ['GENERATION_STARTED', ...ENDS] },
      ],
    })
  })

  it('belongs to one account, as do its messages', async () => {
    const { server, receiver } = await open()
    const [mine, other] = [await createTestAccount(server.app), await createTestAccount(server.app)]
    const [client, stranger] = [server.clientOf(mine.secret), server.clientOf(other.secret)]
    const { id } = await subscribe(client, receiver.url)
    await make(client, QUICK)
    const delivery = await untilDelivery(client, ({ state }) => state === 'DELIVERED')
    await make(stranger, QUICK)
    const answers = [
      (await stranger.run(RotateWebhookSecretDocument, { id })).rotateWebhookSecret,
      (await stranger.run(DeleteWebhookEndpointDocument, { id })).deleteWebhookEndpoint,
      (await stranger.run(UpdateWebhookEndpointDocument, { id, input: {} })).updateWebhookEndpoint,
      (await stranger.run(RedeliverWebhookDocument, { id: delivery.id })).redeliverWebhook,
    ]
    for (const answer of answers) expect(answer.__typename).toBe('NotFoundError')
    const nodes = await stranger.ask<{ nodes: unknown[] }>('query($ids: [ID!]!) { nodes(ids: $ids) { id } }', {
      ids: [id, delivery.id],
    })
    expect(nodes.data?.nodes).toEqual([null, null])
    expect(receiver.received).toHaveLength(1)
  })
})

describe('An address that comes with a generation', () => {
  it('is told of this one, signed with a secret that the caller is given', async () => {
    const { client, receiver } = await open()
    const webhookUrl = receiver.url
    const first = await generate(client, { ...QUICK, webhookUrl, idempotencyKey: 'one' })
    const secret = first.webhookSecret ?? ''
    await make(client, QUICK)
    const messages = await receiver.until(2)
    for (const message of messages) {
      expect(new Webhook(secret).verify(message.body, headersOf(message))).toMatchObject({
        data: { generationId: first.generation.id },
      })
    }
    const replay = await generate(client, { ...QUICK, webhookUrl, idempotencyKey: 'one' })
    expect(replay).toMatchObject({ replayed: true, webhookSecret: secret })
    expect((await generate(client, QUICK)).webhookSecret).toBeNull()
  })

  it('is refused where it is not public, and to an access token', async () => {
    const { server, client, receiver } = await open()
    const refused = await refuse(client, 'InvalidInputError', { ...QUICK, webhookUrl: 'https://10.0.0.1/hooks' })
    expect(refused.fields).toMatchObject([{ path: 'webhookUrl', message: 'It must be a public address.' }])
    const both = await refuse(client, 'InvalidInputError', {
      ...QUICK,
      prompt: ' ',
      webhookUrl: 'https://10.0.0.1/hooks',
    })
    expect(both.fields.map(({ path }) => path)).toEqual(['prompt', 'webhookUrl'])
    const { createToken } = await client.run(CreateTokenDocument, { input: { endUser: 'ann' } })
    if (createToken.__typename !== 'CreateTokenSuccess') throw new Error(JSON.stringify(createToken))
    const ann = server.clientOf(createToken.accessToken)
    const token = await refuse(ann, 'InvalidInputError', { ...QUICK, webhookUrl: receiver.url })
    expect(token.fields).toMatchObject([{ path: 'webhookUrl' }])
  })

  it('is told that a generation is gone which was deleted before the message arrived', async () => {
    const clock = createSkippingClock()
    const { client, receiver } = await open(clock)
    receiver.script(500, 500)
    const { generation } = await generate(client, { ...QUICK, webhookUrl: receiver.url })
    await receiver.until(2)
    await client.ask('mutation($id: ID!) { deleteGeneration(id: $id) { __typename } }', { id: generation.id })
    expect((await client.run(GenerationDocument, { id: generation.id })).generation).toBeNull()
    clock.moveOn(PAUSES_MS[0] ?? 0)
    const late = (await receiver.until(4)).slice(2).map(readData)
    for (const { data } of late) expect(data).toMatchObject({ generationId: generation.id, deleted: true })
  })
})
