import { createClient } from 'graphql-ws'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { WebSocket } from 'ws'
import { createFakeClock } from '../../support/fake-clock.ts'
import { createMoment } from '../../support/moment.ts'
import { openRawSocket, upgradeStatus } from '../../support/raw-websocket.ts'
import { startToyServer, TOY_VIEWER, type ToyServer, type ToyServerOptions } from '../../support/toy-server.ts'

let toy: ToyServer
beforeEach(async () => {
  toy = await startToyServer()
})
afterEach(() => toy.stop())

async function restart(options: ToyServerOptions): Promise<void> {
  await toy.stop()
  toy = await startToyServer(options)
}

const WATCH = 'subscription ($id: String!, $after: String) { imageStatus(id: $id, after: $after) { cursor kind } }'
const watch = (id: string, subscriptionId = 's1') => ({
  type: 'subscribe',
  id: subscriptionId,
  payload: { query: WATCH, variables: { id } },
})
const query = (text: string, id = 'q1') => ({ type: 'subscribe', id, payload: { query: text } })

describe('a socket', () => {
  it('carries queries, mutations and subscriptions side by side', async () => {
    const raw = await openRawSocket(toy.wsUrl)
    expect(await raw.init()).toEqual({ type: 'connection_ack' })
    raw.send(query('{ hello }'))
    expect(await raw.next()).toEqual({ type: 'next', id: 'q1', payload: { data: { hello: 'Hello world' } } })
    expect(await raw.next()).toEqual({ type: 'complete', id: 'q1' })
    raw.send(watch('gen_1'))
    await toy.log.untilWatchers(1)
    raw.send(query('mutation { add }', 'm1'))
    const seen = [await raw.next(), await raw.next(), await raw.next()]
    expect(seen).toContainEqual({
      type: 'next',
      id: 's1',
      payload: { data: { imageStatus: { cursor: 'gen_1:1', kind: 'PROGRESS' } } },
    })
    expect(seen).toContainEqual({ type: 'next', id: 'm1', payload: { data: { add: 1 } } })
    raw.socket.close()
  })

  it('completes a subscription when its source is done', async () => {
    toy.log.append('gen_1', 'COMPLETED')
    const raw = await openRawSocket(toy.wsUrl)
    await raw.init()
    raw.send(watch('gen_1'))
    expect(await raw.next()).toMatchObject({ type: 'next' })
    expect(await raw.next()).toEqual({ type: 'complete', id: 's1' })
    expect(toy.log.openWatchers()).toBe(0)
    raw.socket.close()
  })

  it('answers pings of the protocol', async () => {
    const raw = await openRawSocket(toy.wsUrl)
    await raw.init()
    raw.send({ type: 'ping', payload: { n: 1 } })
    expect(await raw.next()).toEqual({ type: 'pong', payload: { n: 1 } })
    raw.socket.close()
  })

  it('negotiates no compression', async () => {
    const raw = await openRawSocket(toy.wsUrl, { perMessageDeflate: true })
    expect(raw.socket.extensions).toBe('')
    raw.socket.close()
  })
})

describe('close codes', () => {
  it.each([
    ['4400 for garbage', 4400, ['garbage']],
    ['4400 for an unknown type', 4400, [{ type: 'nonsense' }]],
    ['4401 for an operation before the first message', 4401, [query('{ hello }')]],
    [
      '4429 for a second first message',
      4429,
      [{ type: 'connection_init', payload: { token: 'good' } }, { type: 'connection_init' }],
    ],
    ['4403 for a wrong token', 4403, [{ type: 'connection_init', payload: { authorization: 'Bearer wrong' } }]],
    ['4403 for no token', 4403, [{ type: 'connection_init' }]],
    ['1009 for a frame over the limit', 1009, ['x'.repeat(300_000)]],
  ])('%s', async (_what, code, messages) => {
    const raw = await openRawSocket(toy.wsUrl)
    for (const message of messages) raw.send(message)
    expect((await raw.closed).code).toBe(code)
  })

  it('4409 for an id that is in use', async () => {
    const raw = await openRawSocket(toy.wsUrl)
    await raw.init()
    raw.send(watch('gen_1'))
    raw.send(watch('gen_1'))
    expect((await raw.closed).code).toBe(4409)
    await toy.log.untilWatchers(0)
  })

  it('4408 when nothing is sent', async () => {
    const clock = createFakeClock()
    await restart({ clock })
    const raw = await openRawSocket(toy.wsUrl)
    await clock.advance(3_500)
    expect((await raw.closed).code).toBe(4408)
  })

  it('1013 when it cannot be found out who calls', async () => {
    await restart({ overrides: { authenticate: () => Promise.reject(new Error('the database is away')) } })
    const raw = await openRawSocket(toy.wsUrl)
    raw.send({ type: 'connection_init', payload: { token: 'good' } })
    expect((await raw.closed).code).toBe(1013)
    expect(toy.logLines.join()).toContain('the database is away')
  })

  it('4406 for the protocol of old', async () => {
    const socket = new WebSocket(toy.wsUrl)
    const code = await new Promise((resolve) => socket.once('close', resolve))
    expect(code).toBe(4406)
  })
})

describe('credentials', () => {
  it.each([{ authorization: 'Bearer good' }, { Authorization: 'Bearer good' }, { token: 'good' }, { apiKey: 'good' }])(
    'are read from %o',
    async (payload) => {
      const raw = await openRawSocket(toy.wsUrl)
      expect(await raw.init(payload)).toEqual({ type: 'connection_ack' })
      raw.socket.close()
    },
  )

  it('are read from the header where the first message holds none', async () => {
    const raw = await openRawSocket(toy.wsUrl, { headers: { authorization: 'Bearer good' } })
    expect(await raw.init({})).toEqual({ type: 'connection_ack' })
    raw.socket.close()
  })

  it('end the socket with 4403 when the token does', async () => {
    const clock = createFakeClock()
    await restart({ clock })
    toy.viewers.set('short', { ...TOY_VIEWER, expiresAt: clock.now() + 5_000 })
    const raw = await openRawSocket(toy.wsUrl)
    await raw.init({ token: 'short' })
    raw.send(watch('gen_1'))
    await toy.log.untilWatchers(1)
    await clock.advance(4_000)
    expect(raw.socket.readyState).toBe(WebSocket.OPEN)
    await clock.advance(1_500)
    expect((await raw.closed).code).toBe(4403)
    await toy.log.untilWatchers(0)
  })

  it('end the socket with 4403 within a minute when the key is revoked', async () => {
    const clock = createFakeClock()
    await restart({ clock, config: { limits: { pingMs: 3_600_000 } } })
    const raw = await openRawSocket(toy.wsUrl)
    await raw.init()
    await clock.advance(60_000)
    expect(raw.socket.readyState).toBe(WebSocket.OPEN)
    toy.viewers.delete('good')
    await clock.advance(60_000)
    expect((await raw.closed).code).toBe(4403)
  })
})

describe('the look at the key before an operation', () => {
  it('begins nothing on a socket that has closed meanwhile', async () => {
    const [asked, answered] = [createMoment(), createMoment()]
    let looks = 0
    const authenticate = async () => {
      looks += 1
      if (looks !== 2) return TOY_VIEWER
      asked.reach()
      await answered.reached
      return TOY_VIEWER
    }
    await restart({ overrides: { authenticate } })
    const gone = await openRawSocket(toy.wsUrl)
    await gone.init()
    gone.send(watch('gen_1'))
    await asked.reached
    gone.socket.terminate()
    await vi.waitUntil(() => toy.server.openSockets() === 0)
    answered.reach()
    const other = await openRawSocket(toy.wsUrl)
    await other.init()
    other.send(watch('gen_1'))
    await toy.log.untilWatchers(1)
    other.socket.terminate()
    await toy.log.untilWatchers(0)
  })

  it('fails that operation alone when it cannot be done', async () => {
    let looks = 0
    const authenticate = async () => {
      looks += 1
      if (looks === 2) throw new Error('the database is away')
      return TOY_VIEWER
    }
    await restart({ overrides: { authenticate } })
    const raw = await openRawSocket(toy.wsUrl)
    await raw.init()
    raw.send(watch('gen_1', 's1'))
    expect(await raw.next()).toMatchObject({
      type: 'error',
      id: 's1',
      payload: [{ extensions: { code: 'UNAVAILABLE' } }],
    })
    raw.send(watch('gen_1', 's2'))
    await toy.log.untilWatchers(1)
  })
})

describe('a key that was revoked', () => {
  it('acts through no open socket any more', async () => {
    const raw = await openRawSocket(toy.wsUrl)
    await raw.init()
    toy.viewers.delete('good')
    raw.send(watch('gen_1'))
    expect((await raw.closed).code).toBe(4403)
    await toy.log.untilWatchers(0)
  })
})

describe('errors on a socket', () => {
  it.each(['{', '{ nope }', 'subscription { imageStatus(id: "unknown") { kind } }', '{ __schema { nope } }'])(
    'stay with their operation: %s',
    async (text) => {
      const raw = await openRawSocket(toy.wsUrl)
      await raw.init()
      raw.send(watch('gen_1'))
      await toy.log.untilWatchers(1)
      raw.send(query(text))
      const error = await raw.next()
      expect(error).toMatchObject({ type: 'error', id: 'q1' })
      expect(JSON.stringify(error)).toMatch(/"code":"[A-Z_]+"/)
      expect(JSON.stringify(error)).toContain('"requestId"')
      expect(JSON.stringify(error)).not.toMatch(/"http"|"unexpected"/)
      toy.log.append('gen_1', 'STARTED')
      expect(await raw.next()).toMatchObject({ type: 'next', id: 's1' })
      raw.socket.close()
    },
  )

  it('are masked', async () => {
    const raw = await openRawSocket(toy.wsUrl)
    await raw.init()
    raw.send(query('{ broken }'))
    const message = JSON.stringify(await raw.next())
    expect(message).toContain('Unexpected error.')
    expect(message).not.toContain('accounts')
    raw.socket.close()
  })

  it('of a context that cannot be built do not close the socket', async () => {
    let builds = 0
    await restart({
      overrides: {
        createContext: () => {
          builds += 1
          if (builds === 1) throw new Error('no services yet')
          return {}
        },
      },
    })
    const raw = await openRawSocket(toy.wsUrl)
    await raw.init()
    raw.send(query('{ hello }'))
    expect(JSON.stringify(await raw.next())).toContain('"code":"INTERNAL"')
    raw.send(query('{ hello }', 'q2'))
    expect(await raw.next()).toMatchObject({ type: 'next', id: 'q2' })
    raw.socket.close()
  })

  it('in the middle of a stream are masked and end it alone', async () => {
    const raw = await openRawSocket(toy.wsUrl)
    await raw.init()
    raw.send(watch('gen_1'))
    await toy.log.untilWatchers(1)
    toy.log.fail(new Error('disk I/O error'))
    const message = JSON.stringify(await raw.next())
    expect(message).toContain('Unexpected error.')
    expect(message).not.toContain('disk')
    expect(await raw.next()).toEqual({ type: 'complete', id: 's1' })
    expect(raw.socket.readyState).toBe(WebSocket.OPEN)
    raw.socket.close()
  })
})

describe('sources', () => {
  it.each(['complete', 'close', 'terminate'])('are returned after %s', async (how) => {
    const raw = await openRawSocket(toy.wsUrl)
    await raw.init()
    for (let n = 0; n < 20; n++) raw.send(watch('gen_1', `s${n}`))
    await toy.log.untilWatchers(20)
    if (how === 'complete') for (let n = 0; n < 20; n++) raw.send({ type: 'complete', id: `s${n}` })
    else if (how === 'close') raw.socket.close()
    else raw.socket.terminate()
    await toy.log.untilWatchers(0)
    raw.socket.terminate()
  })

  it('are returned when the client goes while the subscription is being set up', async () => {
    const { promise: gate, resolve: openGate } = Promise.withResolvers<void>()
    let asked: () => void = () => undefined
    const untilAsked = new Promise<void>((resolve) => {
      asked = resolve
    })
    await restart({
      overrides: {
        subscriptionsOf: async () => {
          asked()
          await gate
          return 10
        },
      },
    })
    const raw = await openRawSocket(toy.wsUrl)
    await raw.init()
    raw.send(watch('gen_1'))
    await untilAsked
    raw.socket.terminate()
    await raw.closed
    openGate()
    const other = await openRawSocket(toy.wsUrl)
    await other.init()
    other.send(watch('gen_2'))
    await toy.log.untilWatchers(1)
    other.socket.close()
    await toy.log.untilWatchers(0)
  })

  it('are returned when an id is completed and used again at once', async () => {
    const raw = await openRawSocket(toy.wsUrl)
    await raw.init()
    raw.send(watch('gen_1'))
    raw.send({ type: 'complete', id: 's1' })
    raw.send(watch('gen_1'))
    await toy.log.untilWatchers(1)
    raw.socket.close()
    await toy.log.untilWatchers(0)
  })

  it('are asked for no more than a reader takes', async () => {
    const raw = await openRawSocket(toy.wsUrl)
    await raw.init()
    raw.socket.pause()
    const padding = 'x'.repeat(100_000)
    for (let n = 0; n < 2_000; n++) toy.log.append('gen_1', 'PROGRESS', padding)
    raw.send({
      type: 'subscribe',
      id: 's1',
      payload: { query: 'subscription { imageStatus(id: "gen_1") { padding } }' },
    })
    await toy.log.untilWatchers(1)
    const before = await settled(() => toy.log.pulls())
    expect(before).toBeLessThan(500)
    raw.socket.terminate()
    await toy.log.untilWatchers(0)
  })
})

describe('limits', () => {
  it('hold for the operations of one socket', async () => {
    await restart({ config: { limits: { operationsPerSocket: 3 } } })
    const raw = await openRawSocket(toy.wsUrl)
    await raw.init()
    for (let n = 0; n < 4; n++) raw.send(watch('gen_1', `s${n}`))
    const refused = await raw.next()
    expect(refused).toMatchObject({ type: 'error', id: 's3' })
    expect(JSON.stringify(refused)).toContain('RATE_LIMITED')
    raw.send({ type: 'complete', id: 's0' })
    await toy.log.untilWatchers(2)
    raw.send(watch('gen_1', 's4'))
    await toy.log.untilWatchers(3)
    raw.socket.close()
  })

  it('hold for the subscriptions of one account over sockets and streams', async () => {
    await restart({ overrides: { subscriptionsOf: (viewer) => (viewer.accountId === 'acc_1' ? 2 : 1) } })
    const [first, second] = [await openRawSocket(toy.wsUrl), await openRawSocket(toy.wsUrl)]
    await first.init()
    await second.init()
    first.send(watch('gen_1'))
    second.send(watch('gen_1'))
    await toy.log.untilWatchers(2)
    const stream = await toy.post({ query: WATCH, variables: { id: 'gen_1' } }, { accept: 'text/event-stream' })
    expect(stream.status).toBe(429)
    second.socket.close()
    await toy.log.untilWatchers(1)
    first.send(watch('gen_1', 's2'))
    await toy.log.untilWatchers(2)
    first.socket.close()
  })
})

describe('liveness', () => {
  it('ends a socket that answers no ping', async () => {
    const clock = createFakeClock()
    await restart({ clock })
    const raw = await openRawSocket(toy.wsUrl, { autoPong: false })
    await raw.init()
    const pinged = new Promise((resolve) => raw.socket.once('ping', resolve))
    await clock.advance(12_500)
    await pinged
    await clock.advance(12_500)
    expect((await raw.closed).code).toBe(1006)
    await settled(() => toy.server.openSockets())
    expect(toy.server.openSockets()).toBe(0)
  })

  it('keeps a socket that answers', async () => {
    const clock = createFakeClock()
    await restart({ clock })
    const raw = await openRawSocket(toy.wsUrl)
    await raw.init()
    for (let turn = 0; turn < 4; turn++) {
      const pinged = new Promise((resolve) => raw.socket.once('ping', resolve))
      await clock.advance(12_500)
      await pinged
      raw.send({ type: 'ping' })
      expect(await raw.next()).toEqual({ type: 'pong' })
    }
    raw.socket.close()
  })
})

describe('an upgrade', () => {
  it('is refused for a page of another origin', async () => {
    expect(await upgradeStatus(toy.wsUrl, { origin: 'https://evil.example' })).toBe(403)
    expect(await upgradeStatus(toy.wsUrl, { origin: 'null' })).toBe(403)
  })

  it('is taken from listed origins, from our own page and from programs', async () => {
    expect(await upgradeStatus(toy.wsUrl, { origin: 'https://app.example.com' })).toBe(101)
    expect(await upgradeStatus(toy.wsUrl, { origin: `http://127.0.0.1:${toy.port}` })).toBe(101)
    expect(await upgradeStatus(toy.wsUrl, {})).toBe(101)
  })

  it('is refused elsewhere', async () => {
    expect(await upgradeStatus(toy.wsUrl.replace('/graphql', '/images/x'), {})).toBe(404)
  })
})

describe('the graphql-ws client', () => {
  it('runs an operation', async () => {
    const client = createClient({ url: toy.wsUrl, webSocketImpl: WebSocket, connectionParams: { token: 'good' } })
    const results = []
    for await (const result of client.iterate({ query: '{ whoami }' })) results.push(result)
    expect(results).toEqual([{ data: { whoami: 'acc_1' } }])
    await client.dispose()
  })
})

/** Resolves with a figure once it is the same over fifty turns of the event loop. */
async function settled(read: () => number): Promise<number> {
  let same = 0
  let last = read()
  while (same < 50) {
    await new Promise<void>((resolve) => setImmediate(resolve))
    const now = read()
    same = now === last ? same + 1 : 0
    last = now
  }
  return last
}
