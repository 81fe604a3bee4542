import type { ExecutionResult } from 'graphql'
import { acceptsStream, wantsOnlyStream } from './content-negotiation.ts'
import { STREAM_HEADERS } from './event-stream.ts'
import { httpOfError, presentResult } from './graphql-errors.ts'
import type { ErrorHttp } from './http-status.ts'
import type { OperationScope } from './operation-scope.ts'
import type { TransportPlugin } from './plugin-context.ts'

const OPERATIONAL_REFUSALS = new Set(['UNAUTHENTICATED', 'RATE_LIMITED', 'UNAVAILABLE'])

/** Writes nothing itself: single results go back to Yoga's processor, streams are left in the scope for the SSE writer. */
export function createResponsePlugin(): TransportPlugin {
  return {
    onResultProcess({ request, result, setResult, setResultProcessor, serverContext: { scope } }) {
      if (Array.isArray(result)) return
      const { requestId } = scope.request
      if (isAsyncIterable(result)) {
        if (!acceptsStream(request)) return
        scope.events = result[Symbol.asyncIterator]()
        setResultProcessor((_, { Response }) => new Response(null, { headers: STREAM_HEADERS }), 'text/event-stream')
        return
      }
      const single: ExecutionResult = result
      if (!wantsOnlyStream(request)) {
        setResult(presentResult(single, { requestId, keepHttp: true }))
        return
      }
      scope.events = onlyOne(presentResult(single, { requestId, keepHttp: false }))
      const { status, headers } = streamHttp(single, scope)
      setResultProcessor(
        (_, { Response }) => new Response(null, { status, headers: { ...STREAM_HEADERS, ...headers } }),
        'text/event-stream',
      )
    },
  }
}

/**
 * A request that is refused before any operation was looked at, or for who sent it, has that refusal's status. What an
 * operation itself reports travels inside a stream of status 200, because clients do not read the body of any other.
 */
function streamHttp(result: ExecutionResult, scope: OperationScope): ErrorHttp {
  const [error] = result.errors ?? []
  if (!error) return OK
  if (typeof error.extensions.code === 'string' && OPERATIONAL_REFUSALS.has(error.extensions.code))
    return httpOfError(error)
  const { http } = error.extensions
  if (scope.operation !== 'unknown' || typeof http !== 'object' || http === null) return OK
  const spec = 'spec' in http && http.spec === true
  return !spec && 'status' in http && typeof http.status === 'number' ? { status: http.status, headers: {} } : OK
}

const OK: ErrorHttp = { status: 200, headers: {} }

async function* onlyOne(result: ExecutionResult): AsyncGenerator<ExecutionResult> {
  yield result
}

export function isAsyncIterable(value: object): value is AsyncIterable<unknown> {
  return Symbol.asyncIterator in value
}
