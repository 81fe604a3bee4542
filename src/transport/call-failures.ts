import {
  AppError,
  CostLimitError,
  IdempotencyConflictError,
  InsufficientCreditsError,
  InvalidInputError,
  ModelUnavailableError,
  type ModelUnavailableReason,
  NotFinishedError,
  RateLimitedError,
  RequestError,
} from '../errors.ts'
import { createFaultReport, type FaultReportDeps } from './fault-report.ts'
import { httpOf } from './http-status.ts'

/** A failure as doors with fixed calls tell it, each in its own shape. */
export type CallFailure = {
  readonly status: number
  /** As `code` in GraphQL. */
  readonly code: string
  /** For people, in English. */
  readonly message: string
  /** Dotted path of the first field at fault, in the names of GenerationInput; null: no field is. */
  readonly field: string | null
  /** What a program can act on: plain JSON, money as `Money`. */
  readonly details: Readonly<Record<string, unknown>>
  readonly headers: Readonly<Record<string, string>>
}

export type ReadFailure = (error: unknown) => CallFailure

/** What HTTP itself refuses of a call: its method, its media type, its length. */
export class CallRefusedError extends AppError {
  override readonly name = 'CallRefusedError'
  readonly code: 'METHOD_NOT_ALLOWED' | 'REQUEST_ENTITY_TOO_LARGE' | 'UNSUPPORTED_MEDIA_TYPE'
  readonly headers: Readonly<Record<string, string>>
  constructor(code: CallRefusedError['code'], message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.code = code
    this.headers = headers
  }
}

type Told = Pick<CallFailure, 'status'> & Partial<Pick<CallFailure, 'field' | 'details' | 'headers'>>
type ToMoney = (micros: number) => object

/**
 * The one translator from what services throw to what a door tells its caller. Failures of ours keep their words; all else
 * is logged under an id and masked. `toMoney`: the currency's.
 */
export function createFailureReader(deps: FaultReportDeps & { readonly toMoney: ToMoney }): ReadFailure {
  const report = createFaultReport(deps)
  return (error) => {
    if (!(error instanceof AppError)) {
      const { code, message, details } = report(error)
      return { code, message, field: null, details, ...httpOf(code, details) }
    }
    const { code, message } = error
    return { code, message, field: null, details: {}, headers: {}, ...describe(error, deps.toMoney) }
  }
}

const REFUSED_STATUS = { METHOD_NOT_ALLOWED: 405, REQUEST_ENTITY_TOO_LARGE: 413, UNSUPPORTED_MEDIA_TYPE: 415 } as const

const MODEL_STATUS: Readonly<Record<ModelUnavailableReason, number>> = {
  UNKNOWN: 404,
  AMBIGUOUS: 400,
  RETIRED: 404,
  NOT_CONFIGURED: 503,
  DOWN: 503,
  NOT_ALLOWED: 403,
}

function describe(error: AppError, toMoney: ToMoney): Told {
  if (error instanceof CallRefusedError) return { status: REFUSED_STATUS[error.code], headers: error.headers }
  if (error instanceof InvalidInputError) {
    return { status: 400, field: error.fields[0]?.path ?? null, details: { fields: error.fields } }
  }
  if (error instanceof ModelUnavailableError) {
    const { reason, suggestions, replacement } = error
    return { status: MODEL_STATUS[reason], field: 'model', details: { reason, suggestions, replacement } }
  }
  if (error instanceof RateLimitedError) return describeLimit(error)
  if (error instanceof RequestError) {
    const { argument } = error.details
    const field = typeof argument === 'string' ? argument : null
    return { ...httpOf(error.code, error.details), field, details: error.details }
  }
  return describeConflict(error, toMoney)
}

function describeConflict(error: AppError, toMoney: ToMoney): Told {
  if (error instanceof InsufficientCreditsError) {
    const details = { required: toMoney(error.requiredMicros), balance: toMoney(error.balanceMicros) }
    return { status: 402, details }
  }
  if (error instanceof CostLimitError) {
    const { estimateMicros, limitMicros } = error
    const estimate = estimateMicros === null ? null : toMoney(estimateMicros)
    return { status: 402, details: { estimate, limit: toMoney(limitMicros) } }
  }
  if (error instanceof IdempotencyConflictError) {
    return { status: 422, field: 'idempotencyKey', details: { generationId: error.generationId } }
  }
  if (error instanceof NotFinishedError) return { status: 409, details: { generationId: error.generationId } }
  return httpOf(error.code, {})
}

/** To the millisecond in the header that SDKs read first. */
function describeLimit({ code, limit, limitPerMinute, retryAfterMs }: RateLimitedError): Told {
  const { status, headers } = httpOf(code, { retryAfterMs })
  const details = { retryAfterMs, limit, limitPerMinute }
  return { status, details, headers: { ...headers, 'retry-after-ms': String(retryAfterMs) } }
}
