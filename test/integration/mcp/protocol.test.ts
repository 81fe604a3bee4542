import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { postMcp } from '../../support/mcp.ts'
import { createTestAccount, startApp, type TestApp } from '../../support/start-app.ts'

let server: TestApp
let headers: Record<string, string>
beforeAll(async () => {
  server = await startApp()
  const { secret } = await createTestAccount(server.app)
  headers = { authorization: `Bearer ${secret}` }
})
afterAll(() => server[Symbol.asyncDispose]())

const post = (body: unknown, more: Record<string, string> = {}) => postMcp(server.origin, body, { ...headers, ...more })

/** The one message of an answer, whether it comes as a stream or as JSON. */
async function readMessage(response: Response) {
  const text = await response.text()
  return JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? text)
}

function initialize(protocolVersion: string) {
  const params = { protocolVersion, capabilities: {}, clientInfo: { name: 'test', version: '1' } }
  return { jsonrpc: '2.0', id: 1, method: 'initialize', params }
}

describe('the handshake', () => {
  it.each(['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'])('agrees on %s', async (version) => {
    const response = await post(initialize(version))
    expect(response.headers.get('mcp-session-id')).toMatch(/^[\w-]{16,}$/)
    expect(await readMessage(response)).toMatchObject({
      id: 1,
      result: {
        protocolVersion: version,
        serverInfo: { name: 'pictor', title: 'Pictor' },
        capabilities: { tools: { listChanged: false }, resources: { listChanged: false } },
      },
    })
  })

  it('offers the newest that it speaks to a client of a version that nobody knows', async () => {
    expect(await readMessage(await post(initialize('2031-01-01')))).toMatchObject({
      result: { protocolVersion: '2025-11-25' },
    })
  })

  it('is not needed: any message may be the first, and a label that nobody handed out is taken', async () => {
    const ping = { jsonrpc: '2.0', id: 'a', method: 'ping' }
    expect(await readMessage(await post(ping))).toEqual({ jsonrpc: '2.0', id: 'a', result: {} })
    expect((await post(ping, { 'mcp-session-id': 'of another process' })).status).toBe(200)
  })

  it('refuses a version in the header that it does not speak, and names those that it does', async () => {
    const response = await post({ jsonrpc: '2.0', id: 1, method: 'ping' }, { 'mcp-protocol-version': '1999-01-01' })
    expect(response.status).toBe(400)
    expect((await readMessage(response)).error.message).toContain('2025-11-25')
  })
})

describe('what is no message', () => {
  it.each(['GET', 'DELETE', 'PUT', 'HEAD'])('%s is answered with 405, for there is no session', async (method) => {
    const response = await fetch(new URL('/mcp', server.origin), { method, headers })
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST'])
  })

  it('text, a form and no type at all are refused as media types', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
      expect((await post('{}', { 'content-type': type })).status, type).toBe(415)
    }
  })

  it.each([
    ['what is not JSON', '{"jsonrpc":', -32700],
    ['nothing', '', -32700],
    ['a batch', [{ jsonrpc: '2.0', id: 1, method: 'ping' }], -32600],
    ['a number', '7', -32600],
    ['a key that names the prototype', '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"__proto__":{}}}', -32600],
    ['JSON of forty levels', `${'{"a":'.repeat(40)}1${'}'.repeat(40)}`, -32600],
  ])('%s is refused', async (_what, body, code) => {
    const response = await post(body)
    expect(response.status).toBe(400)
    expect(await readMessage(response)).toMatchObject({ jsonrpc: '2.0', id: null, error: { code } })
  })

  it('a message of another form is refused by the protocol', async () => {
    expect((await post({ hello: 'you' })).status).toBe(400)
  })

  it('a longer one than a mebibyte is refused', async () => {
    const response = await post({ jsonrpc: '2.0', id: 1, method: 'ping', params: { a: 'x'.repeat(1_048_576) } })
    expect(response.status).toBe(413)
    expect(await readMessage(response)).toMatchObject({ error: { data: { code: 'REQUEST_ENTITY_TOO_LARGE' } } })
  })

  it('bytes that are not UTF-8 are refused', async () => {
    const body = Buffer.concat([
      Buffer.from('{"jsonrpc":"2.0","id":1,"method":"'),
      Buffer.from([0xff]),
      Buffer.from('"}'),
    ])
    const response = await fetch(new URL('/mcp', server.origin), {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body,
    })
    expect(response.status).toBe(400)
  })
})

describe('what is not offered', () => {
  it.each(['prompts/list', 'logging/setLevel', 'completion/complete', 'tasks/list', 'tools/delete'])(
    '%s is no method',
    async (method) => {
      expect(await readMessage(await post({ jsonrpc: '2.0', id: 1, method, params: {} }))).toHaveProperty('error')
    },
  )

  it('nobody listens for changes of what never changes', async () => {
    const meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': {},
    }
    const params = { notifications: { toolsListChanged: true }, _meta: meta }
    const listen = { jsonrpc: '2.0', id: 1, method: 'subscriptions/listen', params }
    const response = await post(listen, { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'subscriptions/listen' })
    expect(await readMessage(response)).toMatchObject({ error: { message: 'Subscription limit reached' } })
  })

  it('an unknown tool is an error of the protocol', async () => {
    const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'delete_generation', arguments: {} } }
    expect(await readMessage(await post(call))).toMatchObject({
      error: { message: 'Tool delete_generation not found' },
    })
  })
})

it('answers carry the headers of all answers: limits, an id, and that nobody keeps them', async () => {
  const response = await post({ jsonrpc: '2.0', id: 1, method: 'ping' })
  expect(response.headers.get('ratelimit-policy')).toContain('"account";q=600;w=60')
  expect(response.headers.get('x-request-id')).toMatch(/^[\w-]+$/)
  expect(response.headers.get('x-content-type-options')).toBe('nosniff')
  expect(response.headers.get('cache-control')).toMatch(/no-(store|cache)/)
})
