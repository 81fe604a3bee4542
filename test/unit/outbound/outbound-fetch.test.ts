import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createSystemClock } from '../../../src/clock.ts'
import type { Resolver } from '../../../src/outbound/guarded-agent.ts'
import { OutboundError } from '../../../src/outbound/outbound-error.ts'
import { createOutboundFetch } from '../../../src/outbound/outbound-fetch.ts'
import { createFakeClock } from '../../support/fake-clock.ts'

const BOUNDS = { maxBytes: 1000, timeoutMs: 10_000 }
const SECRET_PATH = '/samples/cat.png?sig=secret'

/** A host of pictures; `port` is of the loopback address that is given. */
async function host(listener: RequestListener, address = '127.0.0.1') {
  const seen: IncomingMessage[] = []
  const server = createServer((request, response) => {
    seen.push(request)
    listener(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, address, resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    return new Promise<void>((resolve) => server.close(() => resolve()))
  })
  const { port } = server.address() as AddressInfo
  return { origin: `http://${address}:${port}`, port, seen }
}

/** What it trusts besides public addresses: 127.0.0.1, and none of the other loopback addresses. */
const trusting = (origin: string, resolve?: Resolver) =>
  createOutboundFetch({ clock: createSystemClock(), trustedBaseUrl: origin, ...(resolve && { resolve }) })

async function faultOf(fetched: Promise<unknown>): Promise<OutboundError> {
  const error = await fetched.then(
    () => expect.unreachable('It should not have been fetched.'),
    (reason: unknown) => reason,
  )
  if (!(error instanceof OutboundError)) throw error
  // The message goes to whoever gave us the URL.
  expect(error.message).not.toMatch(/127\.0|secret|localhost/)
  return error
}

describe('Fetching what a URL points to', () => {
  it('brings the bytes and their type, without credentials or cookies', async () => {
    const { origin, seen } = await host((_, response) => {
      response.writeHead(200, { 'content-type': 'image/png', 'set-cookie': 'a=b' }).end('bytes')
    })
    const fetched = await trusting(origin)(origin + SECRET_PATH, { ...BOUNDS, accept: 'image/*' })
    expect(fetched).toEqual({ bytes: Buffer.from('bytes'), contentType: 'image/png' })
    const { host: _, connection: __, ...headers } = seen[0]?.headers ?? {}
    expect(headers).toEqual({ accept: 'image/*' })
  })

  it('takes as many bytes as are allowed, and none more', async () => {
    const { origin } = await host(({ url }, response) => response.end(Buffer.alloc(url === '/more' ? 1001 : 1000)))
    const fetch = trusting(origin)
    expect((await fetch(`${origin}/`, BOUNDS)).bytes.byteLength).toBe(1000)
    expect(await faultOf(fetch(`${origin}/more`, BOUNDS))).toMatchObject({ fault: 'TOO_LARGE' })
  })

  it('stops at its bound where the size was not told or was told wrong', async () => {
    const { origin, seen } = await host((_, response) => {
      response.writeHead(200, { 'transfer-encoding': 'chunked' })
      const more = () => response.write(Buffer.alloc(400), () => setImmediate(more))
      more()
    })
    expect(await faultOf(trusting(origin)(origin, BOUNDS))).toMatchObject({ fault: 'TOO_LARGE' })
    // And lets go of a sender that would never have ended.
    await new Promise((resolve) => (seen[0]?.socket.destroyed ? resolve(null) : seen[0]?.socket.once('close', resolve)))
  })

  it.each([204, 206, 304, 403, 404, 429, 500, 503])('takes %i for no picture', async (status) => {
    const { origin } = await host((_, response) => response.writeHead(status).end())
    expect(await faultOf(trusting(origin)(origin, BOUNDS))).toMatchObject({ fault: 'STATUS', status })
  })

  it('says that nothing could be reached', async () => {
    const { origin, seen } = await host((request) => request.socket.destroy())
    expect(await faultOf(trusting(origin)(origin, BOUNDS))).toMatchObject({ fault: 'UNREACHABLE' })
    expect(seen).toHaveLength(1)
    const failing = createOutboundFetch({
      clock: createSystemClock(),
      resolve: () => Promise.reject(new Error('gone')),
    })
    expect(await faultOf(failing('http://pictures.example/', BOUNDS))).toMatchObject({ fault: 'UNREACHABLE' })
  })

  it('says that it broke off, rather than hand over a part', async () => {
    const { origin } = await host((_, response) => {
      response.writeHead(200, { 'content-length': '500' })
      response.write(Buffer.alloc(100), () => response.destroy())
    })
    expect(await faultOf(trusting(origin)(origin, BOUNDS))).toMatchObject({ fault: 'UNREACHABLE' })
  })
})

describe('Addresses that are not fetched from', () => {
  const fetch = createOutboundFetch({ clock: createSystemClock() })

  it.each([
    'file:///etc/passwd',
    'ftp://example.com/a',
    'data:image/png;base64,AAAA',
    'javascript:alert(1)',
    'gopher://example.com/',
    'http://user:secret@example.com/',
    'https://secret@example.com/',
    'http://',
    'no address',
    '//example.com/a',
    '',
  ])('has none of %s', async (url) => {
    expect(await faultOf(fetch(url, BOUNDS))).toMatchObject({ fault: 'FORBIDDEN' })
  })

  it.each(['localhost', '127.0.0.1', '2130706433', '0x7f.1', '[::1]', '[::ffff:127.0.0.1]', '[::7f00:1]', '0.0.0.0'])(
    'opens no connection to %s',
    async (name) => {
      const { port, seen } = await host((_, response) => response.end())
      expect(await faultOf(fetch(`http://${name}:${port}/`, BOUNDS))).toMatchObject({ fault: 'FORBIDDEN' })
      expect(seen).toEqual([])
    },
  )

  it('opens none to a private one beside the one that is trusted', async () => {
    const { origin } = await host((_, response) => response.end())
    const other = await host((_, response) => response.end(), '127.0.0.2')
    expect(await faultOf(trusting(origin)(other.origin, BOUNDS))).toMatchObject({ fault: 'FORBIDDEN' })
    expect(other.seen).toEqual([])
  })

  it('trusts a name that the operator gave for what it resolves to', async () => {
    const { port, seen } = await host((_, response) => response.end('bytes'))
    const resolve: Resolver = async () => [{ address: '127.0.0.1', family: 4 }]
    await trusting('http://engine.internal:8080', resolve)(`http://engine.internal:${port}/`, BOUNDS)
    expect(seen).toHaveLength(1)
  })

  it('trusts nothing where the name that the operator gave resolves to nothing', async () => {
    const { origin } = await host((_, response) => response.end())
    const resolve: Resolver = () => Promise.reject(new Error('gone'))
    expect(await faultOf(trusting('http://engine.internal', resolve)(origin, BOUNDS))).toMatchObject({
      fault: 'FORBIDDEN',
    })
  })
})

describe('A redirect', () => {
  const redirectTo = (location: (path: string) => string) =>
    host((request, response) => {
      if (request.url === '/end') return response.end('bytes')
      return response.writeHead(302, { location: location(request.url ?? '') }).end('moved')
    })

  it.each([301, 302, 303, 307, 308])('of status %i is followed, relative ones too', async (status) => {
    const { origin } = await host(({ url }, response) =>
      url === '/end' ? response.end('bytes') : response.writeHead(status, { location: 'end' }).end(),
    )
    expect((await trusting(origin)(`${origin}/begin`, BOUNDS)).bytes).toEqual(Buffer.from('bytes'))
  })

  it('is followed three times and no fourth', async () => {
    const { origin, seen } = await redirectTo((path) => (path === '/1' ? '/end' : `/${Number(path.slice(1)) - 1}`))
    const fetch = trusting(origin)
    expect((await fetch(`${origin}/3`, BOUNDS)).bytes).toEqual(Buffer.from('bytes'))
    expect(await faultOf(fetch(`${origin}/4`, BOUNDS))).toMatchObject({ fault: 'FORBIDDEN' })
    expect(seen).toHaveLength(8)
  })

  it.each([
    'http://127.0.0.2:PORT/',
    'http://[::1]:PORT/',
    'http://10.0.0.1/',
    'http://169.254.169.254/latest/meta-data',
  ])('is not followed to %s', async (target) => {
    const inner = await host((_, response) => response.end('inner'), '127.0.0.2')
    const { origin } = await redirectTo(() => target.replace('PORT', String(inner.port)))
    expect(await faultOf(trusting(origin)(origin, BOUNDS))).toMatchObject({ fault: 'FORBIDDEN' })
    expect(inner.seen).toEqual([])
  })

  it.each(['file:///etc/passwd', 'ftp://example.com/', 'http://user:secret@127.0.0.1/', 'http://'])(
    'is not followed to %s',
    async (target) => {
      const { origin } = await redirectTo(() => target)
      expect(await faultOf(trusting(origin)(origin, BOUNDS))).toMatchObject({ fault: 'FORBIDDEN' })
    },
  )

  it('without a place to go to is a wrong status', async () => {
    const { origin } = await host((_, response) => response.writeHead(302).end())
    expect(await faultOf(trusting(origin)(origin, BOUNDS))).toMatchObject({ fault: 'STATUS', status: 302 })
  })
})

describe('The time that fetching may take', () => {
  it.each<readonly [what: string, fault: string, listener: RequestListener]>([
    ['a silent server', 'TIMEOUT', () => undefined],
    ['a body that never ends', 'TIMEOUT', (_, response) => response.write('a')],
    [
      'a redirect whose body never ends',
      'TIMEOUT',
      (_, response) => response.writeHead(302, { location: '/' }).write('a'),
    ],
    ['an error whose body never ends', 'STATUS', (_, response) => response.writeHead(500).write('a')],
  ])('ends %s', async (_, fault, listener) => {
    const { origin, seen, isAsked } = await askedHost(listener)
    const clock = createFakeClock()
    const fetched = faultOf(createOutboundFetch({ clock, trustedBaseUrl: origin })(origin, BOUNDS))
    await isAsked
    await clock.advance(BOUNDS.timeoutMs)
    expect(await fetched).toMatchObject({ fault })
    expect(seen).toHaveLength(1)
    expect(clock.sleepers()).toBe(0)
  })

  it('ends a resolver that is silent', async () => {
    const clock = createFakeClock()
    const resolve: Resolver = () => new Promise(() => undefined)
    const fetch = createOutboundFetch({ clock, trustedBaseUrl: 'http://engine.internal', resolve })
    const fetched = faultOf(fetch('http://example.com/', BOUNDS))
    await clock.advance(BOUNDS.timeoutMs)
    expect(await fetched).toMatchObject({ fault: 'TIMEOUT' })
  })

  it('ends with the caller', async () => {
    const { origin, isAsked } = await askedHost(() => undefined)
    const ending = new AbortController()
    const fetched = faultOf(trusting(origin)(origin, { ...BOUNDS, signal: ending.signal }))
    await isAsked
    ending.abort()
    expect(await fetched).toMatchObject({ fault: 'ABORTED' })
    const over = trusting(origin)(origin, { ...BOUNDS, signal: AbortSignal.abort() })
    expect(await faultOf(over)).toMatchObject({ fault: 'ABORTED' })
  })

  async function askedHost(listener: RequestListener) {
    const asked = Promise.withResolvers<void>()
    const started = await host((request, response) => {
      listener(request, response)
      asked.resolve()
    })
    return { ...started, isAsked: asked.promise }
  }
})
