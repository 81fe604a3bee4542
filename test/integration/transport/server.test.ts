import { once } from 'node:events'
import { request } from 'node:http'
import { createConnection } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { Readiness } from '../../../src/transport/server-options.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { openRawSocket, upgradeStatus } from '../../support/raw-websocket.ts'
import { startToyServer, TOY_VIEWER, type ToyServer, type ToyServerOptions } from '../../support/toy-server.ts'

let toy: ToyServer
afterEach(() => toy.stop())

async function start(options: ToyServerOptions = {}): Promise<void> {
  toy = await startToyServer(options)
}

const WATCH = 'subscription { imageStatus(id: "gen_1") { kind } }'

function at(path: string): string {
  return toy.url.replace('/graphql', path)
}

/** Like fetch, but with a Host header of one's own. */
async function send(
  path: string,
  headers: Record<string, string>,
  method = 'GET',
): Promise<{ status: number; headers: NodeJS.Dict<string | string[]> }> {
  const sent = request({ host: '127.0.0.1', port: toy.port, path, method, headers, agent: false }).end()
  const [answer] = await once(sent, 'response')
  answer.resume()
  await once(answer, 'end')
  return { status: answer.statusCode, headers: answer.headers }
}

describe('paths', () => {
  it('tell that the process lives, with the security headers of every answer', async () => {
    await start()
    const response = await fetch(at('/healthz'))
    expect(await response.json()).toEqual({ status: 'ok' })
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(response.headers.get('x-request-id')).toBeTruthy()
  })

  it('tell whether requests should come here', async () => {
    let ready: () => Promise<Readiness> = async () => 'ok'
    await start({ overrides: { readiness: () => ready() } })
    expect((await fetch(at('/readyz'))).status).toBe(200)
    ready = async () => 'degraded'
    expect((await fetch(at('/readyz'))).status).toBe(200)
    ready = async () => 'unavailable'
    expect((await fetch(at('/readyz'))).status).toBe(503)
    ready = async () => {
      throw new Error('no database')
    }
    const response = await fetch(at('/readyz'))
    expect(response.status).toBe(503)
    expect(await response.text()).not.toContain('database')
  })

  it('send a browser from the root to the page, and nobody else', async () => {
    await start()
    const browser = await fetch(at('/'), { headers: { accept: 'text/html' }, redirect: 'manual' })
    expect(browser.status).toBe(302)
    expect(browser.headers.get('location')).toBe('/graphql')
    expect((await fetch(at('/'))).status).toBe(404)
  })

  it.each(['/nope', '/graphqlx', '//graphql', '/graphql/../metrics', '/graphql/%2e%2e/metrics'])(
    'that nothing answers give 404: %s',
    async (path) => {
      await start()
      expect((await send(path, {})).status).toBe(404)
    },
  )

  it('go to the routes that were handed in', async () => {
    const route = {
      prefix: '/images/',
      name: 'images',
      handle: async (request: { url?: string | undefined }, response: { end(text: string): void }) => {
        if (request.url === '/images/broken') throw new Error('ENOSPC: /data/images')
        response.end(`image ${request.url}`)
      },
    }
    await start({ overrides: { routes: [route] } })
    expect(await (await fetch(at('/images/a.png'))).text()).toBe('image /images/a.png')
    const broken = await fetch(at('/images/broken'))
    expect(broken.status).toBe(500)
    expect(await broken.text()).not.toContain('ENOSPC')
  })
})

describe('metrics', () => {
  it('are given to this machine', async () => {
    await start()
    await toy.post({ query: '{ hello }' })
    const text = await (await fetch(at('/metrics'))).text()
    expect(text).toContain('pictor_graphql_operation_seconds_count{operation="query",transport="http",outcome="ok"} 1')
    expect(text).toContain('pictor_http_request_seconds_count{route="graphql",method="POST",status="2xx"} 1')
  })

  it('are given through a proxy only with a key of scope admin', async () => {
    await start()
    toy.viewers.set('root', { ...TOY_VIEWER, scopes: ['admin'] })
    const proxied = { 'x-forwarded-for': '203.0.113.7' }
    expect((await send('/metrics', proxied)).status).toBe(401)
    expect((await send('/metrics', { ...proxied, authorization: 'Bearer good' })).status).toBe(403)
    expect((await send('/metrics', { ...proxied, authorization: 'Bearer root' })).status).toBe(200)
  })

  it('count sockets and subscriptions up and down', async () => {
    await start()
    const raw = await openRawSocket(toy.wsUrl)
    await raw.init()
    raw.send({ type: 'subscribe', id: '1', payload: { query: WATCH } })
    await toy.log.untilWatchers(1)
    const during = await (await fetch(at('/metrics'))).text()
    expect(during).toContain('pictor_sockets 1\n')
    expect(during).toContain('pictor_subscriptions{transport="websocket"} 1\n')
    raw.socket.close(4499)
    await raw.closed
    await toy.log.untilWatchers(0)
    const after = await (await fetch(at('/metrics'))).text()
    expect(after).toContain('pictor_sockets 0\n')
    expect(after).toContain('pictor_subscriptions{transport="websocket"} 0\n')
    expect(after).toContain('pictor_socket_closes_total{code="other"} 1\n')
  })
})

describe('pages of other origins', () => {
  const preflight = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' }

  it('may call when they are listed', async () => {
    await start()
    const asked = await send('/graphql', { ...preflight, origin: 'https://app.example.com' }, 'OPTIONS')
    expect(asked.status).toBe(204)
    expect(asked.headers['access-control-allow-origin']).toBe('https://app.example.com')
    expect(asked.headers['access-control-allow-headers']).toContain('authorization')
    expect(asked.headers['access-control-allow-credentials']).toBeUndefined()
    const answer = await toy.post({ query: '{ hello }' }, { origin: 'https://app.example.com' })
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://app.example.com')
    expect(answer.headers.get('vary')).toContain('origin')
  })

  it.each(['https://evil.example', 'null', 'https://app.example.com.evil.example', 'http://app.example.com'])(
    'are told nothing when they are not: %s',
    async (origin) => {
      await start()
      const asked = await send('/graphql', { ...preflight, origin }, 'OPTIONS')
      expect(asked.headers['access-control-allow-origin']).toBeUndefined()
      expect(asked.headers['access-control-allow-methods']).toBeUndefined()
      const answer = await toy.post({ query: '{ hello }' }, { origin })
      expect(answer.headers.get('access-control-allow-origin')).toBeNull()
    },
  )
})

describe('without keys, on the loopback', () => {
  const options = { config: { loopbackOnly: true }, overrides: { authenticate: async () => TOY_VIEWER } }

  it.each(['localhost', '127.0.0.1', '[::1]'])('the name %s is answered', async (name) => {
    await start(options)
    const headers = { host: `${name}:${toy.port}`, 'x-graphql-yoga-csrf': '1' }
    expect((await send('/graphql?query={hello}', headers)).status).toBe(200)
    expect(await upgradeStatus(toy.wsUrl, { host: headers.host })).toBe(101)
  })

  it.each(['evil.example', 'evil.localhost', 'localhost.evil.example', '127.0.0.1.nip.io', 'localhost:1', '127.0.0.1'])(
    'a name that points here is not: %s',
    async (name) => {
      await start(options)
      const host = name.includes(':') || name === '127.0.0.1' ? name : `${name}:${toy.port}`
      expect((await send('/graphql?query={hello}', { host, 'x-graphql-yoga-csrf': '1' })).status).toBe(421)
      expect((await send('/graphql', { host, accept: 'text/html' })).status).toBe(421)
      expect((await send('/metrics', { host })).status).toBe(421)
      expect(await upgradeStatus(toy.wsUrl, { host })).toBe(421)
    },
  )

  it('a page of another origin is refused over HTTP, as a stream and on a socket', async () => {
    await start(options)
    const origin = 'http://localhost:5173'
    expect((await toy.post({ query: 'mutation { add }' }, { origin })).status).toBe(403)
    expect((await toy.post({ query: WATCH }, { origin, accept: 'text/event-stream' })).status).toBe(403)
    expect(await upgradeStatus(toy.wsUrl, { origin })).toBe(403)
    expect(toy.log.append('gen_1', 'QUEUED').sequence).toBe(1)
  })

  it('our own page and listed ones are answered', async () => {
    await start(options)
    for (const origin of [`http://localhost:${toy.port}`, `http://127.0.0.1:${toy.port}`, 'https://app.example.com']) {
      expect((await toy.post({ query: '{ hello }' }, { origin })).status).toBe(200)
      expect(await upgradeStatus(toy.wsUrl, { origin })).toBe(101)
    }
  })
})

describe('slow senders', () => {
  const limits = { headersMs: 50, requestMs: 100, keepAliveMs: 50, timeoutCheckMs: 20 }

  it.each([
    ['that say nothing', ''],
    ['in the middle of the headers', 'POST /graphql HTTP/1.1\r\nhost: x\r\n'],
    ['in the middle of the body', 'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{'],
    ['that keep a connection and ask no more', 'GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n'],
  ])('are cut off: those %s', async (_what, text) => {
    await start({ config: { limits } })
    const socket = createConnection(toy.port, '127.0.0.1', () => socket.write(text))
    socket.resume()
    await once(socket, 'close')
  })
})

describe('stopping', () => {
  it('fails readiness first and still answers', async () => {
    const clock = createFakeClock()
    await start({ clock })
    const stopped = toy.server.stop({ graceMs: 1_000, readinessMs: 5_000 })
    const response = await fetch(at('/readyz'))
    expect(response.status).toBe(503)
    expect(response.headers.get('connection')).toBe('close')
    expect((await toy.post({ query: '{ hello }' })).status).toBe(200)
    expect(await upgradeStatus(toy.wsUrl, {})).toBe(503)
    await clock.advance(5_000)
    await clock.advance(1_000)
    await stopped
    await expect(fetch(at('/healthz'))).rejects.toThrow()
  })

  it('closes sockets with 1012 in batches, ends streams without complete, and returns all sources', async () => {
    const clock = createFakeClock()
    await start({ clock, overrides: { random: () => 0.5 } })
    const sockets = await Promise.all(Array.from({ length: 40 }, () => openRawSocket(toy.wsUrl)))
    for (const raw of sockets) {
      await raw.init()
      raw.send({ type: 'subscribe', id: '1', payload: { query: WATCH } })
    }
    const stream = await toy.post({ query: WATCH }, { accept: 'text/event-stream' })
    await toy.log.untilWatchers(41)
    let closed = 0
    for (const raw of sockets) void raw.closed.then(() => closed++)
    const stopped = toy.server.stop({ graceMs: 10_000 })
    expect(await stream.text()).not.toContain('complete')
    await Promise.race(sockets.map((raw) => raw.closed))
    expect(closed).toBeLessThan(5)
    await clock.advance(6_000)
    expect(new Set((await Promise.all(sockets.map((raw) => raw.closed))).map(({ code }) => code))).toEqual(
      new Set([1012]),
    )
    await stopped
    expect(toy.log.openWatchers()).toBe(0)
    expect(toy.server.openSockets()).toBe(0)
    expect(toy.server.openStreams()).toBe(0)
  })

  it('lets a running request end', async () => {
    const { promise: gate, resolve: openGate } = Promise.withResolvers<string>()
    let begun: () => void = () => undefined
    const untilBegun = new Promise<void>((resolve) => {
      begun = resolve
    })
    await start({
      slow: () => {
        begun()
        return gate
      },
    })
    const answer = toy.post({ query: '{ slow }' })
    await untilBegun
    const stopped = toy.server.stop({ graceMs: 60_000 })
    openGate('at last')
    expect(await (await answer).json()).toEqual({ data: { slow: 'at last' } })
    await stopped
  })

  it('cuts at the deadline what does not end', async () => {
    const clock = createFakeClock()
    await start({ clock, slow: () => new Promise(() => undefined) })
    const raw = await openRawSocket(toy.wsUrl)
    await raw.init()
    raw.socket.pause()
    const answer = expect(toy.post({ query: '{ slow }' })).rejects.toThrow()
    await settledTurns()
    const stopped = toy.server.stop({ graceMs: 5_000 })
    await settledTurns()
    await clock.advance(5_000)
    await answer
    await stopped
    raw.socket.terminate()
  })
})

async function settledTurns(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
}
