import { createConnection } from 'node:net'
import { serverAudits } from 'graphql-http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startToyServer, type ToyServer } from '../../support/toy-server.ts'

let toy: ToyServer
beforeAll(async () => {
  toy = await startToyServer()
})
afterAll(() => toy.stop())

async function codeOf(response: Response): Promise<unknown> {
  const body = await response.json()
  return body.errors[0].extensions.code
}

describe('the GraphQL-over-HTTP audits', () => {
  const audits = serverAudits({
    url: () => toy.url,
    fetchFn: (input: string, init: RequestInit = {}) =>
      fetch(input, {
        ...init,
        headers: { ...Object.fromEntries(new Headers(init.headers)), authorization: 'Bearer good' },
      }),
  })

  it('are all there', () => {
    expect(audits).toHaveLength(61)
  })

  it.each(audits.map((audit) => [audit.id, audit.name, audit.fn] as const))('%s %s', async (_id, _name, run) => {
    const result = await run()
    expect(result.status === 'ok' ? 'ok' : result.reason).toBe('ok')
  })
})

describe('requests that a page of another site could send', () => {
  const get = (query: string, headers: Record<string, string> = {}) =>
    fetch(`${toy.url}?query=${encodeURIComponent(query)}`, { headers })

  it('refuses a GET without a header that asks for a preflight', async () => {
    const response = await get('{ hello }')
    expect(response.status).toBe(403)
    expect(await codeOf(response)).toBe('FORBIDDEN')
  })

  it('takes a GET with such a header', async () => {
    const response = await get('{ hello }', { 'x-graphql-yoga-csrf': '1', authorization: 'Bearer good' })
    expect(await response.json()).toEqual({ data: { hello: 'Hello world' } })
  })

  it('refuses mutations over GET and names the method', async () => {
    const response = await get('mutation { add }', { authorization: 'Bearer good' })
    expect(response.status).toBe(405)
    expect(response.headers.get('allow')).toBe('POST')
  })

  it.each([
    ['application/x-www-form-urlencoded', 403],
    ['multipart/form-data; boundary=x', 403],
    ['text/plain', 415],
  ])('answers a POST of %s with %i', async (contentType, status) => {
    const body = `query=${encodeURIComponent('mutation { add }')}`
    const response = await fetch(toy.url, { method: 'POST', headers: { 'content-type': contentType }, body })
    expect(response.status).toBe(status)
  })
})

describe('requests that are no operation', () => {
  it('refuses an array of operations', async () => {
    expect((await toy.post([{ query: '{ hello }' }])).status).toBe(400)
  })

  it('answers unreadable variables of a GET with 400 and does not log them as a bug', async () => {
    const headers = { authorization: 'Bearer good' }
    const response = await fetch(`${toy.url}?query={hello}&variables=%7Bsk-live-1234567890`, { headers })
    expect(response.status).toBe(400)
    expect(await response.text()).not.toContain('sk-live')
  })

  it('answers invalid JSON without echoing it', async () => {
    const headers = { 'content-type': 'application/json', authorization: 'Bearer good' }
    const response = await fetch(toy.url, { method: 'POST', headers, body: '{"secret":"sk-live-1234567890' })
    expect(response.status).toBe(400)
    expect(await response.text()).not.toContain('sk-live')
  })

  it.each([
    ['a map that is no JSON', '{', { '0': 'x' }],
    ['a map whose paths are no list', '{"0":5}', { '0': 'x' }],
  ])('answers a multipart request with %s with 400', async (_what, map, files) => {
    const form = new FormData()
    form.set('operations', JSON.stringify({ query: '{ hello }' }))
    form.set('map', map)
    for (const [name, content] of Object.entries(files)) form.set(name, new Blob([content]))
    const response = await fetch(toy.url, { method: 'POST', headers: { authorization: 'Bearer good' }, body: form })
    expect(response.status).toBe(400)
  })

  it('answers HEAD like GET, without a body', async () => {
    const response = await fetch(`${toy.url}?query={hello}`, {
      method: 'HEAD',
      headers: { authorization: 'Bearer good' },
    })
    expect(response.status).toBe(200)
    expect(await response.text()).toBe('')
  })

  it('refuses other methods', async () => {
    const response = await fetch(toy.url, { method: 'DELETE', headers: { authorization: 'Bearer good' } })
    expect(response.status).toBe(405)
  })
})

describe('request bodies over the limit', () => {
  it('are refused by their declared length before a byte of them is sent', async () => {
    const answer = await raw('POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-length: 26214400\r\n\r\n')
    expect(answer).toMatch(/^HTTP\/1\.1 413 /)
    expect(answer).toContain('REQUEST_ENTITY_TOO_LARGE')
  })

  it('are refused before they are invited with 100 Continue', async () => {
    const answer = await raw(
      'POST /graphql HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 26214400\r\n\r\n',
    )
    expect(answer).toMatch(/^HTTP\/1\.1 413 /)
  })

  it('leave the connection usable, so that a client reads the answer', async () => {
    const response = await toy.post({ query: `{ hello } #${'x'.repeat(6_000_000)}` })
    expect(response.status).toBe(413)
    expect((await toy.post({ query: '{ hello }' })).status).toBe(200)
  })

  /** Sends text and resolves with the first thing that comes back. */
  function raw(text: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = createConnection(toy.port, '127.0.0.1', () => socket.write(text))
      socket.once('data', (data) => {
        resolve(data.toString())
        socket.destroy()
      })
      socket.once('error', reject)
    })
  }
})

describe('authentication', () => {
  it.each([undefined, 'Bearer unknown', 'nonsense'])('refuses %s with 401 in the same words', async (authorization) => {
    const headers = { 'content-type': 'application/json', ...(authorization ? { authorization } : {}) }
    const response = await fetch(toy.url, { method: 'POST', headers, body: '{"query":"{ hello }"}' })
    expect(response.status).toBe(401)
    const body = await response.json()
    expect(body.errors[0].message).toBe('Authentication is required.')
    expect(body.errors[0].extensions.code).toBe('UNAUTHENTICATED')
  })

  it('comes before the document is read', async () => {
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(toy.url, { method: 'POST', headers, body: '{"query":"{ no such field"}' })
    expect(response.status).toBe(401)
  })
})

describe('errors', () => {
  it('carry the request id that the caller gave', async () => {
    const response = await toy.post({ query: '{ nope }' }, { 'x-request-id': 'my-request-1' })
    expect(response.headers.get('x-request-id')).toBe('my-request-1')
    const { errors } = await response.json()
    expect(errors[0].extensions).toEqual({ code: 'GRAPHQL_VALIDATION_FAILED', requestId: 'my-request-1' })
  })

  it('do not take over a request id that could forge a log line', async () => {
    const response = await toy.post({ query: '{ hello }' }, { 'x-request-id': '"}{"level":"error' })
    expect(response.headers.get('x-request-id')).toMatch(/^[\w-]{20,}$/)
  })

  it('that nobody expected are masked, with the id under which they are logged', async () => {
    const response = await toy.post({ query: '{ broken }' })
    const { data, errors } = await response.json()
    expect(data).toEqual({ broken: null })
    expect(errors[0].message).toBe('Unexpected error.')
    expect(errors[0].path).toEqual(['broken'])
    expect(errors[0].extensions.code).toBe('INTERNAL')
    expect(JSON.stringify(errors)).not.toContain('accounts')
    expect(toy.logLines.filter((line) => line.includes(errors[0].extensions.errorId))).toHaveLength(1)
    expect(toy.logLines.join()).toContain('no such table')
  })

  it('that callers are told about keep their code, and their status where there is no data', async () => {
    const partial = await toy.post({ query: '{ missing hello }' })
    expect(partial.status).toBe(200)
    expect(await codeOf(partial)).toBe('NOT_FOUND')
    const limited = await toy.post({ query: '{ limited }' })
    expect(limited.status).toBe(429)
    expect(limited.headers.get('retry-after')).toBe('2')
    expect((await limited.json()).errors[0].extensions).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 1500 })
  })

  it('never show how Yoga marks them', async () => {
    for (const query of ['{ broken }', '{', '{ nope }', '{ limited }']) {
      const body = await (await toy.post({ query })).text()
      expect(body).not.toMatch(/"http"|"unexpected"|"originalError"|"stack"/)
    }
  })
})

describe('values that do not fit', () => {
  const SECRET = 'sk-live-0123456789abcdef'
  const mutation = 'mutation ($input: KeyInput!) { setKey(input: $input) }'
  const cases: [string, unknown, string][] = [
    [
      'a wrong type',
      { provider: { apiKey: SECRET } },
      'Variable "$input" has an invalid value at "input.provider": expected String!.',
    ],
    ['a value of no enum', { provider: 'x', format: SECRET }, 'at "input.format": expected one of PNG, JPEG.'],
    ['an unknown field', { provider: 'x', hight: SECRET }, 'KeyInput has no field "hight".'],
    ['a missing field', { apiKey: SECRET }, 'field "provider" of type String! is required.'],
    ['a scalar that refuses', { provider: 'x', apiKey: [SECRET] }, 'at "input.apiKey": expected Secret.'],
    ['a bare value', SECRET, 'expected KeyInput!'],
  ]

  it.each(cases)('are told by place and not by value: %s', async (_what, input, message) => {
    const response = await toy.post({ query: mutation, variables: { input } })
    expect(response.status).toBe(400)
    const text = await response.text()
    expect(text).not.toContain(SECRET)
    const { errors } = JSON.parse(text)
    expect(errors[0].message).toContain(message)
    expect(errors[0].extensions.code).toBe('BAD_USER_INPUT')
    expect(toy.logLines.join()).not.toContain(SECRET)
  })

  it.each([
    `mutation { setKey(input: { provider: 1, apiKey: "${SECRET}" }) }`,
    `mutation { setKey(input: "${SECRET}") }`,
    `mutation { setKey(input: { provider: "x", width: "${SECRET}" }) }`,
    `mutation { setKey(input: { provider: "x", format: "${SECRET}" }) }`,
    `mutation { setKey(input: { provider: "x" }) "${SECRET}" }`,
    `mutation { setKey(input: { provider: "x", nope: "${SECRET}" }) }`,
  ])('are not echoed from a literal: %s', async (query) => {
    const response = await toy.post({ query }, { accept: 'application/graphql-response+json' })
    expect(response.status).toBe(400)
    expect(await response.text()).not.toContain(SECRET)
  })
})
