import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { CreateWebhookEndpointDocument, UpdateWebhookEndpointDocument } from '../../schema/generated/operations.ts'
import { make, QUICK, refuse } from '../support/generating.ts'
import type { GraphqlClient } from '../support/graphql-client.ts'
import { type Receiver, startReceiver } from '../support/receiver.ts'
import { createTestAccount, startApp, type TestApp } from '../support/start-app.ts'
import { subscribe, untilDelivery } from '../support/webhooks.ts'

const PRIVATE_URLS = [
  'https://127.0.0.1/',
  'https://localhost/',
  'https://0/',
  'https://127.1/',
  'https://2130706433/',
  'https://0x7f.1/',
  'https://0177.0.0.1/',
  'https://[::1]/',
  'https://[::ffff:127.0.0.1]/',
  'https://169.254.169.254/latest/meta-data/',
  'https://[fd00::1]/',
  'https://100.64.0.1/',
  'https://192.0.0.192/',
  'https://[64:ff9b::7f00:1]/',
  'https://metadata.google.internal/',
]

let receiver: Receiver
let server: TestApp

beforeAll(async () => {
  receiver = await startReceiver()
  server = await startApp({ env: { PICTOR_WEBHOOK_ORIGINS: receiver.origin }, pollMs: 10 })
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await receiver[Symbol.asyncDispose]()
})

let url: string
let client: GraphqlClient
beforeEach(async () => {
  client = server.clientOf((await createTestAccount(server.app)).secret)
  url = `${receiver.origin}/${crypto.randomUUID()}`
})

it('A25 webhooks to addresses that are not public are refused, in the same words', async () => {
  const messages = new Set<string>()
  for (const given of PRIVATE_URLS) {
    const input = { url: given, events: ['GENERATION_FAILED'] as const }
    const { createWebhookEndpoint: refused } = await client.run(CreateWebhookEndpointDocument, { input })
    if (refused.__typename !== 'InvalidInputError') throw new Error(`${given} was taken.`)
    for (const { path, message } of refused.fields) messages.add(`${path} ${message}`)
    const { fields } = await refuse(client, 'InvalidInputError', { ...QUICK, webhookUrl: given })
    expect(fields).toMatchObject([{ path: 'webhookUrl', message: 'It must be a public address.' }])
  }
  expect([...messages]).toEqual(['input.url It must be a public address.'])
})

it.each(['127.0.0.1', 'pictures.example'])(
  'A25 a webhook to the server itself is not sent, where the server is called %s',
  async (hostname) => {
    await using itself = await startReceiver()
    const publicUrl = itself.origin.replace('127.0.0.1', hostname)
    await using own = await startApp({
      env: { PUBLIC_URL: publicUrl, PICTOR_WEBHOOK_ORIGINS: itself.origin },
      pollMs: 10,
    })
    const caller = own.clientOf((await createTestAccount(own.app)).secret)
    await subscribe(caller, itself.url)
    await make(caller, QUICK)
    const latest = await untilDelivery(caller, ({ attempts, lastError }) => attempts === 1 && lastError !== null)
    expect(latest).toMatchObject({ state: 'PENDING', lastResponseStatus: null })
    expect(itself.received).toEqual([])
  },
)

it('A28 webhooks with credentials, other schemes or line breaks in the address are refused, also by a change', async () => {
  const { id } = await subscribe(client, url)
  const given = [
    'https://a:b@app.example.com/',
    'gopher://app.example.com/',
    'http://app.example.com/',
    'https://a.b\r\nc/',
  ]
  for (const each of given) {
    const answer = await client.ask(UpdateWebhookEndpointDocument, { id, input: { url: each } })
    const typename = answer.data?.updateWebhookEndpoint.__typename ?? 'BAD_USER_INPUT'
    expect({ each, typename }).toEqual({ each, typename: expect.stringMatching(/InvalidInputError|BAD_USER_INPUT/) })
  }
})

it('A29 a receiver that redirects to this server is not followed, and one that answers without end is cut off', async () => {
  await subscribe(client, url)
  receiver.script((response) => response.writeHead(307, { location: server.url }).end())
  await make(client, QUICK)
  const redirected = await untilDelivery(client, ({ attempts, lastError }) => attempts === 1 && lastError !== null)
  expect(redirected).toMatchObject({ state: 'PENDING', lastResponseStatus: 307 })
  let gone = false
  receiver.script((response) => {
    response.on('close', () => {
      gone = true
    })
    response.writeHead(200, { 'content-length': String(10 * 1024 ** 3) })
    const flood = () => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536)));
      if (!response.destroyed) response.once('drain', flood)
    }
    flood()
  })
  const { id } = await make(client, { ...QUICK, webhookUrl: url })
  await expect.poll(() => gone).toBe(true)
  expect(receiver.received.some(({ body }) => body.includes(id))).toBe(true)
})

it('A48 what a receiver is sent has ids and headers of ours alone, whatever callers write', async () => {
  const before = receiver.received.length
  const evil = 'x.y\r\nwebhook-id: forged'
  const { id } = await make(client, {
    ...QUICK,
    webhookUrl: url,
    metadata: { evil },
    tags: ['webhook-id: forged'],
  })
  const messages = (await receiver.until(before + 2)).slice(before).filter(({ body }) => body.includes(id))
  for (const { headers, body } of messages) {
    expect(headers['webhook-id']).toMatch(/^msg_[0-9a-f]{32}$/)
    expect(headers['webhook-timestamp']).toMatch(/^\d+$/)
    expect(JSON.parse(body).data.metadata).toEqual({ evil })
  }
  expect(messages.length).toBeGreaterThan(0)
})
