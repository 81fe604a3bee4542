import type { IncomingMessage, ServerResponse } from 'node:http'
import { readBody } from './request-body.ts'
import { parseTarget } from './request-facts.ts'
import { sendError } from './response-headers.ts'
import type { Route } from './server-options.ts'

export type ReceiveCallback = (
  path: string,
  call: {
    readonly headers: Readonly<Record<string, string | undefined>>
    body(): Promise<Uint8Array | null>
  },
) => Promise<'heard' | 'late' | 'forged' | 'unknown' | 'unchecked' | 'too_large'>

const PREFIX = '/callbacks/'
/** A vendor may send along all that a job was given, pictures too. */
const MAX_BYTES = 8 * 1_048_576

const REFUSALS = {
  forged: { status: 401, code: 'UNAUTHENTICATED', message: 'This is not signed as callbacks of this provider are.' },
  unknown: { status: 404, code: 'NOT_FOUND', message: 'Nothing answers here.' },
  unchecked: { status: 503, code: 'UNAVAILABLE', message: 'It cannot be checked now. Send it again.' },
  too_large: { status: 413, code: 'BAD_USER_INPUT', message: `A callback may have ${MAX_BYTES} bytes.` },
} as const

/** Vendors that say that a job has ended. One that is late or comes again is answered like the first. */
export function createCallbackRoute(receive: ReceiveCallback): Route {
  return {
    prefix: PREFIX,
    name: 'callbacks',
    async handle(request: IncomingMessage, response: ServerResponse) {
      if (request.method !== 'POST') {
        response.setHeader('allow', 'POST')
        return sendError(response, { status: 405, code: 'BAD_USER_INPUT', message: 'Callbacks are sent with POST.' })
      }
      const path = parseTarget(request.url)?.pathname.slice(PREFIX.length) ?? ''
      const verdict = await receive(path, {
        headers: plainHeaders(request),
        body: () => readBody(request, { openBytes: MAX_BYTES, maxBytes: MAX_BYTES, permit: async () => undefined }),
      })
      if (verdict === 'heard' || verdict === 'late') response.writeHead(204).end()
      else sendError(response, REFUSALS[verdict])
    },
  }
}

function plainHeaders({ headers }: IncomingMessage): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === 'string' ? value : undefined]),
  )
}
