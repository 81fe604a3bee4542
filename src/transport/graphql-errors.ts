import { type ExecutionResult, GraphQLError } from 'graphql'
import { toGraphQLError } from '../graphql/errors.ts'
import { createFaultReport, type FaultReportDeps } from './fault-report.ts'
import { type ErrorHttp, httpOf } from './http-status.ts'

/** Of the transport's own extensions, clients see none. */
const INTERNAL_EXTENSIONS = new Set(['unexpected', 'originalError'])

export function refusal(
  code: string,
  message: string,
  extensions: Readonly<Record<string, unknown>> = {},
): GraphQLError {
  return new GraphQLError(message, { extensions: { ...extensions, code, http: httpOf(code, extensions) } })
}

/** Status and headers that a failure of ours has over HTTP. */
export function httpOfError({ extensions }: GraphQLError): ErrorHttp {
  return httpOf(String(extensions.code), extensions)
}

/**
 * Turns what was thrown into what a client may see. Failures of ours are translated by the schema's own translator and get
 * their HTTP status here; what GraphQL itself reports passes; all else is reported as a fault of the house.
 */
export function createErrorMask(deps: FaultReportDeps): (error: unknown) => GraphQLError {
  const report = createFaultReport(deps)
  return (error) => {
    const known = toGraphQLError(error)
    if (known) return withStatus(known)
    const cause = causeOf(error)
    const place = error instanceof GraphQLError ? placeOf(error) : {}
    if (cause instanceof GraphQLError) return error instanceof GraphQLError ? error : cause
    const { code, message, details } = report(cause)
    return withStatus(new GraphQLError(message, { ...place, extensions: { code, ...details } }))
  }
}

function causeOf(error: unknown): unknown {
  let cause = error
  while (cause instanceof GraphQLError && cause.originalError) cause = cause.originalError
  return cause
}

function placeOf(error: GraphQLError) {
  return { nodes: error.nodes, source: error.source, positions: error.positions, path: error.path }
}

function withStatus(error: GraphQLError): GraphQLError {
  const extensions = { ...error.extensions, http: httpOfError(error) }
  return new GraphQLError(error.message, { ...placeOf(error), extensions })
}

export type Presentation = {
  readonly requestId: string
  /** Keep `extensions.http`, which decides the HTTP status and is taken out by the writer of the answer. */
  readonly keepHttp: boolean
}

/** Every error that leaves carries a code and the request's id, and nothing of ours. Results without errors pass as they are. */
export function presentResult<Result extends ExecutionResult>(result: Result, presentation: Presentation): Result {
  if (!result.errors?.length) return result
  const hasData = result.data !== undefined && result.data !== null
  const keepHttp = presentation.keepHttp && !hasData
  return { ...result, errors: result.errors.map((error) => presentError(error, { ...presentation, keepHttp })) }
}

export function presentError(error: GraphQLError, presentation: Presentation): GraphQLError {
  const extensions: Record<string, unknown> = { code: 'BAD_USER_INPUT' }
  for (const [key, value] of Object.entries(error.extensions ?? {})) {
    if (INTERNAL_EXTENSIONS.has(key) || (key === 'http' && !presentation.keepHttp)) continue
    extensions[key] = value
  }
  return new GraphQLError(error.message, {
    ...placeOf(error),
    extensions: { ...extensions, requestId: presentation.requestId },
  })
}
