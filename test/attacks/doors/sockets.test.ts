import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CreateTokenDocument } from '../../../schema/generated/operations.ts'
import type { TransportLimits } from '../../../src/transport/limits.ts'
import { readMetric, untilSubscribed } from '../../support/metrics.ts'
import { openRawSocket, type RawMessage } from '../../support/raw-websocket.ts'
import { createTestAccount, startApp, type TestAccount, type TestApp } from '../../support/start-app.ts'

/** As the server has them, but for times, so that nobody waits. */
const LIMITS: Partial<TransportLimits> = {
  initMs: 200,
  reauthenticateMs: 400,
  headersMs: 300,
  requestMs: 600,
  keepAliveMs: 300,
  timeoutCheckMs: 50,
}
const WATCH = 'subscription { historyUpdates { kind } }'

let server: TestApp
let account: TestAccount
beforeAll(async () => {
  server = await startApp({ limits: LIMITS })
  account = await createTestAccount(server.app)
})
afterAll(() => server[Symbol.asyncDispose]())

const operation = (id: string, query: string): RawMessage => ({ type: 'subscribe', id, payload: { query } })

test('A21 an operation before the first message, two first messages, garbage, a frame of 300 KB, an id in use and silence each end the socket with a code of their own', async () => {
  const init = { type: 'connection_init', payload: { token: account.secret } }
  const attacks: [code: number, messages: (RawMessage | string)[]][] = [
    [4401, [operation('1', '{ __typename }')]],
    [4429, [init, init]],
    [4400, ['garbage']],
    [4400, ['{"type":"nonsense"}']],
    [4400, ['[]']],
    [4400, ['{"type":"subscribe","id":"","payload":{"query":"{a}"}}']],
    [1009, ['x'.repeat(300_000)]],
    [4403, [{ type: 'connection_init', payload: { token: 'pk_nobody' } }]],
    [4408, []],
  ]
  for (const [code, messages] of attacks) {
    const raw = await openRawSocket(server.wsUrl)
    for (const message of messages) raw.send(message)
    expect((await raw.closed).code, JSON.stringify(messages).slice(0, 100)).toBe(code)
  }
  const raw = await openRawSocket(server.wsUrl)
  await raw.init(init.payload)
  for (let n = 0; n < 2; n++) raw.send(operation('1', WATCH))
  expect((await raw.closed).code).toBe(4409)
})

test('A21 of 10,000 subscriptions on one socket the first hundred run, the others are refused one by one, and all of them end with it', async () => {
  const raw = await openRawSocket(server.wsUrl)
  await raw.init({ token: account.secret })
  for (let n = 0; n < 10_000; n++) raw.send(operation(String(n), WATCH))
  let refused = 0
  while (refused < 9_900) {
    const message = await raw.next()
    expect(message).toMatchObject({ type: 'error', payload: [{ extensions: { code: 'RATE_LIMITED' } }] })
    refused += 1
  }
  await untilSubscribed(server.origin, 100)
  // The socket lives: what ends makes room.
  raw.send({ type: 'complete', id: '0' })
  raw.send(operation('again', '{ viewer { endUser } }'))
  expect(await raw.next()).toMatchObject({ type: 'next', id: 'again' })
  raw.socket.terminate()
  await untilSubscribed(server.origin, 0)
})

test('A21 a token that ends and a key that is revoked in the middle of a stream end the socket with 4403, and the event stream', async () => {
  const { secret, accountId, keyId } = await createTestAccount(server.app)
  const { createToken } = await server.clientOf(secret).run(CreateTokenDocument, { input: { expiresInSeconds: 2 } })
  if (createToken.__typename !== 'CreateTokenSuccess') throw new Error(JSON.stringify(createToken))
  const ofToken = await openRawSocket(server.wsUrl)
  await ofToken.init({ token: createToken.accessToken })
  ofToken.send(operation('1', WATCH))
  expect((await ofToken.closed).code).toBe(4403)

  const ofKey = await openRawSocket(server.wsUrl)
  await ofKey.init({ token: secret })
  ofKey.send(operation('1', WATCH))
  const stream = await fetch(server.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', authorization: `Bearer ${secret}` },
    body: JSON.stringify({ query: WATCH }),
  })
  await untilSubscribed(server.origin, 2)
  await server.app.domain.apiKeys.revoke(accountId, keyId)
  expect((await ofKey.closed).code).toBe(4403)
  // Without `complete`: the client is to come back, and learns then.
  expect(await stream.text()).not.toContain('event: complete')
  await untilSubscribed(server.origin, 0)
})

test('A22 a syntax error, an invalid document and a failing one leave the other operations of their socket alone', async () => {
  const raw = await openRawSocket(server.wsUrl)
  await raw.init({ token: account.secret })
  raw.send(operation('healthy', WATCH))
  await untilSubscribed(server.origin, 1)
  const broken = [
    '{',
    '{ nope }',
    'subscription { imageStatus(id: "gen_none") { kind } }',
    'subscription { a: historyUpdates { kind } b: historyUpdates { kind } }',
    '',
    'mutation { generateImage(input: {}) { __typename } }',
  ]
  for (const [n, query] of broken.entries()) {
    raw.send(operation(`broken ${n}`, query))
    expect(await raw.next(), query).toMatchObject({ id: `broken ${n}`, type: expect.stringMatching(/^(error|next)$/) })
  }
  const made = { query: 'mutation { generateImage(input: { prompt: "a fox", size: "64x64" }) { __typename } }' }
  await fetch(server.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${account.secret}` },
    body: JSON.stringify(made),
  })
  let message = await raw.next()
  while (message.id !== 'healthy') message = await raw.next()
  expect(message).toMatchObject({ type: 'next', payload: { data: { historyUpdates: { kind: 'QUEUED' } } } })
  raw.socket.terminate()
  await untilSubscribed(server.origin, 0)
})

test('A23 1,000 subscriptions by callers that take no stream are answered with 406, and none of them is left behind', async () => {
  const accepts = [
    'application/json',
    'application/graphql-response+json',
    'multipart/mixed',
    'multipart/mixed;boundary="graphql";subscriptionSpec=1.0,application/json',
  ]
  for (let round = 0; round < 50; round++) {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        fetch(server.url, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            accept: accepts[n % 4] ?? '',
            authorization: `Bearer ${account.secret}`,
          },
          body: JSON.stringify({ query: WATCH }),
        }),
      ),
    )
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([406]))
    await Promise.all(answers.map((answer) => answer.text()))
  }
  expect(await readMetric(server.origin, 'pictor_subscriptions')).toBe(0)
})

function connect(text: string): Socket {
  const socket = createConnection(Number(new URL(server.url).port), '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(text)
  socket.resume()
  return socket
}

test('A24 those that send their headers or their body a byte at a time, or nothing, are cut off', async () => {
  const slow = [
    '',
    'POST /graphql HTTP/1.1\r\nhost: x\r\n',
    'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{',
    'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{\r\n',
  ]
  await Promise.all(
    slow.map(async (text) => {
      const socket = connect(text)
      const dribble = setInterval(() => text && socket.write('x'), 20)
      await once(socket, 'close')
      clearInterval(dribble)
    }),
  )
})

test('A24 2,000 connections that are kept and not used are closed, and others are answered meanwhile', async () => {
  const { port, hostname } = new URL(server.url)
  const idle = Array.from({ length: 2_000 }, () =>
    connect(`GET /healthz HTTP/1.1\r\nhost: ${hostname}:${port}\r\n\r\n`),
  )
  const closed = idle.map((socket) => once(socket, 'close'))
  expect(await server.clientOf(account.secret).ask('{ viewer { endUser } }')).toMatchObject({ status: 200 })
  await Promise.all(closed)
})
