import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HostGuard } from './host-guard.ts'

/** Headers that a page of another origin may send. Each of them, or a JSON body, makes the browser ask first. */
const REQUEST_HEADERS =
  'authorization, content-type, accept, last-event-id, x-request-id, x-graphql-yoga-csrf, apollo-require-preflight, graphql-require-preflight'
const RESPONSE_HEADERS = 'x-request-id, retry-after, ratelimit, ratelimit-policy, etag, content-length, content-range'

/** For answers that no browser should run, frame, sniff or keep. A handler may set others in their place. */
export function setSecurityHeaders(response: ServerResponse, requestId: string): void {
  response.setHeader('x-request-id', requestId)
  response.setHeader('x-content-type-options', 'nosniff')
  response.setHeader('referrer-policy', 'no-referrer')
  response.setHeader('content-security-policy', "default-src 'none'; frame-ancestors 'none'")
  response.setHeader('cross-origin-opener-policy', 'same-origin')
  response.setHeader('cache-control', 'no-store')
}

/**
 * Lets listed origins read; every other page is told nothing. Answers preflights, and says so by true. Credentials in the
 * sense of CORS (cookies) are never allowed: callers show a bearer token.
 */
export function applyCors(request: IncomingMessage, response: ServerResponse, guard: HostGuard): boolean {
  const { origin } = request.headers
  response.appendHeader('vary', 'origin')
  const listed = origin !== undefined && guard.isListedOrigin(origin)
  if (listed) {
    response.setHeader('access-control-allow-origin', origin)
    response.setHeader('access-control-expose-headers', RESPONSE_HEADERS)
  }
  if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) return false
  if (listed) {
    response.setHeader('access-control-allow-methods', 'GET, HEAD, POST')
    response.setHeader('access-control-allow-headers', REQUEST_HEADERS)
    response.setHeader('access-control-max-age', '600')
  }
  response.writeHead(204).end()
  return true
}

/** An answer outside of any operation, in the shape of a GraphQL answer, so that clients read all failures alike. */
export function sendError(response: ServerResponse, failure: Failure): void {
  const { status, code, message, headers = {}, extensions = {} } = failure
  const requestId = response.getHeader('x-request-id')
  response.statusCode = status
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  response.setHeader('content-type', 'application/json; charset=utf-8')
  response.end(JSON.stringify({ errors: [{ message, extensions: { ...extensions, code, requestId } }] }))
}

export type Failure = {
  readonly status: number
  readonly code: string
  readonly message: string
  readonly headers?: Readonly<Record<string, string>>
  readonly extensions?: Readonly<Record<string, unknown>>
}

export function sendJson(response: ServerResponse, status: number, body: object): void {
  response.statusCode = status
  response.setHeader('content-type', 'application/json; charset=utf-8')
  response.end(JSON.stringify(body))
}
