import { once } from 'node:events'
import { type ClientRequest, createServer, request, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { sendWebResponse, toWebRequest } from '../../../../src/transport/mcp/web-exchange.ts'

let server: Server
let respond: (response: ServerResponse) => Promise<void>
let answered: PromiseWithResolvers<ServerResponse>
beforeEach(async () => {
  answered = Promise.withResolvers()
  server = createServer((_request, response) => {
    void respond(response).finally(() => answered.resolve(response))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterEach(() => {
  server.closeAllConnections()
  server.close()
})

/** Asked, and read only where the test reads. */
function ask(): ClientRequest {
  const { port } = server.address() as AddressInfo
  const asked = request({ port, host: '127.0.0.1' })
  asked.on('error', () => undefined)
  // Without a listener Node would read it all and throw it away.
  asked.on('response', () => undefined)
  asked.end()
  return asked
}

/** Far more than sockets hold, in pieces; counts what was taken out of it. */
function createFlood() {
  const flood = { taken: 0, canceled: false }
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      flood.taken += 1
      if (flood.taken > 4_000) controller.close()
      else controller.enqueue(new Uint8Array(65_536))
    },
    cancel() {
      flood.canceled = true
    },
  })
  return { flood, body }
}

it('an answer is handed on with status, headers and all of its body', async () => {
  respond = (response) =>
    sendWebResponse(new Response('words', { status: 400, headers: { 'x-a': 'b' } }), response, 1_000)
  const [heard] = await once(ask(), 'response')
  expect([heard.statusCode, heard.headers['x-a']]).toEqual([400, 'b'])
  expect(Buffer.concat(await heard.toArray()).toString()).toBe('words')
})

it('is written no faster than it is read, and a reader who takes nothing is cut off', async () => {
  const { flood, body } = createFlood()
  respond = (response) => sendWebResponse(new Response(body), response, 50)
  ask()
  const response = await answered.promise
  expect(response.destroyed).toBe(true)
  expect(flood.canceled).toBe(true)
  expect(flood.taken).toBeLessThan(1_000)
})

it('ends when its reader goes', async () => {
  const { flood, body } = createFlood()
  respond = (response) => sendWebResponse(new Response(body), response, 60_000)
  const asked = ask()
  await once(asked, 'response')
  asked.destroy()
  await answered.promise
  expect(flood.canceled).toBe(true)
})

it('a request is handed in without its credentials', () => {
  const headers = { authorization: 'Bearer pk_1', accept: 'application/json', 'mcp-protocol-version': '2025-11-25' }
  const { signal } = new AbortController()
  const handed = toWebRequest({ headers } as never, signal)
  expect(Object.fromEntries(handed.headers)).toEqual({
    accept: 'application/json',
    'mcp-protocol-version': '2025-11-25',
  })
})
