import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createSystemClock } from '../../src/clock.ts'
import { createOutboundFetch, type OutboundFetch, type OutboundRequest } from '../../src/outbound/outbound-fetch.ts'
import { isPublicAddress } from '../../src/outbound/public-address.ts'

const clock = createSystemClock()
const LIMITS: OutboundRequest = { maxBytes: 1_000, timeoutMs: 5_000 }

/** A server of this machine; what comes to it has got past us. */
let server: Server
let port: number
let hits: string[]
let answer: (request: IncomingMessage, response: ServerResponse) => void

beforeEach(async () => {
  hits = []
  answer = (_request, response) => void response.end('inside')
  server = createServer((request, response) => {
    hits.push(request.url ?? '')
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

describe('for a stranger', () => {
  const fetchOutbound = createOutboundFetch({ clock })

  it.each([
    'http://127.0.0.1:PORT/',
    'http://127.1:PORT/',
    'http://2130706433:PORT/',
    'http://0x7f.0.0.1:PORT/',
    'http://0177.0.0.1:PORT/',
    'http://0.0.0.0:PORT/',
    'http://localhost:PORT/',
    'http://[::1]:PORT/',
    'http://[::]:PORT/',
    'http://[::ffff:127.0.0.1]:PORT/',
    'http://[::ffff:7f00:1]:PORT/',
    'http://[::127.0.0.1]:PORT/',
    'http://[64:ff9b::7f00:1]:PORT/',
    'http://[fe80::1]:PORT/',
    'http://[fd00::1]:PORT/',
    'http://10.0.0.1/',
    'http://172.16.0.1/',
    'http://192.168.1.1/',
    'http://100.64.0.1/',
    'http://169.254.169.254/latest/meta-data/',
    'http://user:secret@127.0.0.1:PORT/',
    'file:///etc/passwd',
    'ftp://127.0.0.1/',
    'data:image/png;base64,AAAA',
    'no address',
  ])('nothing is fetched from %s', async (url) => {
    const refused = fetchOutbound(url.replace('PORT', String(port)), LIMITS)
    await expect(refused).rejects.toMatchObject({
      name: 'OutboundError',
      fault: 'FORBIDDEN',
      message: 'Only public http and https addresses are fetched.',
    })
    expect(hits).toEqual([])
  })
})

describe('for a stranger whose server is allowed', () => {
  let fetchOutbound: OutboundFetch
  beforeEach(() => {
    fetchOutbound = createOutboundFetch({ clock, trustedBaseUrl: 'http://127.0.0.1' })
  })
  const get = (limits: Partial<OutboundRequest> = {}) =>
    fetchOutbound(`http://127.0.0.1:${port}/picture`, { ...LIMITS, ...limits })
  const redirect = (location: string) => {
    answer = (_request, response) => void response.writeHead(302, { location }).end()
  }

  it('the bytes come back', async () => {
    expect(Buffer.from((await get()).bytes).toString()).toBe('inside')
  })

  it.each([
    'http://[::1]:PORT/secret',
    'http://127.0.0.2:PORT/secret',
    'http://10.0.0.1/secret',
    'http://169.254.169.254/latest/meta-data/',
    'http://localhost.localdomain.invalid@[::1]:PORT/',
    '//[::1]:PORT/secret',
    'file:///etc/passwd',
  ])('no redirect to %s is followed', async (location) => {
    redirect(location.replace('PORT', String(port)))
    await expect(get()).rejects.toMatchObject({ fault: 'FORBIDDEN' })
    expect(hits).toEqual(['/picture'])
  })

  it('redirects end at the fourth', async () => {
    redirect('/again')
    await expect(get()).rejects.toMatchObject({ fault: 'FORBIDDEN', message: 'It redirects more than 3 times.' })
    expect(hits).toHaveLength(4)
  })

  it.each([
    [
      'says so',
      (response: ServerResponse) => response.writeHead(200, { 'content-length': '5000' }).end('x'.repeat(5_000)),
    ],
    ['does not say so', (response: ServerResponse) => response.write('x'.repeat(5_000))],
  ])('too many bytes are not taken, where it %s', async (_name, send) => {
    answer = (_request, response) => void send(response)
    await expect(get()).rejects.toMatchObject({ fault: 'TOO_LARGE' })
  })

  it('what never ends is given up', async () => {
    answer = (_request, response) => void response.write('x')
    await expect(get({ timeoutMs: 100 })).rejects.toMatchObject({ fault: 'TIMEOUT' })
  })

  it('what the caller no longer wants is given up', async () => {
    const stop = new AbortController()
    answer = () => stop.abort()
    await expect(get({ signal: stop.signal })).rejects.toMatchObject({ fault: 'ABORTED' })
  })

  it('an answer that is no picture’s is told by its status alone', async () => {
    answer = (_request, response) => void response.writeHead(403).end('the secret of the house')
    await expect(get()).rejects.toMatchObject({
      fault: 'STATUS',
      status: 403,
      message: 'The server answered with the status 403.',
    })
  })
})

describe('isPublicAddress', () => {
  it.each(['8.8.8.8', '1.1.1.1', '2606:4700::1111', '::ffff:8.8.8.8'])('knows %s', (address) => {
    expect(isPublicAddress(address)).toBe(true)
  })

  it.each(['::7f00:1', '::a00:1', '2002:7f00:1::', '64:ff9b:1::1', 'fec0::1', 'ff02::1', '5f00::1', '198.18.0.1'])(
    'knows that %s is not',
    (address) => expect(isPublicAddress(address)).toBe(false),
  )
})
