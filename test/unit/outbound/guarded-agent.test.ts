import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { request } from 'undici'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  allowPublicAnd,
  assertAllowedHost,
  createGuardedAgent,
  type Resolver,
} from '../../../src/outbound/guarded-agent.ts'
import { OutboundError } from '../../../src/outbound/outbound-error.ts'

/** Servers on the same port of these addresses, each of which counts its connections. */
async function listenOn(...addresses: readonly string[]) {
  const connections = new Map<string, number>()
  let port = 0
  for (const address of addresses) {
    const server = createServer((_, response) => response.writeHead(200, { connection: 'close' }).end(address))
    server.on('connection', () => connections.set(address, (connections.get(address) ?? 0) + 1))
    await new Promise<void>((resolve) => server.listen(port, address, resolve))
    port = (server.address() as AddressInfo).port
    onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())))
  }
  return { port, connectionsOf: (address: string) => connections.get(address) ?? 0 }
}

/** 127.0.0.1 stands for what is public, and 127.0.0.2 for what is not. */
function agentOf(resolve: Resolver) {
  const agent = createGuardedAgent((address) => address === '127.0.0.1', { connectMs: 1000, resolve })
  onTestFinished(() => agent.destroy())
  return agent
}

async function get(port: number, dispatcher: ReturnType<typeof agentOf>): Promise<string> {
  return (await request(`http://pictures.example:${port}/`, { dispatcher })).body.text()
}

const at = (...addresses: readonly string[]) => addresses.map((address) => ({ address, family: 4 }))

describe('A connection to a name', () => {
  it('goes to the address that the name was judged by', async () => {
    const { port } = await listenOn('127.0.0.1')
    const asked: string[] = []
    const agent = agentOf(async (hostname) => {
      asked.push(hostname)
      return at('127.0.0.1')
    })
    expect(await get(port, agent)).toBe('127.0.0.1')
    expect(asked).toEqual(['pictures.example'])
  })

  it('is judged anew each time, so that a name which has changed its mind gains nothing', async () => {
    const { port, connectionsOf } = await listenOn('127.0.0.1', '127.0.0.2')
    const answers = [at('127.0.0.1'), at('127.0.0.2')]
    const agent = agentOf(async () => answers.shift() ?? [])
    expect(await get(port, agent)).toBe('127.0.0.1')
    await expect(get(port, agent)).rejects.toMatchObject({ fault: 'FORBIDDEN' })
    expect(connectionsOf('127.0.0.2')).toBe(0)
  })

  it.each([
    ['behind', at('127.0.0.1', '127.0.0.2')],
    ['before', at('127.0.0.2', '127.0.0.1')],
  ])('is refused where a forbidden address stands %s an allowed one', async (_, addresses) => {
    const { port, connectionsOf } = await listenOn('127.0.0.1', '127.0.0.2')
    await expect(
      get(
        port,
        agentOf(async () => addresses),
      ),
    ).rejects.toBeInstanceOf(OutboundError)
    expect([connectionsOf('127.0.0.1'), connectionsOf('127.0.0.2')]).toEqual([0, 0])
  })

  it('is refused where the name has no address', async () => {
    await expect(
      get(
        1,
        agentOf(async () => []),
      ),
    ).rejects.toMatchObject({ fault: 'FORBIDDEN' })
  })

  it('fails as the resolver does', async () => {
    const agent = agentOf(() => Promise.reject(Object.assign(new Error('gone'), { code: 'ENOTFOUND' })))
    await expect(get(1, agent)).rejects.toMatchObject({ code: 'ENOTFOUND' })
  })

  it('resolves names as the machine does unless told otherwise', async () => {
    const { port } = await listenOn('127.0.0.1')
    const agent = createGuardedAgent(() => false, { connectMs: 1000 })
    onTestFinished(() => agent.destroy())
    const asked = request(`http://localhost:${port}/`, { dispatcher: agent })
    await expect(asked).rejects.toMatchObject({ fault: 'FORBIDDEN' })
  })
})

describe('A host that is an address already', () => {
  const allows = allowPublicAnd(['127.0.0.1', '::1'])

  it.each(['http://127.0.0.1/', 'http://[::ffff:127.0.0.1]/', 'http://[::1]/', 'http://8.8.8.8/', 'http://a.example/'])(
    'is let through: %s',
    (url) => {
      expect(() => assertAllowedHost(new URL(url), allows)).not.toThrow()
    },
  )

  it.each(['http://127.0.0.2/', 'http://10.0.0.1/', 'http://[fe80::1]/', 'http://[::ffff:10.0.0.1]/'])(
    'is refused: %s',
    (url) => {
      expect(() => assertAllowedHost(new URL(url), allows)).toThrow(OutboundError)
    },
  )
})
