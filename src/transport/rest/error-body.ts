import type { FieldProblem } from '../../errors.ts'
import type { CallFailure } from '../call-failures.ts'
import { describeFailedGeneration, GenerationFailedError } from './generation-failed.ts'
import { GenerationOpenError } from './generation-open.ts'
import { MalformedRequestError } from './malformed-request.ts'
import { inCallersWords, paramOf } from './param-names.ts'
import type { RestFailure } from './rest-failure.ts'

type Context = {
  readonly readFailure: (error: unknown) => CallFailure
  /** The field that reference pictures came in. */
  readonly picturesIn: string
}

/** Official codes, where there is one for ours. */
const CODES: Readonly<Record<string, string>> = {
  UNAUTHENTICATED: 'invalid_api_key',
  FORBIDDEN: 'insufficient_permissions',
  RATE_LIMITED: 'rate_limit_exceeded',
  INVALID_INPUT: 'invalid_value',
  BAD_USER_INPUT: 'invalid_value',
  INTERNAL: 'server_error',
}

const TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  429: 'rate_limit_error',
}

export function describeError(error: unknown, context: Context): RestFailure {
  if (error instanceof MalformedRequestError) return describeMalformed(error)
  if (error instanceof GenerationFailedError) return describeFailedGeneration(error)
  if (error instanceof GenerationOpenError) return error.failure
  const failure = context.readFailure(error)
  const { status, headers, field, details } = failure
  const { fields, ...more } = details
  const problems = isProblems(fields) ? fields.map((each) => tellField(each, context.picturesIn)) : null
  const param = field === null ? null : paramOf(field, context.picturesIn)
  const message =
    problems === null
      ? inCallersWords(failure.message, context.picturesIn)
      : problems.map((each) => `${each.param}: ${each.message}`).join(' ')
  const told = Object.fromEntries(Object.entries(more).map(([name, value]) => [paramOf(name, ''), value]))
  const code = codeOf(failure)
  const error_ = { message, type: typeOf(status), param, code, ...told, ...(problems && { errors: problems }) }
  return { status, headers, body: { error: error_ } }
}

export function typeOf(status: number): string {
  return TYPES[status] ?? (status >= 500 ? 'server_error' : 'invalid_request_error')
}

function codeOf({ code, details }: CallFailure): string {
  if (code === 'MODEL_UNAVAILABLE') return details.reason === 'UNKNOWN' ? 'model_not_found' : 'model_unavailable'
  return CODES[code] ?? code.toLowerCase()
}

function describeMalformed({ message, faults }: MalformedRequestError): RestFailure {
  const [first] = faults
  const { param = null, code = 'invalid_value' } = first ?? {}
  const body = { error: { message, type: typeOf(400), param, code, errors: faults } }
  return { status: 400, headers: {}, body }
}

function isProblems(fields: unknown): fields is readonly FieldProblem[] {
  return Array.isArray(fields)
}

function tellField({ path, message, allowed }: FieldProblem, picturesIn: string) {
  return {
    param: paramOf(path, picturesIn),
    message: inCallersWords(message, picturesIn),
    code: 'invalid_value',
    allowed,
  }
}
