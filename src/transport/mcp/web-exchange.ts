import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'

/** Any base will do: the protocol looks at method and headers. */
const ADDRESS = 'http://pictor.invalid/mcp'

/** The request as the SDK reads it; its body has been read already. */
export function toWebRequest(request: IncomingMessage, signal: AbortSignal): Request {
  const headers = new Headers()
  for (const [name, value] of Object.entries(request.headers)) {
    // Credentials have been looked at; nothing behind here needs them.
    if (typeof value === 'string' && name !== 'authorization') headers.set(name, value)
  }
  return new Request(ADDRESS, { method: 'POST', headers, signal })
}

/**
 * Writes no faster than the caller reads. One who takes nothing for `stallMs` is cut off.
 */
export async function sendWebResponse(answered: Response, response: ServerResponse, stallMs: number): Promise<void> {
  if (response.destroyed) return void answered.body?.cancel()
  response.statusCode = answered.status
  for (const [name, value] of answered.headers) if (name !== 'connection') response.setHeader(name, value)
  // Long answers may be silent for a while, but then they send comments.
  response.setTimeout(stallMs, () => response.destroy())
  if (answered.body !== null) await writeBody(answered.body, response)
  response.end()
}

async function writeBody(body: ReadableStream<Uint8Array>, response: ServerResponse): Promise<void> {
  response.flushHeaders()
  const closed = new AbortController()
  response.once('close', () => closed.abort())
  for await (const chunk of body) {
    if (response.destroyed) return
    if (!response.write(chunk)) await once(response, 'drain', { signal: closed.signal }).catch(() => undefined)
  }
}
