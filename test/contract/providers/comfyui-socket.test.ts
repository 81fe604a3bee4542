import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import { type Clock, createSystemClock } from '../../../src/clock.ts'
import { openEngineSocket } from '../../../src/providers/comfyui/comfyui-socket.ts'
import { createHurriedClock } from './wire-stage.ts'

async function listen(server: HttpServer): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function open(
  baseUrl: string,
  onMessage: (data: Buffer, isBinary: boolean) => void = () => undefined,
  clock: Clock = createHurriedClock(),
) {
  const socket = openEngineSocket({ baseUrl, clientId: 'a b', headers: {}, clock, onMessage })
  onTestFinished(socket.close)
  return socket
}

/** Of RFC 6455. */
const PROTOCOL = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** Resolves when the other end has given the connection up. Reads what comes, and says nothing. */
function untilGone(connection: Duplex): Promise<void> {
  return new Promise((resolve) => {
    connection
      .on('error', () => resolve())
      .on('end', () => {
        connection.destroy()
        resolve()
      })
    connection.resume()
  })
}

describe('the socket to a ComfyUI server', () => {
  it('says who it is and what it reads', async () => {
    const server = createServer()
    const sockets = new WebSocketServer({ server })
    const connected = once(sockets, 'connection')
    open(await listen(server))
    const [socket, request] = await connected
    expect(request.url).toBe('/ws?clientId=a%20b')
    const [message] = await once(socket as WebSocket, 'message')
    expect(JSON.parse(String(message))).toEqual({ type: 'feature_flags', data: { supports_preview_metadata: true } })
  })

  it('ends a connection that sends more than it would ever read, and opens another', async () => {
    const server = createServer()
    const sockets = new WebSocketServer({ server })
    const first = once(sockets, 'connection')
    const told: Buffer[] = []
    open(await listen(server), (data) => void told.push(data))
    const [socket] = await first
    const second = once(sockets, 'connection')
    socket.send(Buffer.alloc(8 * 1024 * 1024 + 1))
    const [code] = await once(socket as WebSocket, 'close')
    expect(code).toBe(1009)
    await second
    expect(told).toEqual([])
  })

  it('ends the connection, not the process, when a listener fails', async () => {
    const server = createServer()
    const sockets = new WebSocketServer({ server })
    const first = once(sockets, 'connection')
    open(await listen(server), () => {
      throw new Error('A listener failed.')
    })
    const [socket] = await first
    socket.send('{}')
    const [code] = await once(socket as WebSocket, 'close')
    expect(code).toBe(1006)
  })

  it('leaves no connection to a server that does not answer its closing', async () => {
    const server = createServer()
    const upgraded = Promise.withResolvers<Duplex>()
    server.on('upgrade', (request, connection: Duplex) => {
      const digest = createHash('sha1').update(`${request.headers['sec-websocket-key']}${PROTOCOL}`).digest('base64')
      const head = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade']
      connection.write(`${[...head, `Sec-WebSocket-Accept: ${digest}`].join('\r\n')}\r\n\r\n`)
      upgraded.resolve(connection)
    })
    const socket = open(await listen(server))
    const gone = untilGone(await upgraded.promise)
    await socket.ready
    socket.close()
    await expect(gone).resolves.toBeUndefined()
  })

  it('leaves no connection when it is closed while it is being opened', async () => {
    const server = createServer()
    const asked = Promise.withResolvers<Duplex>()
    server.on('upgrade', (_request, connection: Duplex) => asked.resolve(connection))
    const socket = open(await listen(server))
    const gone = untilGone(await asked.promise)
    socket.close()
    await socket.ready
    await expect(gone).resolves.toBeUndefined()
  })

  it.each([
    ['nobody listens', 'http://127.0.0.1:1'],
    ['no address could ever be opened', 'http://'],
  ])('is ready all the same where %s', async (_, baseUrl) => {
    await expect(open(baseUrl).ready).resolves.toBeUndefined()
  })

  it('stops trying where none is let through', async () => {
    const refused: Duplex[] = []
    const isOver = Promise.withResolvers<void>()
    const server = createServer()
    server.on('upgrade', (_request, connection: Duplex) => {
      refused.push(connection)
      connection
        .on('error', () => undefined)
        .on('close', () => {
          if (refused.length === 5) isOver.resolve()
        })
      connection.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n')
    })
    const pauses: number[] = []
    const clock = createSystemClock()
    const sleep: Clock['sleep'] = async (ms) => void pauses.push(ms)
    open(await listen(server), undefined, { ...clock, sleep })
    await isOver.promise
    // What would try a sixth time would pause before.
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    expect(pauses).toEqual([2000, 4000, 8000, 10_000])
    expect(refused).toHaveLength(5)
  })
})
