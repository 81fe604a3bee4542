import { once } from 'node:events'
import { request } from 'node:http'
import type { Client } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openMcpClient, postMcp, quickArguments, readAnswer, readError } from '../../support/mcp.ts'
import { untilSubscribed } from '../../support/metrics.ts'
import { createTestAccount, startApp, type TestAccount, type TestApp } from '../../support/start-app.ts'

let server: TestApp
let account: TestAccount
beforeAll(async () => {
  server = await startApp({ limits: { reauthenticateMs: 20 } })
  account = await createTestAccount(server.app)
})
afterAll(() => server[Symbol.asyncDispose]())

/** It does not end by itself. */
const ENDLESS = { prompt: 'a fox [[sandbox delay=600000]]' }
const LONG = 300

async function beginEndless(client: Client, key: string): Promise<string> {
  const result = await client.callTool({ name: 'generate_image', arguments: quickArguments(key, ENDLESS) })
  return readAnswer(result).generation.id
}

/** Its wait is over, and it goes on. */
async function expectGoingOn(client: Client, id: string): Promise<void> {
  await untilSubscribed(server.origin, 0)
  const { generation } = readAnswer(await client.callTool({ name: 'get_generation', arguments: { id } }))
  expect(generation.finished).toBe(false)
  await client.callTool({ name: 'cancel_generation', arguments: { id } })
}

it.each([{ modern: false }, { modern: true }])(
  'a request that its client gives up ends the wait and not the generation (modern: $modern)',
  async ({ modern }) => {
    const client = await openMcpClient(server.origin, { secret: account.secret, modern })
    const id = await beginEndless(client, `give-up-${modern}`)
    const gaveUp = new AbortController()
    const params = { name: 'wait_for_generation', arguments: { id, wait_seconds: LONG } }
    const waiting = client.callTool(params, { signal: gaveUp.signal, timeout: 600_000 })
    await untilSubscribed(server.origin, 1)
    gaveUp.abort('enough')
    await expect(waiting).rejects.toThrow('enough')
    await expectGoingOn(client, id)
  },
)

it('a connection that drops ends the wait and not the generation', async () => {
  const client = await openMcpClient(server.origin, { secret: account.secret })
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'generate_image', arguments: quickArguments('drop', { ...ENDLESS, wait_seconds: LONG }) },
  })
  const dropped = request(new URL('/mcp', server.origin), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${account.secret}`,
    },
  })
  dropped.end(body)
  await once(dropped, 'response')
  await untilSubscribed(server.origin, 1)
  dropped.destroy()
  const { generations } = readAnswer<{ generations: { id: string }[] }>(
    await client.callTool({ name: 'list_history', arguments: { limit: 1 } }),
  )
  await expectGoingOn(client, generations[0]?.id ?? '')
  // Whoever repeats the call with its key finds the same one.
  const again = quickArguments('drop', ENDLESS)
  const result = await client.callTool({ name: 'generate_image', arguments: again })
  expect(result.structuredContent).toMatchObject({ replayed: true, generation: { id: generations[0]?.id } })
})

it('another client with the same key cannot end a wait by the number of its request', async () => {
  const client = await openMcpClient(server.origin, { secret: account.secret })
  const id = await beginEndless(client, 'same-number')
  const call = { name: 'wait_for_generation', arguments: { id, wait_seconds: LONG } }
  const message = { jsonrpc: '2.0', id: 7, method: 'tools/call', params: call }
  const headers = { authorization: `Bearer ${account.secret}` }
  const waiting = await postMcp(server.origin, message, { ...headers, 'mcp-session-id': 'one' })
  await untilSubscribed(server.origin, 1)
  const cancel = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 7 } }
  for (const label of [{}, { 'mcp-session-id': 'other' }]) {
    expect((await postMcp(server.origin, cancel, { ...headers, ...label })).status).toBe(202)
  }
  await client.callTool({ name: 'cancel_generation', arguments: { id } })
  expect(await waiting.text()).toContain('"wait_ended":"FINISHED"')
})

it('a wait ends after its time, and says that the generation goes on', async () => {
  const client = await openMcpClient(server.origin, { secret: account.secret })
  const id = await beginEndless(client, 'time-up')
  const result = await client.callTool({ name: 'wait_for_generation', arguments: { id, wait_seconds: 1 } })
  expect(result.structuredContent).toMatchObject({ wait_ended: 'TIME_UP', generation: { finished: false } })
  expect(readAnswer(result).next).toContain('goes on whether anybody waits or not')
  await expectGoingOn(client, id)
})

it('a wait ends with the key that it came with', async () => {
  const guest = await createTestAccount(server.app)
  const client = await openMcpClient(server.origin, { secret: guest.secret })
  const id = await beginEndless(client, 'revoked')
  const params = { name: 'wait_for_generation', arguments: { id, wait_seconds: LONG } }
  const waiting = client.callTool(params, { timeout: 600_000 })
  await untilSubscribed(server.origin, 1)
  await server.app.domain.apiKeys.revoke(guest.accountId, guest.keyId)
  expect(readError(await waiting)).toMatchObject({ code: 'UNAUTHENTICATED' })
  await untilSubscribed(server.origin, 0)
})

it('waits take places among the subscriptions of the account, and nothing is begun for whom there is none', async () => {
  const { secret } = await createTestAccount(server.app, { limits: { subscriptions: 1 } })
  const client = await openMcpClient(server.origin, { secret })
  const id = await beginEndless(client, 'place')
  const params = { name: 'wait_for_generation', arguments: { id, wait_seconds: LONG } }
  const waiting = client.callTool(params, { timeout: 600_000 })
  await untilSubscribed(server.origin, 1)
  const second = quickArguments('no-place', { wait_seconds: LONG })
  expect(readError(await client.callTool({ name: 'generate_image', arguments: second }))).toMatchObject({
    code: 'RATE_LIMITED',
    message: 'The account has too many subscriptions open.',
  })
  const history = await client.callTool({ name: 'list_history', arguments: {} })
  expect(history.structuredContent).toMatchObject({ generations: [{ id }] })
  await client.callTool({ name: 'cancel_generation', arguments: { id } })
  expect((await waiting).structuredContent).toMatchObject({ generation: { status: 'CANCELED' } })
})

it('a server that stops ends waits with an answer', async () => {
  const stopping = await startApp({ env: { PICTOR_DRAIN_SECONDS: '10' } })
  const client = await openMcpClient(stopping.origin)
  const args = quickArguments('stop', { ...ENDLESS, deadline_seconds: 1, wait_seconds: LONG })
  const waiting = client.callTool({ name: 'generate_image', arguments: args }, { timeout: 600_000 })
  await untilSubscribed(stopping.origin, 1)
  const stopped = stopping[Symbol.asyncDispose]()
  expect((await waiting).structuredContent).toMatchObject({
    wait_ended: 'SERVER_STOPS',
    generation: { finished: false },
  })
  await client.close()
  await stopped
})
