import { describe, expect, it } from 'vitest'
import {
  CostLimitError,
  IdempotencyConflictError,
  InsufficientCreditsError,
  InvalidInputError,
  ModelUnavailableError,
  NotFinishedError,
  NotFoundError,
  RateLimitedError,
  RequestError,
} from '../../../../src/errors.ts'
import type { Problem, ProblemCode } from '../../../../src/generation/generation-types.ts'
import { CallRefusedError, createFailureReader } from '../../../../src/transport/call-failures.ts'
import { describeError } from '../../../../src/transport/rest/error-body.ts'
import { GenerationFailedError } from '../../../../src/transport/rest/generation-failed.ts'
import { GenerationOpenError } from '../../../../src/transport/rest/generation-open.ts'
import { adviseRetry } from '../../../../src/transport/rest/retry-advice.ts'
import { createRecordingLogger } from '../../../support/recording-logger.ts'
import { generation } from '../../graphql/rows.ts'

const logger = createRecordingLogger()
const readFailure = createFailureReader({
  logger,
  ids: { token: () => 'err_1' },
  isPassingFault: (error) => error instanceof Error && error.message === 'SQLITE_BUSY',
  toMoney: (micros) => ({ amount: String(micros) }),
})

function tell(error: unknown) {
  const { status, headers, body } = describeError(error, { readFailure, picturesIn: 'image' })
  return { status, headers, error: body.error }
}

describe('a failure', () => {
  it.each([
    [new RequestError('UNAUTHENTICATED', 'No.'), 401, 'authentication_error', 'invalid_api_key', null],
    [new RequestError('FORBIDDEN', 'No.'), 403, 'permission_error', 'insufficient_permissions', null],
    [new NotFoundError('generation'), 404, 'invalid_request_error', 'not_found', null],
    [new NotFinishedError('gen_1'), 409, 'invalid_request_error', 'not_finished', null],
    [new IdempotencyConflictError('gen_1'), 422, 'invalid_request_error', 'idempotency_conflict', 'Idempotency-Key'],
    [
      new InsufficientCreditsError({ requiredMicros: 2, balanceMicros: 1 }),
      402,
      'billing_error',
      'insufficient_credits',
      null,
    ],
    [
      new CostLimitError({ message: 'No.', estimateMicros: null, limitMicros: 1 }),
      402,
      'billing_error',
      'cost_limit',
      null,
    ],
    [
      new RateLimitedError({ limit: 'key', retryAfterMs: 1_500, limitPerMinute: 3 }),
      429,
      'rate_limit_error',
      'rate_limit_exceeded',
      null,
    ],
    [
      new ModelUnavailableError({ message: 'No.', reason: 'UNKNOWN' }),
      404,
      'invalid_request_error',
      'model_not_found',
      'model',
    ],
    [
      new ModelUnavailableError({ message: 'No.', reason: 'AMBIGUOUS' }),
      400,
      'invalid_request_error',
      'model_unavailable',
      'model',
    ],
    [
      new ModelUnavailableError({ message: 'No.', reason: 'NOT_ALLOWED' }),
      403,
      'permission_error',
      'model_unavailable',
      'model',
    ],
    [new ModelUnavailableError({ message: 'No.', reason: 'DOWN' }), 503, 'server_error', 'model_unavailable', 'model'],
    [
      new CallRefusedError('UNSUPPORTED_MEDIA_TYPE', 'No.'),
      415,
      'invalid_request_error',
      'unsupported_media_type',
      null,
    ],
    [
      new RequestError('BAD_USER_INPUT', 'No.', { argument: 'after' }),
      400,
      'invalid_request_error',
      'invalid_value',
      'after',
    ],
  ])('%s is told with %i as %s, %s at %s', (error, status, type, code, param) => {
    const told = tell(error)
    expect([told.status, told.error.type, told.error.code, told.error.param]).toEqual([status, type, code, param])
    expect(told.error.message).not.toBe('')
  })

  it('tells every field in the caller’s names, and the first as the one', () => {
    const { error } = tell(
      new InvalidInputError([
        { path: 'referenceImages.1.url', message: 'No such picture.', allowed: [] },
        { path: 'outputFormat', message: 'Not this.', allowed: ['PNG'] },
      ]),
    )
    expect(error).toMatchObject({
      param: 'image.1',
      message: 'image.1: No such picture. output_format: Not this.',
      errors: [{ param: 'image.1' }, { param: 'output_format', allowed: ['PNG'] }],
    })
    expect(error).not.toHaveProperty('fields')
  })

  it('says how long to wait, to the second and to the millisecond', () => {
    const { headers, error } = tell(new RateLimitedError({ limit: 'key', retryAfterMs: 1_500, limitPerMinute: 3 }))
    expect(headers).toEqual({ 'retry-after': '2', 'retry-after-ms': '1500' })
    expect(error).toMatchObject({ retry_after_ms: 1500, limit: 'key', limit_per_minute: 3 })
  })

  it('tells money as the house writes it', () => {
    const { error } = tell(new InsufficientCreditsError({ requiredMicros: 2, balanceMicros: 1 }))
    expect(error).toMatchObject({ required: { amount: '2' }, balance: { amount: '1' } })
  })

  it('that is a bug is masked under an id, and one that passes says when to come again', () => {
    const bug = tell(new TypeError('secret sk-canary'))
    expect(bug).toMatchObject({
      status: 500,
      error: { code: 'server_error', message: 'Unexpected error.', error_id: 'err_1' },
    })
    expect(JSON.stringify(bug)).not.toContain('canary')
    const passing = tell(new Error('SQLITE_BUSY'))
    expect(passing).toMatchObject({ status: 503, headers: { 'retry-after': '1' }, error: { code: 'unavailable' } })
  })
})

function problem(code: ProblemCode): Problem {
  const none = { imageIndex: null, providerCode: null, providerRequestId: null }
  return {
    code,
    message: 'It failed.',
    stage: 'PROVIDER',
    retryable: true,
    billed: false,
    providerBilled: false,
    ...none,
  }
}

describe('a generation that failed', () => {
  it.each<[ProblemCode, number, string]>([
    ['REFUSED', 400, 'moderation_blocked'],
    ['INVALID_REQUEST', 400, 'invalid_request'],
    ['MODEL_RETIRED', 400, 'model_retired'],
    ['CANCELED', 409, 'canceled'],
    ['RATE_LIMITED', 503, 'rate_limited'],
    ['UNAVAILABLE', 503, 'unavailable'],
    ['UNAUTHORIZED', 502, 'unauthorized'],
    ['UNKNOWN_OUTCOME', 502, 'unknown_outcome'],
    ['BAD_OUTPUT', 502, 'bad_output'],
    ['TIMEOUT', 504, 'timeout'],
    ['DEADLINE_EXCEEDED', 504, 'deadline_exceeded'],
    ['INTERNAL', 500, 'internal'],
  ])('by %s is told with %i as %s, and never to be made again by itself', (code, status, word) => {
    const failed = new GenerationFailedError(
      generation({ status: 'FAILED', error: problem(code), problems: [problem(code)] }),
    )
    const told = tell(failed)
    expect([told.status, told.error.code]).toEqual([status, word])
    expect(told.error).toMatchObject({ generation_id: 'gen_1', billed: false, retryable: true })
    expect(told.headers).toEqual({ location: '/v1/images/generations/gen_1' })
    for (const hasKey of [true, false]) expect(adviseRetry(failed, { status, hasKey, isCounted: hasKey })).toBe('false')
  })

  it('for the caller’s own key is the caller’s to mend', () => {
    const own = generation({ status: 'FAILED', keySource: 'ACCOUNT', error: problem('UNAUTHORIZED') })
    expect(tell(new GenerationFailedError(own))).toMatchObject({ status: 400, error: { param: 'byok_api_key' } })
  })
})

describe('whether an SDK may repeat a call by itself', () => {
  const advise = (error: unknown, hasKey: boolean) =>
    adviseRetry(error, { status: tell(error).status, hasKey, isCounted: false })

  it.each([
    ['a limit that passes', new RateLimitedError({ limit: 'key', retryAfterMs: 1, limitPerMinute: 1 }), null, null],
    ['a provider that is down', new ModelUnavailableError({ message: 'No.', reason: 'DOWN' }), null, null],
    [
      'a provider without a key',
      new ModelUnavailableError({ message: 'No.', reason: 'NOT_CONFIGURED' }),
      'false',
      'false',
    ],
    ['what was cut short', new RequestError('UNAVAILABLE', 'It took too long.'), 'false', null],
    ['a bug', new TypeError('x'), 'false', null],
    ['what still runs', new GenerationOpenError('gen_1', 'LIMIT'), 'false', 'false'],
    ['a server that stops', new GenerationOpenError('gen_1', 'DRAIN'), 'false', 'true'],
    ['what is refused for good', new NotFoundError('generation'), null, null],
  ])('%s: without an Idempotency-Key, and with one', (_, error, without, withKey) => {
    expect([advise(error, false), advise(error, true)]).toEqual([without, withKey])
  })
})
