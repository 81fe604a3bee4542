import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { WireMode } from './wire-mode.ts'

export type WireReply = {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** An object is sent as JSON, pieces one by one as they come, each in a write of its own. */
  readonly body?: object | string | Buffer | AsyncIterable<string | Buffer>
}

/**
 * Faults of the connection, which every vendor may have:
 *
 * - `hang`: the request is read and never answered
 * - `reset`: the request is read and the connection torn down
 * - `truncate at=20`: the answer breaks off after so many bytes of its body (default: half)
 * - `dribble every=5 bytes=64`: the answer comes in small pieces
 * - `delay=200`: with any mode, the answer begins that many milliseconds later
 * - `status code=500`: an answer of this status, with a body that is not the vendor's
 * - `empty`, `garbage`: status 200 with no body, with a body that is nothing
 * - `redirect to=https://example.com`: 302
 */
export async function sendReply(
  request: IncomingMessage,
  response: ServerResponse,
  mode: WireMode,
  handle: () => Promise<WireReply> | WireReply,
): Promise<void> {
  const wait = mode.number('delay')
  if (wait !== undefined) await delay(wait)
  switch (mode.name) {
    case 'hang':
      return
    case 'reset':
      request.socket.resetAndDestroy()
      return
    case 'status':
      response.writeHead(mode.number('code') ?? 500, { 'content-type': 'text/html' })
      response.end('<html><body>A proxy says so.</body></html>')
      return
    case 'empty':
      response.writeHead(200, { 'content-type': 'application/json' }).end()
      return
    case 'garbage':
      response.writeHead(200, { 'content-type': 'application/json' }).end('}{ this is nothing')
      return
    case 'redirect':
      response.writeHead(302, { location: mode.settings.to ?? 'https://example.com/' }).end()
      return
    default:
      await write(response, await handle(), mode)
  }
}

async function write(response: ServerResponse, reply: WireReply, mode: WireMode): Promise<void> {
  const { status = 200, headers = {}, body = '' } = reply
  if (isStream(body)) return writeStream(response, { status, headers }, body, mode)
  const bytes = toBytes(body)
  const type = typeof body === 'object' && !Buffer.isBuffer(body) ? { 'content-type': 'application/json' } : {}
  response.writeHead(status, { ...type, 'content-length': String(bytes.length), ...headers })
  if (mode.name === 'truncate') return breakOff(response, bytes, mode)
  if (mode.name !== 'dribble') return void response.end(bytes)
  const size = mode.number('bytes') ?? 64
  for (let at = 0; at < bytes.length; at += size) {
    response.write(bytes.subarray(at, at + size))
    await delay(mode.number('every') ?? 1)
  }
  response.end()
}

async function writeStream(
  response: ServerResponse,
  head: { readonly status: number; readonly headers: Readonly<Record<string, string>> },
  body: AsyncIterable<string | Buffer>,
  mode: WireMode,
): Promise<void> {
  response.writeHead(head.status, head.headers)
  let pieces = 0
  for await (const piece of body) {
    if (response.destroyed) return
    if (mode.name === 'truncate' && pieces === (mode.number('after') ?? 1)) {
      return breakOff(response, toBytes(piece), mode)
    }
    // A body without end must not lie in memory: the next piece is made when there is room for it, or nobody reads.
    if (!response.write(piece)) await untilWritable(response)
    pieces += 1
  }
  response.end()
}

function untilWritable(response: ServerResponse): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  response.on('drain', resolve).on('close', resolve)
  return promise.finally(() => response.off('drain', resolve).off('close', resolve))
}

/** The last bytes are on their way before the connection goes. */
function breakOff(response: ServerResponse, bytes: Buffer, mode: WireMode): void {
  const at = mode.number('at') ?? Math.floor(bytes.length / 2)
  response.write(bytes.subarray(0, at), () => response.destroy())
}

function isStream(body: NonNullable<WireReply['body']>): body is AsyncIterable<string | Buffer> {
  return typeof body === 'object' && Symbol.asyncIterator in body
}

function toBytes(body: object | string | Buffer): Buffer {
  if (Buffer.isBuffer(body)) return body
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
}
