import { once } from 'node:events'
import { WebSocket, WebSocketServer } from 'ws'
import type { WireVendor } from './wire-server.ts'

/** The `/ws` of a ComfyUI server: one socket for each client id, the newest. */
export type EngineSockets = Required<Pick<WireVendor, 'upgrade' | 'close'>> & {
  /** To the socket of this client; where there is none nobody hears it. */
  send(clientId: string, message: object | Buffer): void
  /** To every socket, as Comfy Cloud does. */
  broadcast(message: object | Buffer): void
  /** Does the client read previews that say whose they are? */
  readsMetadata(clientId: string): boolean
  /** Resolves when the client has read all that was sent to it; at once where there is none. */
  flush(clientId: string): Promise<void>
  /** Tears the client's connection down. */
  cut(clientId: string): void
  /** Resolves when the client has a socket. */
  untilOpen(clientId: string): Promise<void>
}

export function createEngineSockets(options: {
  /** No socket is let through, as by a proxy that knows none. */
  readonly refuses: boolean
  /** A socket has been closed, with this code. */
  onClose(code: number): void
}): EngineSockets {
  const server = new WebSocketServer({ noServer: true })
  const sockets = new Map<string, WebSocket>()
  const announced = new WeakSet<WebSocket>()
  const waiting = new Set<() => void>()

  function accept(socket: WebSocket, clientId: string): void {
    sockets.set(clientId, socket)
    socket.on('message', (data) => {
      const { type, data: flags } = JSON.parse(String(data))
      if (type === 'feature_flags' && flags.supports_preview_metadata === true) announced.add(socket)
      for (const look of waiting) look()
    })
    socket.on('error', () => undefined)
    socket.on('close', (code) => {
      options.onClose(code)
      if (sockets.get(clientId) === socket) sockets.delete(clientId)
    })
    socket.send(
      JSON.stringify({ type: 'status', data: { status: { exec_info: { queue_remaining: 0 } }, sid: clientId } }),
    )
    for (const look of waiting) look()
  }

  return {
    upgrade(request, socket, head) {
      const url = new URL(request.url ?? '/', 'http://engine')
      const clientId = url.searchParams.get('clientId')
      if (options.refuses || !/^(\/api)?\/ws$/.test(url.pathname) || !clientId) {
        socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
        return
      }
      server.handleUpgrade(request, socket, head, (opened) => accept(opened, clientId))
    },
    send: (clientId, message) => sockets.get(clientId)?.send(toFrame(message)),
    broadcast(message) {
      for (const socket of sockets.values()) socket.send(toFrame(message))
    },
    readsMetadata(clientId) {
      const socket = sockets.get(clientId)
      return socket !== undefined && announced.has(socket)
    },
    async flush(clientId) {
      const socket = sockets.get(clientId)
      if (socket?.readyState !== WebSocket.OPEN) return
      const over = new AbortController()
      socket.ping()
      // A client answers in order, so what came before the ping has been read.
      await Promise.race(['pong', 'close'].map((event) => once(socket, event, { signal: over.signal })))
      over.abort()
    },
    cut(clientId) {
      sockets.get(clientId)?.terminate()
      sockets.delete(clientId)
    },
    untilOpen(clientId) {
      return new Promise((resolve) => {
        const look = () => {
          const socket = sockets.get(clientId)
          if (!socket || !announced.has(socket)) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      })
    },
    close() {
      for (const socket of server.clients) socket.terminate()
    },
  }
}

function toFrame(message: object | Buffer): string | Buffer {
  return Buffer.isBuffer(message) ? message : JSON.stringify(message)
}

/** Type 1: a u32 format (1 JPEG, 2 PNG) and the picture. */
export function toPreviewFrame(picture: Buffer): Buffer {
  return Buffer.concat([words(1, picture[0] === 0xff ? 1 : 2), picture])
}

/** Type 4: a u32 length, as much JSON, and the picture. */
export function toMetadataFrame(picture: Buffer, metadata: object): Buffer {
  const json = Buffer.from(JSON.stringify(metadata))
  return Buffer.concat([words(4, json.length), json, picture])
}

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4)
  return bytes
}
