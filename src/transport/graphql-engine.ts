import type { ExecutionResult, GraphQLError } from 'graphql'
import { createYoga, type GraphQLParams } from 'graphql-yoga'
import { createAuthenticationPlugin } from './authentication-plugin.ts'
import { createDocumentLimits } from './document-limits.ts'
import { createErrorMask } from './graphql-errors.ts'
import type { HostGuard } from './host-guard.ts'
import { createKnownOperationsPlugin } from './known-operations-plugin.ts'
import type { TransportLimits } from './limits.ts'
import { createOperationGuard } from './operation-guard.ts'
import { createOperationPlugin } from './operation-plugin.ts'
import type { OperationScope } from './operation-scope.ts'
import type { ServerContext } from './plugin-context.ts'
import { createRequestFormat } from './request-format.ts'
import { createResponsePlugin } from './response-plugin.ts'
import type { Scheduler } from './scheduler.ts'
import type { HttpServerOptions } from './server-options.ts'
import type { SubscriptionPlaces } from './subscription-places.ts'

export type EngineRequest = {
  readonly method: string
  /** Path and query. */
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Buffer<ArrayBuffer> | null
}

/** Runs operations. One pipeline for all transports: the same plugins see each of them. */
export type GraphqlEngine = {
  /** For HTTP. Where the answer is a stream its body is empty and `scope.events` holds what to write. */
  respond(request: EngineRequest, scope: OperationScope): Promise<Response>
  /** For sockets. */
  run(params: GraphQLParams, scope: OperationScope): Promise<ExecutionResult | AsyncIterable<ExecutionResult>>
  mask(error: unknown): GraphQLError
}

export type EngineDeps = {
  readonly options: HttpServerOptions
  readonly limits: TransportLimits
  readonly guard: HostGuard
  readonly places: SubscriptionPlaces
  readonly scheduler: Scheduler
}

/** Any base will do: the path alone is looked at, and a Host header of the caller's is no part of a URL here. */
const BASE_URL = 'http://pictor.invalid'

/** Of a multipart request. A field is the operation or the map: text without pictures. */
const FORM_LIMITS = { fields: 10, fieldSize: 1_048_576, files: 10, parts: 20, headerPairs: 50 }

export function createGraphqlEngine({ options, limits, guard, places, scheduler }: EngineDeps): GraphqlEngine {
  const mask = createErrorMask(options)
  const yoga = createYoga<ServerContext>({
    schema: options.schema,
    graphqlEndpoint: '/graphql',
    context: ({ scope }) => buildContext(options, scope),
    maskedErrors: { maskError: mask, errorMessage: 'Unexpected error.' },
    plugins: [
      createRequestFormat(guard),
      createAuthenticationPlugin(options),
      createKnownOperationsPlugin(options.operations),
      createDocumentLimits({ ...limits, introspection: options.config.introspection }),
      createOperationPlugin({ ...options, guard: createOperationGuard(options, limits), places, scheduler, limits }),
      createResponsePlugin(),
    ],
    maxRequestBodySize: false,
    batching: false,
    extraParamNames: ['documentId'],
    cors: false,
    graphiql: false,
    landingPage: false,
    logging: false,
  })
  /** Yoga's own checks ask for a method and headers; what a socket came with stands in its scope. */
  const socketRequest = new yoga.fetchAPI.Request(`${BASE_URL}/graphql`, { method: 'POST' })

  return {
    respond: async ({ method, target, headers, body }, scope) => {
      const init = { method, headers, body, formDataLimits: FORM_LIMITS }
      return await yoga.handleRequest(new yoga.fetchAPI.Request(BASE_URL + target, init), { scope })
    },
    run: async (params, scope) => {
      const result = await yoga.getResultForParams({ params, request: socketRequest }, { scope })
      return result ?? {}
    },
    mask,
  }
}

function buildContext(options: HttpServerOptions, scope: OperationScope): object | Promise<object> {
  const { viewer, request, lastEventId, stream, signal } = scope
  if (viewer === null) throw new Error('An operation came through without a viewer.')
  return options.createContext({ viewer, requestId: request.requestId, lastEventId, stream, signal })
}
