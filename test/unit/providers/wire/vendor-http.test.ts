import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createSystemClock } from '../../../../src/clock.ts'
import { createVendorFetch } from '../../../../src/providers/wire/vendor-fetch.ts'
import { createVendorHttp, type VendorRequest } from '../../../../src/providers/wire/vendor-http.ts'
import { createFakeClock } from '../../../support/fake-clock.ts'

async function vendor(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    return new Promise<void>((resolve) => server.close(() => resolve()))
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function ask(url: string, changes: Partial<VendorRequest> = {}, clock = createSystemClock(), maxBytes = 1_000_000) {
  const http = createVendorHttp({ vendor: 'Vendor', fetch: createVendorFetch({ maxBytes }), clock })
  const { signal } = new AbortController()
  return http({ method: 'POST', url, headers: {}, timeoutMs: 10_000, signal, ...changes })
}

describe('One request and its whole answer', () => {
  it('has status, headers and bytes, and JSON where it is some', async () => {
    const url = await vendor((_, response) => response.writeHead(201, { 'x-request-id': 'r1' }).end('{"a":1}'))
    const answer = await ask(url)
    expect(answer).toMatchObject({ status: 201, ok: true })
    expect(answer.headers.get('x-request-id')).toBe('r1')
    expect(answer.json()).toEqual({ a: 1 })
    expect(Buffer.from(answer.bytes).toString()).toBe('{"a":1}')
  })

  it.each(['', '{', '<html>', '\ufeff\u0000'])('has no JSON in "%s"', async (body) => {
    expect((await ask(await vendor((_, response) => response.end(body)))).json()).toBeUndefined()
  })

  it('has none of a redirect behind it: the next host would be shown the key', async () => {
    const paths: (string | undefined)[] = []
    const url = await vendor(({ url: path }, response) => {
      paths.push(path)
      response.writeHead(307, { location: '/elsewhere' }).end()
    })
    expect(await ask(url)).toMatchObject({ status: 307, ok: false })
    expect(paths).toEqual(['/'])
  })

  it('is one request also where `fetch` would send another by itself', async () => {
    let requests = 0
    const url = await vendor((_, response) => {
      requests += 1
      response.writeHead(421).end()
    })
    await expect(ask(url, { body: 'a fox' })).rejects.toMatchObject({ delivery: 'UNKNOWN', providerBilled: null })
    expect(requests).toBe(1)
  })

  it('has its status where only the words of a refusal got lost', async () => {
    const url = await vendor((_, response) => {
      response.writeHead(429, { 'content-length': '100', 'retry-after': '7' })
      response.write('half', () => response.destroy())
    })
    const answer = await ask(url)
    expect(answer).toMatchObject({ status: 429, ok: false })
    expect(answer.headers.get('retry-after')).toBe('7')
    expect(answer.json()).toBeUndefined()
  })

  it('is none where a success got lost on the way', async () => {
    const url = await vendor((_, response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('half', () => response.destroy())
    })
    await expect(ask(url)).rejects.toMatchObject({ kind: 'UNAVAILABLE', delivery: 'UNKNOWN' })
  })

  it('is bounded by what its bytes come to when they are unpacked', async () => {
    const packed = gzipSync(Buffer.alloc(1_000_001))
    const url = await vendor((_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(packed))
    await expect(ask(url)).rejects.toMatchObject({ kind: 'BAD_OUTPUT', delivery: 'ANSWERED' })
    expect((await ask(url, {}, createSystemClock(), 1_000_001)).bytes).toHaveLength(1_000_001)
  })

  it('sends a form as one', async () => {
    const url = await vendor((request, response) => response.end(request.headers['content-type']))
    const body = new FormData()
    body.set('prompt', 'a red fox')
    const { bytes } = await ask(url, { body })
    expect(Buffer.from(bytes).toString()).toMatch(/^multipart\/form-data; boundary=/)
  })
})

describe('The end of waiting for an answer', () => {
  it('comes with the time limit, and leaves no timer', async () => {
    const asked = Promise.withResolvers<void>()
    const url = await vendor(() => asked.resolve())
    const clock = createFakeClock()
    const failed = ask(url, {}, clock).catch((error: unknown) => error)
    await asked.promise
    await clock.advance(10_000)
    expect(await failed).toMatchObject({ kind: 'TIMEOUT', delivery: 'UNKNOWN' })
    expect(clock.sleepers()).toBe(0)
  })

  it.each([200, 500])('comes with the caller, within the answer too (%i)', async (status) => {
    const ending = new AbortController()
    const url = await vendor((_, response) => response.writeHead(status).write('half', () => ending.abort()))
    const failed = ask(url, { signal: ending.signal })
    await expect(failed).rejects.toMatchObject({ name: 'ProviderError', delivery: 'UNKNOWN' })
  })
})
