import type { IncomingMessage } from 'node:http'
import type { Ids } from '../ids.ts'
import { type ClientAddress, networkOf } from './client-address.ts'

/** Facts of the HTTP request, or of the WebSocket's opening, that an operation came with. */
export type RequestInfo = {
  readonly requestId: string
  readonly host: string | null
  readonly origin: string | null
  /** The network of the caller, as failures are counted by. */
  readonly network: string
}

const REQUEST_ID = /^[\w.-]{8,64}$/

/** Takes over the caller's `x-request-id` where it is harmless, so that one id goes through a chain of services. */
export function readRequestInfo(
  request: IncomingMessage,
  { ids, clientAddress }: { ids: Ids; clientAddress: ClientAddress },
): RequestInfo {
  const given = headerOf(request, 'x-request-id')
  return {
    requestId: given && REQUEST_ID.test(given) ? given : ids.token(),
    host: headerOf(request, 'host'),
    origin: headerOf(request, 'origin'),
    network: networkOf(clientAddress(request)),
  }
}

export function headerOf(request: IncomingMessage, name: string): string | null {
  const value = request.headers[name]
  return typeof value === 'string' ? value : null
}

/** Path and query of an origin-form target (`/graphql?query=…`); null for anything else, such as `//host/path`. */
export function parseTarget(target: string | undefined): { pathname: string; search: string } | null {
  if (!target?.startsWith('/') || target.startsWith('//')) return null
  const query = target.indexOf('?')
  return query < 0
    ? { pathname: target, search: '' }
    : { pathname: target.slice(0, query), search: target.slice(query) }
}

/** True only where no proxy stands between: a forwarded request comes from the loopback but not from this machine. */
export function isLocalCaller(request: IncomingMessage): boolean {
  const address = request.socket.remoteAddress ?? ''
  const loopback = address === '::1' || /^(?:::ffff:)?127\./.test(address)
  return loopback && !request.headers.forwarded && !request.headers['x-forwarded-for']
}
