import { type ExecutionArgs, type ExecutionResult, type GraphQLError, type GraphQLSchema, parse } from 'graphql'
import type { SubscribePayload } from 'graphql-ws'
import type { Metrics } from '../metrics.ts'
import type { GraphqlEngine } from './graphql-engine.ts'
import { presentError, presentResult, refusal } from './graphql-errors.ts'
import { observeOperation } from './operation-metrics.ts'
import { createOperationScope, type OperationScope, type ScopeStart } from './operation-scope.ts'
import { isAsyncIterable } from './response-plugin.ts'

export type SocketOperationDeps = {
  readonly engine: GraphqlEngine
  readonly schema: GraphQLSchema
  readonly metrics: Metrics
  readonly operationsPerSocket: number
}

/** The running operations of one socket. */
export type SocketOperations = {
  /** What graphql-ws takes from `onSubscribe`. Never rejects: a rejection there closes the socket under all others. */
  run(start: ScopeStart, payload: SubscribePayload): Promise<ExecutionArgs | readonly GraphQLError[]>
  /** Returns all sources. */
  endAll(): void
}

/**
 * graphql-ws wants to execute; the engine has done so already. It gets a document of the right kind and the finished
 * result as root value, which `passThrough` hands back to it.
 */
const QUERY_DOCUMENT = parse('{ __typename }', { noLocation: true })
const SUBSCRIPTION_DOCUMENT = parse('subscription { __typename }', { noLocation: true })

type SocketResult = ExecutionResult | AsyncIterableIterator<ExecutionResult>

export function passThrough(args: ExecutionArgs): SocketResult {
  return args.rootValue as SocketResult
}

export function createSocketOperations(deps: SocketOperationDeps): SocketOperations {
  const { engine, schema } = deps
  const running = new Map<OperationScope, () => void>()

  async function run(
    scope: OperationScope,
    payload: SubscribePayload,
  ): Promise<ExecutionArgs | readonly GraphQLError[]> {
    const presentation = { requestId: scope.request.requestId, keepHttp: false }
    const observed = observeOperation(deps.metrics, scope)
    try {
      const result = await engine.run(paramsOf(payload), scope)
      if (isAsyncIterable(result)) {
        observed({})
        const stream = hold(scope, result[Symbol.asyncIterator](), presentation.requestId)
        return { schema, document: SUBSCRIPTION_DOCUMENT, rootValue: stream }
      }
      scope.end()
      const shown = presentResult(result, presentation)
      observed(shown)
      if (shown.errors && shown.data === undefined) return shown.errors
      return { schema, document: QUERY_DOCUMENT, rootValue: shown }
    } catch (error) {
      scope.end()
      const shown = presentError(engine.mask(error), presentation)
      observed({ errors: [shown] })
      return [shown]
    }
  }

  /** Ends the scope with the source, and knows the source until then: also one whose id the client has taken for another. */
  function hold(
    scope: OperationScope,
    source: AsyncIterator<ExecutionResult>,
    requestId: string,
  ): AsyncIterableIterator<ExecutionResult> {
    const presentation = { requestId, keepHttp: false }
    const end = () => {
      scope.end()
      void source.return?.().catch(() => undefined)
    }
    if (scope.signal.aborted) end()
    else running.set(scope, end)
    let failed = false
    return {
      [Symbol.asyncIterator]() {
        return this
      },
      async next() {
        if (failed) return { done: true, value: undefined }
        try {
          const next = await source.next()
          if (!next.done) return { done: false, value: presentResult(next.value, presentation) }
          scope.end()
          return next
        } catch (error) {
          failed = true
          end()
          return { done: false, value: { errors: [presentError(engine.mask(error), presentation)] } }
        }
      },
      async return() {
        end()
        return { done: true, value: undefined }
      },
    }
  }

  return {
    run(start, payload) {
      const scope = createOperationScope(start)
      if (running.size >= deps.operationsPerSocket) {
        const error = refusal(
          'RATE_LIMITED',
          `A socket carries at most ${deps.operationsPerSocket} operations at a time.`,
        )
        return Promise.resolve([presentError(error, { requestId: start.request.requestId, keepHttp: false })])
      }
      running.set(scope, scope.abort)
      scope.onEnd(() => running.delete(scope))
      return run(scope, payload)
    },
    endAll() {
      for (const [scope, end] of [...running]) {
        scope.abort()
        end()
      }
    },
  }
}

function paramsOf(payload: SubscribePayload) {
  const { query, operationName, variables, extensions } = payload
  const { documentId = null } = payload as SubscribePayload & { readonly documentId?: unknown }
  return {
    query,
    ...(operationName ? { operationName } : {}),
    ...(variables ? { variables } : {}),
    ...(extensions ? { extensions } : {}),
    ...(documentId === null ? {} : { documentId }),
  }
}
