import { type ClientOptions, WebSocket } from 'ws'
import type { Clock } from '../../clock.ts'
import type { MessageRouter } from './comfyui-messages.ts'

export type EngineSocket = {
  /** Resolves when the socket is open, or when the first try to open it has failed. */
  readonly ready: Promise<void>
  /** For good. Nothing is told after it, and no connection is left a second later. */
  close(): void
}

/** A message that is larger ends the connection: a preview has some tens of kilobytes. */
const MAX_MESSAGE_BYTES = 8 * 1024 * 1024
const OPENING_MS = 5_000
const CLOSING_MS = 1_000
const PAUSE_MS = 1_000
const MAX_PAUSE_MS = 10_000
/** In a row without one that opened: there is something in between that lets no socket through. */
const MAX_FAILURES = 5

/**
 * What a ComfyUI server tells of its work while it works: `GET /ws?clientId=…`. It only ever makes things faster, as
 * nothing rests on it: one that is lost is opened again, and one that cannot be opened is done without. Opened again
 * with the same id it goes on where it was (from memory, unverified).
 */
export function openEngineSocket(given: {
  readonly baseUrl: string
  readonly clientId: string
  readonly headers: Readonly<Record<string, string>>
  readonly clock: Clock
  readonly onMessage: MessageRouter
}): EngineSocket {
  const { clock } = given
  const stop = new AbortController()
  const first = Promise.withResolvers<void>()
  let socket: WebSocket | undefined

  /** Resolves when the connection is gone: was it ever open? */
  function connect(): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    let wasOpen = false
    socket = new WebSocket(urlOf(given), { ...OPTIONS, headers: given.headers })
    socket.on('open', () => {
      wasOpen = true
      socket?.send(GREETING)
      first.resolve()
    })
    socket.on('message', (data, isBinary) => {
      if (stop.signal.aborted || !Buffer.isBuffer(data)) return
      try {
        given.onMessage(data, isBinary)
      } catch {
        // What a listener throws here would end the process; it ends the connection.
        socket?.terminate()
      }
    })
    // A failure is followed by the close, which says it all.
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(wasOpen))
    return promise
  }

  async function keepOpen(): Promise<void> {
    for (let failures = 0; !stop.signal.aborted; ) {
      failures = (await connect()) ? 0 : failures + 1
      first.resolve()
      if (failures === MAX_FAILURES) return
      await clock.sleep(Math.min(PAUSE_MS * 2 ** failures, MAX_PAUSE_MS), stop.signal)
    }
  }

  // An address or a header that no connection can be made of throws: it is done without, as any that cannot be opened.
  keepOpen().catch(() => first.resolve())

  return {
    ready: first.promise,
    close() {
      stop.abort()
      first.resolve()
      socket?.close(1000)
    },
  }
}

const OPTIONS: ClientOptions & { readonly closeTimeout: number } = {
  maxPayload: MAX_MESSAGE_BYTES,
  handshakeTimeout: OPENING_MS,
  // Of a peer that does not answer the closing: its connection is then torn down.
  closeTimeout: CLOSING_MS,
  perMessageDeflate: false,
}

/** Previews that say whose they are are sent to clients that announce themselves so (from memory, unverified). */
const GREETING = JSON.stringify({ type: 'feature_flags', data: { supports_preview_metadata: true } })

function urlOf({ baseUrl, clientId }: { readonly baseUrl: string; readonly clientId: string }): string {
  return `${baseUrl.replace(/^http/, 'ws')}/ws?clientId=${encodeURIComponent(clientId)}`
}
