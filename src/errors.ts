/**
 * Failures that callers are told about. Everything else that is thrown is a bug: it is logged with an id and masked.
 * `graphql/errors.ts` is the only translator from here to GraphQL, `transport/call-failures.ts` to all other doors.
 */

export abstract class AppError extends Error {
  /** Stable, machine-readable; shown to clients as `code`. */
  abstract readonly code: string
}

export type FieldProblem = {
  /** Dotted path inside the input, e.g. `prompt` or `fallbackModels.0`. */
  readonly path: string
  readonly message: string
  /** Values that would do; empty where they cannot be listed. */
  readonly allowed: readonly string[]
}

/** 422. One entry for each offending field. */
export class InvalidInputError extends AppError {
  override readonly name = 'InvalidInputError'
  readonly code = 'INVALID_INPUT'
  readonly fields: readonly FieldProblem[]
  constructor(fields: readonly FieldProblem[]) {
    super(fields.map((field) => `${field.path}: ${field.message}`).join(' '))
    this.fields = fields
  }
}

export type ModelUnavailableReason = 'UNKNOWN' | 'AMBIGUOUS' | 'RETIRED' | 'NOT_CONFIGURED' | 'DOWN' | 'NOT_ALLOWED'

export class ModelUnavailableError extends AppError {
  override readonly name = 'ModelUnavailableError'
  readonly code = 'MODEL_UNAVAILABLE'
  readonly reason: ModelUnavailableReason
  /** Ids of models that the caller may have meant or may use instead. */
  readonly suggestions: readonly string[]
  /** Model id that the vendor names as successor. */
  readonly replacement: string | null
  constructor(details: {
    message: string
    reason: ModelUnavailableReason
    suggestions?: readonly string[]
    replacement?: string | null
  }) {
    super(details.message)
    this.reason = details.reason
    this.suggestions = details.suggestions ?? []
    this.replacement = details.replacement ?? null
  }
}

/** 402. */
export class InsufficientCreditsError extends AppError {
  override readonly name = 'InsufficientCreditsError'
  readonly code = 'INSUFFICIENT_CREDITS'
  readonly requiredMicros: number
  /** What can still be spent: balance less open holds. */
  readonly balanceMicros: number
  constructor(details: { requiredMicros: number; balanceMicros: number }) {
    super('The balance does not cover the highest cost that this request may have.')
    this.requiredMicros = details.requiredMicros
    this.balanceMicros = details.balanceMicros
  }
}

/** The estimate is above a cap, or the price is unknown and a cap was set. */
export class CostLimitError extends AppError {
  override readonly name = 'CostLimitError'
  readonly code = 'COST_LIMIT'
  /** null: the price is unknown. */
  readonly estimateMicros: number | null
  readonly limitMicros: number
  constructor(details: { message: string; estimateMicros: number | null; limitMicros: number }) {
    super(details.message)
    this.estimateMicros = details.estimateMicros
    this.limitMicros = details.limitMicros
  }
}

/** What is counted in a minute, by whom: the limits as headers and extensions name them. */
export const RATE_LIMITS = {
  account: 'requests of the account',
  'end-user-requests': 'requests of the end user',
  'end-user': 'operations of the end user',
  token: 'operations with the access token',
  key: 'operations with the API key',
  address: 'attempts with wrong credentials from the address',
} as const
export type RateLimitName = keyof typeof RATE_LIMITS

/** Where a caller stands with one limit in its current minute. */
export type RateStanding = {
  readonly limit: RateLimitName
  readonly quota: number
  readonly remaining: number
  readonly resetMs: number
}

/** 429. */
export class RateLimitedError extends AppError {
  override readonly name = 'RateLimitedError'
  readonly code = 'RATE_LIMITED'
  readonly limit: RateLimitName
  readonly retryAfterMs: number
  readonly limitPerMinute: number
  constructor(details: { limit: RateLimitName; retryAfterMs: number; limitPerMinute: number }) {
    super(`More than ${details.limitPerMinute} ${RATE_LIMITS[details.limit]} in a minute.`)
    this.limit = details.limit
    this.retryAfterMs = details.retryAfterMs
    this.limitPerMinute = details.limitPerMinute
  }
}

export class IdempotencyConflictError extends AppError {
  override readonly name = 'IdempotencyConflictError'
  readonly code = 'IDEMPOTENCY_CONFLICT'
  readonly generationId: string
  constructor(generationId: string) {
    super('This idempotency key was used for another request in the last 24 hours. Use a new key.')
    this.generationId = generationId
  }
}

/** 404. What belongs to someone else is answered in the same words as what does not exist. */
export class NotFoundError extends AppError {
  override readonly name = 'NotFoundError'
  readonly code = 'NOT_FOUND'
  constructor(what: string) {
    super(`No such ${what}.`)
  }
}

export class NotFinishedError extends AppError {
  override readonly name = 'NotFinishedError'
  readonly code = 'NOT_FINISHED'
  readonly generationId: string
  constructor(generationId: string) {
    super('The generation has not finished. Cancel it or wait for its end first.')
    this.generationId = generationId
  }
}

export type RequestErrorCode =
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'BAD_USER_INPUT'
  | 'RATE_LIMITED'
  | 'QUERY_TOO_COMPLEX'
  | 'UNAVAILABLE'

/** Ends the whole request: a GraphQL error with `extensions.code`, never a member of a result union. */
export class RequestError extends AppError {
  override readonly name = 'RequestError'
  readonly code: RequestErrorCode
  readonly details: Readonly<Record<string, unknown>>
  constructor(code: RequestErrorCode, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message)
    this.code = code
    this.details = details
  }
}

/** FORBIDDEN. `what`: the field or call; any one of the scopes would have done. */
export function missingScope(what: string, scopes: readonly string[]): RequestError {
  const needed = scopes.map((scope) => `"${scope}"`).join(' or ')
  const message = `"${what}" needs the scope ${needed}, which this key or token does not have.`
  return new RequestError('FORBIDDEN', message, { scopes })
}
