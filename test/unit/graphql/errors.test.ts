import { GraphQLError } from 'graphql'
import { describe, expect, it } from 'vitest'
import {
  type AppError,
  CostLimitError,
  IdempotencyConflictError,
  InsufficientCreditsError,
  InvalidInputError,
  ModelUnavailableError,
  NotFinishedError,
  NotFoundError,
  RateLimitedError,
  RequestError,
} from '../../../src/errors.ts'
import { toGraphQLError } from '../../../src/graphql/errors.ts'
import { createFakeWorld, type FakeWorld } from './fake-world.ts'
import { generation } from './rows.ts'
import { run, runToErrors } from './run.ts'

const MONEY = '{ amount currency credits }'
const GENERATE = `mutation {
  generateImage(input: { prompt: "a fox" }) {
    __typename
    ... on UserError { code message }
    ... on InvalidInputError { fields { path message allowed } }
    ... on ModelUnavailableError { reason suggestions replacement { id } }
    ... on InsufficientCreditsError { required ${MONEY} balance ${MONEY} }
    ... on CostLimitError { estimate ${MONEY} limit ${MONEY} }
    ... on RateLimitedError { retryAfterMs limitPerMinute }
    ... on IdempotencyConflictError { generation { id } }
  }
}`

function worldThatFails(failure: Error): FakeWorld {
  const world = createFakeWorld()
  world.generations.push(generation())
  world.failure = failure
  return world
}

const MEMBERS: readonly [AppError, Record<string, unknown>][] = [
  [
    new InvalidInputError([{ path: 'count', message: 'At most 10.', allowed: ['1', '10'] }]),
    {
      __typename: 'InvalidInputError',
      code: 'INVALID_INPUT',
      fields: [{ path: 'count', message: 'At most 10.', allowed: ['1', '10'] }],
    },
  ],
  [
    new ModelUnavailableError({ message: 'Gone.', reason: 'RETIRED', replacement: 'sandbox/painter' }),
    {
      __typename: 'ModelUnavailableError',
      code: 'MODEL_UNAVAILABLE',
      message: 'Gone.',
      reason: 'RETIRED',
      suggestions: [],
      replacement: { id: 'sandbox/painter' },
    },
  ],
  [
    new InsufficientCreditsError({ requiredMicros: 80_000, balanceMicros: -5 }),
    {
      __typename: 'InsufficientCreditsError',
      code: 'INSUFFICIENT_CREDITS',
      required: { amount: '0.080000', currency: 'EUR', credits: '80.000000' },
      balance: { amount: '-0.000005', currency: 'EUR', credits: '-0.005000' },
    },
  ],
  [
    new CostLimitError({ message: 'Too dear.', estimateMicros: null, limitMicros: 10 }),
    { __typename: 'CostLimitError', code: 'COST_LIMIT', estimate: null, limit: { amount: '0.000010' } },
  ],
  [
    new RateLimitedError({ limit: 'account', retryAfterMs: 1500, limitPerMinute: 60 }),
    { __typename: 'RateLimitedError', code: 'RATE_LIMITED', retryAfterMs: 1500, limitPerMinute: 60 },
  ],
  [
    new IdempotencyConflictError('gen_1'),
    { __typename: 'IdempotencyConflictError', code: 'IDEMPOTENCY_CONFLICT', generation: { id: 'gen_1' } },
  ],
]

describe('an expected failure', () => {
  it.each(MEMBERS)('%s is a member of the result', async (failure, member) => {
    const { generateImage } = await run(GENERATE, worldThatFails(failure).context())
    expect(generateImage).toMatchObject({ message: failure.message, ...member })
  })

  it('of retrying is the same member', async () => {
    const retry = 'mutation { retryGeneration(id: "gen_1") { __typename } }'
    const data = await run(
      retry,
      worldThatFails(new RateLimitedError({ limit: 'account', retryAfterMs: 1, limitPerMinute: 1 })).context(),
    )
    expect(data).toEqual({ retryGeneration: { __typename: 'RateLimitedError' } })
  })

  it('of deleting a generation that runs shows that generation', async () => {
    const remove =
      'mutation { deleteGeneration(id: "gen_1") { ... on NotFinishedError { code generation { id status } } } }'
    expect(await run(remove, worldThatFails(new NotFinishedError('gen_1')).context())).toEqual({
      deleteGeneration: { code: 'NOT_FINISHED', generation: { id: 'gen_1', status: 'QUEUED' } },
    })
  })

  it('of canceling, deleting or revoking what there is not is NotFoundError', async () => {
    const world = worldThatFails(new NotFoundError('generation'))
    for (const field of ['cancelGeneration', 'deleteGeneration', 'revokeApiKey']) {
      const operation = `mutation { ${field}(id: "gen_9") { __typename ... on NotFoundError { code message } } }`
      expect(await run(operation, world.context())).toEqual({
        [field]: { __typename: 'NotFoundError', code: 'NOT_FOUND', message: 'No such generation.' },
      })
    }
  })
})

describe('a failure of the whole request', () => {
  it('is a GraphQL error with its code, its details and its place', async () => {
    const failure = new RequestError('NOT_FOUND', 'No such generation.', { argument: 'id' })
    const retry = 'mutation { again: retryGeneration(id: "gen_9") { __typename } }'
    expect(await runToErrors(retry, worldThatFails(failure).context())).toEqual([
      { message: 'No such generation.', extensions: { code: 'NOT_FOUND', argument: 'id' }, path: ['again'] },
    ])
  })

  it('is what an expected failure becomes where its union has no such member', async () => {
    const failure = new InvalidInputError([{ path: 'id', message: 'Is empty.', allowed: [] }])
    const cancel = 'mutation { cancelGeneration(id: "") { __typename } }'
    expect(await runToErrors(cancel, worldThatFails(failure).context())).toMatchObject([
      { extensions: { code: 'BAD_USER_INPUT', fields: [{ path: 'id' }] } },
    ])
  })
})

describe('toGraphQLError', () => {
  it('keeps how long a caller that asks too often should wait', () => {
    const translated = toGraphQLError(new RateLimitedError({ limit: 'account', retryAfterMs: 250, limitPerMinute: 1 }))
    const rateLimit = { limit: 'account', quota: 1, remaining: 0, windowSeconds: 60, resetSeconds: 1 }
    expect(translated?.extensions).toEqual({ code: 'RATE_LIMITED', retryAfterMs: 250, rateLimit })
  })

  it('knows nothing of bugs, and of errors that GraphQL itself makes', () => {
    expect(toGraphQLError(new TypeError('x is not a function'))).toBeNull()
    expect(toGraphQLError(new GraphQLError('Syntax Error', {}))).toBeNull()
    expect(toGraphQLError(new GraphQLError('x', { originalError: new Error('SQLITE_FULL') }))).toBeNull()
    expect(toGraphQLError('a thrown string')).toBeNull()
  })
})
