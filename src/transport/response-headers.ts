import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HostGuard } from './host-guard.ts'

/** What the OpenAI SDKs tell of themselves on every call. */
const SDK_HEADERS = ['arch', 'lang', 'os', 'package-version', 'retry-count', 'runtime', 'runtime-version', 'timeout']
const GRAPHQL_HEADERS = ['x-graphql-yoga-csrf', 'apollo-require-preflight', 'graphql-require-preflight']
/** Headers that a page of another origin may send. Each of them, or a JSON body, makes the browser ask first. */
const REQUEST_HEADERS = [
  ...['authorization', 'content-type', 'accept', 'last-event-id', 'x-request-id', 'idempotency-key', 'prefer'],
  ...['mcp-protocol-version', 'mcp-method', 'mcp-name', 'mcp-session-id', ...GRAPHQL_HEADERS],
  ...SDK_HEADERS.map((name) => `x-stainless-${name}`),
].join(', ')
const RESPONSE_HEADERS = [
  ...['x-request-id', 'retry-after', 'retry-after-ms', 'x-should-retry', 'ratelimit', 'ratelimit-policy'],
  ...['location', 'preference-applied', 'mcp-session-id', 'etag', 'content-length', 'content-range'],
].join(', ')

/** For answers that no browser should run, frame, sniff, embed elsewhere or keep. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
}

/** On every answer, also of errors. A handler may set others in their place. */
export function setSecurityHeaders(response: ServerResponse, requestId: string): void {
  response.setHeader('x-request-id', requestId)
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value)
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
