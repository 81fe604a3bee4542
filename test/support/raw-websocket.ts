import { once } from 'node:events'
import { type ClientOptions, WebSocket } from 'ws'

export type RawMessage = { readonly type: string; readonly id?: string; readonly payload?: unknown }

/** A WebSocket without a protocol client: every frame and the close code as they are. */
export type RawSocket = {
  readonly socket: WebSocket
  send(message: RawMessage | string): void
  /** The next message that has not been taken yet. */
  next(): Promise<RawMessage>
  /** Sends connection_init and takes the answer. */
  init(payload?: object): Promise<RawMessage>
  closed: Promise<{ readonly code: number; readonly reason: string }>
}

export async function openRawSocket(url: string, options: ClientOptions = {}): Promise<RawSocket> {
  const socket = new WebSocket(url, 'graphql-transport-ws', options)
  const messages: RawMessage[] = []
  const takers: ((message: RawMessage) => void)[] = []
  socket.on('message', (data) => {
    const message = JSON.parse(String(data))
    const taker = takers.shift()
    if (taker) taker(message)
    else messages.push(message)
  })
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }))
  })
  await once(socket, 'open')
  const send = (message: RawMessage | string) =>
    socket.send(typeof message === 'string' ? message : JSON.stringify(message))
  const next = () => {
    const message = messages.shift()
    return message ? Promise.resolve(message) : new Promise<RawMessage>((resolve) => takers.push(resolve))
  }
  return {
    socket,
    send,
    next,
    init(payload = { authorization: 'Bearer good' }) {
      send({ type: 'connection_init', payload })
      return next()
    },
    closed,
  }
}

/** The HTTP status with which an upgrade is refused; 101 when it is not. */
export function upgradeStatus(url: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, 'graphql-transport-ws', { headers })
    socket.once('open', () => {
      socket.close()
      resolve(101)
    })
    socket.once('unexpected-response', (request, response) => {
      request.destroy()
      resolve(response.statusCode ?? 0)
    })
    socket.once('error', reject)
  })
}
