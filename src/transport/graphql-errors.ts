import { type ExecutionResult, GraphQLError } from 'graphql'
import { toGraphQLError } from '../graphql/errors.ts'
import type { Ids } from '../ids.ts'
import type { Logger } from '../logger.ts'

/** HTTP status by `extensions.code`, where an answer has no data at all. */
const STATUS_BY_CODE: Readonly<Record<string, number>> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  NOT_ACCEPTABLE: 406,
  RATE_LIMITED: 429,
  INTERNAL: 500,
  UNAVAILABLE: 503,
}

/** Of the transport's own extensions, clients see none. */
const INTERNAL_EXTENSIONS = new Set(['unexpected', 'originalError'])

const RETRY_AFTER_MS = 1_000
const UNAVAILABLE = 'The server cannot get at its data right now. Try again in a moment.'

export function statusOf(code: string): number {
  return STATUS_BY_CODE[code] ?? 400
}

export function refusal(
  code: string,
  message: string,
  extensions: Readonly<Record<string, unknown>> = {},
): GraphQLError {
  return new GraphQLError(message, { extensions: { ...extensions, code, http: httpOf(code, extensions) } })
}

export type ErrorHttp = { readonly status: number; readonly headers: Readonly<Record<string, string>> }

function httpOf(code: string, { retryAfterMs }: Readonly<Record<string, unknown>>): ErrorHttp {
  const retryAfter = typeof retryAfterMs === 'number' ? String(Math.max(1, Math.ceil(retryAfterMs / 1000))) : null
  return { status: statusOf(code), headers: retryAfter === null ? {} : { 'retry-after': retryAfter } }
}

/** Status and headers that a failure of ours has over HTTP. */
export function httpOfError({ extensions }: GraphQLError): ErrorHttp {
  return httpOf(String(extensions.code), extensions)
}

/**
 * Turns what was thrown into what a client may see. Failures of ours are translated by the schema's own translator and get
 * their HTTP status here; what GraphQL itself reports passes; where the place of the data fails for now, the caller is told
 * to come again; all else is a bug. The last two are logged under an id, and that id is all that leaves the house.
 */
export function createErrorMask(deps: {
  readonly logger: Logger
  readonly ids: Ids
  readonly isPassingFault?: (error: unknown) => boolean
}): (error: unknown) => GraphQLError {
  return (error) => {
    const known = toGraphQLError(error)
    if (known) return withStatus(known)
    const cause = causeOf(error)
    const place = error instanceof GraphQLError ? placeOf(error) : {}
    if (cause instanceof GraphQLError) return error instanceof GraphQLError ? error : cause
    const errorId = deps.ids.token()
    if (deps.isPassingFault?.(cause)) {
      deps.logger.error({ error: cause, errorId }, 'A request failed because data could not be read or written.')
      const extensions = { code: 'UNAVAILABLE', errorId, retryAfterMs: RETRY_AFTER_MS }
      return withStatus(new GraphQLError(UNAVAILABLE, { ...place, extensions }))
    }
    deps.logger.error({ error: cause, errorId }, 'An unexpected error was masked.')
    return new GraphQLError('Unexpected error.', {
      ...place,
      extensions: { code: 'INTERNAL', errorId, http: { status: 500 } },
    })
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
