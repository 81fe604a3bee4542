import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { CreateWebhookEndpointDocument, WebhookEndpointsDocument } from '../../schema/generated/operations.ts'
import { PAUSES_MS } from '../../src/webhooks/delivery-schedule.ts'
import { assertInvariantsOf } from '../support/data-directory.ts'
import { generate, make, QUICK } from '../support/generating.ts'
import { createGraphqlClient } from '../support/graphql-client.ts'
import { startReceiver } from '../support/receiver.ts'
import { startServerProcess } from '../support/server-process.ts'
import { createSkippingClock } from '../support/skipping-clock.ts'
import { startApp } from '../support/start-app.ts'
import { subscribe, untilDelivery } from '../support/webhooks.ts'

async function open() {
  const receiver = await startReceiver()
  const dataDir = await mkdtemp(join(tmpdir(), 'pictor-webhooks-'))
  const server = await startServerProcess({ PICTOR_DATA_DIR: dataDir, PICTOR_WEBHOOK_ORIGINS: receiver.origin })
  onTestFinished(async () => {
    await server[Symbol.asyncDispose]()
    await receiver[Symbol.asyncDispose]()
    await rm(dataDir, { recursive: true, force: true })
  })
  const client = createGraphqlClient({ url: server.url })
  // What was on its way to the provider at the moment of a kill ends as a failure.
  const input = { url: receiver.url, events: ['GENERATION_COMPLETED', 'GENERATION_FAILED'] as const }
  await client.run(CreateWebhookEndpointDocument, { input })
  return { receiver, server, client, dataDir }
}

it('F36 sends a message again under its id when the server dies after it arrived and before that was written down', async () => {
  const { receiver, server, client, dataDir } = await open()
  // It arrives, and its answer does not come before the server is dead.
  receiver.script(() => undefined)
  const { id } = await make(client, QUICK)
  await receiver.until(1)
  await server.kill('SIGKILL')
  await server.restart()
  const messages = await receiver.until(2)
  expect(messages.map(({ headers }) => headers['webhook-id'])).toEqual(
    Array(2).fill(messages[0]?.headers['webhook-id']),
  )
  for (const { body } of messages) expect(JSON.parse(body).data.generationId).toBe(id)
  expect(await server.kill('SIGTERM')).toBe(0)
  await assertInvariantsOf(dataDir)
})

it('loses no message of any generation over a stream of kills', async () => {
  const { receiver, server, client, dataDir } = await open()
  const asked = new Set<string>()
  for (let round = 0; round < 3; round += 1) {
    for (let each = 0; each < 5; each += 1) asked.add((await generate(client, QUICK)).generation.id)
    await server.kill('SIGKILL')
    await server.restart()
  }
  const told = () => new Set(receiver.received.map(({ body }) => JSON.parse(body).data.generationId))
  for (let count = 1; told().size < asked.size; count += 1) await receiver.until(count)
  expect(told()).toEqual(asked)
  const { viewer } = await client.run(WebhookEndpointsDocument, { first: 20 })
  expect(viewer.account.webhookEndpoints[0]?.deliveries.nodes).toHaveLength(asked.size)
  expect(await server.kill('SIGTERM')).toBe(0)
  await assertInvariantsOf(dataDir)
})

it('F35 a receiver that redirects, breaks off and refuses gets a message once it answers, under one message id', async () => {
  const clock = createSkippingClock()
  await using receiver = await startReceiver()
  const env = { PICTOR_WEBHOOK_ORIGINS: receiver.origin }
  await using app = await startApp({ env, clock, leaseMs: 1e9, pollMs: 10, random: () => 0 })
  const { client } = app
  await subscribe(client, receiver.url)
  receiver.script(500, 301, 429, (response) => response.destroy(), 404)
  await make(client, QUICK)
  for (const [index, pause] of PAUSES_MS.slice(0, 5).entries()) {
    await receiver.until(index + 1)
    const waiting = await untilDelivery(
      client,
      ({ attempts, lastError }) => attempts === index + 1 && lastError !== null,
    )
    expect(waiting).toMatchObject({ state: 'PENDING', deliveredAt: null })
    expect(receiver.received).toHaveLength(index + 1)
    clock.moveOn(pause)
  }
  const delivered = await untilDelivery(client, ({ state }) => state === 'DELIVERED')
  expect(delivered).toMatchObject({ attempts: 6, lastResponseStatus: 204, lastError: null, nextAttemptAt: null })
  expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id']))).toEqual(new Set([delivered.messageId]))
  expect(receiver.received).toHaveLength(6)
})
