import type { ServerResponse } from 'node:http'
import type { CallFailure } from '../call-failures.ts'

/** Of the range that JSON-RPC leaves to servers. What it was stands in `data.code`. */
export const SERVER_ERROR = -32000

/** What is refused before the protocol is spoken: an HTTP status, and a body that clients of the protocol can read. */
export function sendRpcRefusal(
  response: ServerResponse,
  refusal: Pick<CallFailure, 'status' | 'message' | 'headers'> & {
    readonly rpcCode?: number
    readonly data: Readonly<Record<string, unknown>>
    readonly id?: string | number | null
  },
): void {
  const { status, message, headers, rpcCode = SERVER_ERROR, data, id = null } = refusal
  const requestId = response.getHeader('x-request-id')
  response.statusCode = status
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  if (status === 401) response.setHeader('www-authenticate', 'Bearer')
  response.setHeader('content-type', 'application/json; charset=utf-8')
  response.end(JSON.stringify({ jsonrpc: '2.0', id, error: { code: rpcCode, message, data: { ...data, requestId } } }))
}
