import { GraphQLError } from 'graphql'
import {
  AppError,
  CostLimitError,
  IdempotencyConflictError,
  InsufficientCreditsError,
  InvalidInputError,
  ModelUnavailableError,
  NotFinishedError,
  NotFoundError,
  RateLimitedError,
  RequestError,
} from '../errors.ts'
import type { Builder } from './builder.ts'
import { loadGenerations } from './loaders.ts'

/**
 * The one translator from our failures to GraphQL. Those that a mutation's result union names become members of it (the
 * types below, by the errors plugin); everything else goes through here on its way out. null: no failure of ours that a
 * caller is told about, so the transport logs it with an id and masks it.
 */
export function toGraphQLError(error: unknown): GraphQLError | null {
  const cause = findAppError(error)
  if (!cause) return null
  const at = error instanceof GraphQLError ? { nodes: error.nodes, path: error.path, source: error.source } : {}
  const positions = error instanceof GraphQLError ? { positions: error.positions } : {}
  return new GraphQLError(cause.message, {
    ...at,
    ...positions,
    originalError: cause,
    extensions: describe(cause),
  })
}

function findAppError(error: unknown): AppError | null {
  if (error instanceof AppError) return error
  if (error instanceof GraphQLError && error.originalError) return findAppError(error.originalError)
  return null
}

/** Where a union has no member for it, an error keeps what a client can act on. */
function describe(error: AppError): Record<string, unknown> {
  if (error instanceof RequestError) return { ...error.details, code: error.code }
  if (error instanceof InvalidInputError) return { code: 'BAD_USER_INPUT', fields: error.fields }
  if (error instanceof RateLimitedError) return describeLimit(error)
  return { code: error.code }
}

/** What the headers of an HTTP answer say, for those who see none: on sockets and in event streams. */
function describeLimit({ code, limit, limitPerMinute, retryAfterMs }: RateLimitedError): Record<string, unknown> {
  const resetSeconds = Math.ceil(retryAfterMs / 1000)
  const rateLimit = { limit, quota: limitPerMinute, remaining: 0, windowSeconds: 60, resetSeconds }
  return { code, retryAfterMs, rateLimit }
}

export function registerErrors(builder: Builder): void {
  builder.interfaceType('UserError', {
    description: 'An expected failure: a member of a result union, to be handled by the client. More may be added.',
    fields: (t) => ({
      message: t.exposeString('message', { description: 'For people, in English.' }),
      code: t.exposeString('code', { description: 'For programs; never changes.' }),
    }),
  })
  registerInputErrors(builder)
  registerMoneyErrors(builder)
  registerGenerationErrors(builder)
}

function registerInputErrors(builder: Builder): void {
  builder.objectType('FieldProblem', {
    description: 'What is wrong with one field of the input.',
    fields: (t) => ({
      path: t.exposeString('path', { description: 'Dotted path inside the input, e.g. `fallbackModels.0`.' }),
      message: t.exposeString('message', { description: 'What is wrong, and what would do.' }),
      allowed: t.exposeStringList('allowed', {
        description: 'Values that would do; empty where they cannot be listed.',
      }),
    }),
  })
  builder.objectType(InvalidInputError, {
    name: 'InvalidInputError',
    description: 'The input cannot be honoured. One entry for each offending field.',
    interfaces: ['UserError'],
    fields: (t) => ({
      fields: t.field({
        type: ['FieldProblem'],
        description: 'Every offending field, so that a form can mark them all at once.',
        resolve: (error) => error.fields,
      }),
    }),
  })
  builder.objectType(RateLimitedError, {
    name: 'RateLimitedError',
    description: 'The account, or the end user of a token, asks more often than it may.',
    interfaces: ['UserError'],
    fields: (t) => ({
      retryAfterMs: t.exposeInt('retryAfterMs', { description: 'Milliseconds after which a request has a chance.' }),
      limitPerMinute: t.exposeInt('limitPerMinute', { description: 'Requests that it may make in a minute.' }),
    }),
  })
  builder.objectType(NotFoundError, {
    name: 'NotFoundError',
    description: 'There is no such object for this viewer. What belongs to someone else is answered in the same words.',
    interfaces: ['UserError'],
  })
}

function registerMoneyErrors(builder: Builder): void {
  builder.objectType(InsufficientCreditsError, {
    name: 'InsufficientCreditsError',
    description: 'The balance does not cover the upper bound of the estimate.',
    interfaces: ['UserError'],
    fields: (t) => ({
      required: t.field({
        type: 'Money',
        description: 'What would have to be held.',
        resolve: (error, _args, { services }) => services.currency.toMoney(error.requiredMicros),
      }),
      balance: t.field({
        type: 'Money',
        description: 'What can still be spent: balance less what is held.',
        resolve: (error, _args, { services }) => services.currency.toMoney(error.balanceMicros),
      }),
    }),
  })
  builder.objectType(CostLimitError, {
    name: 'CostLimitError',
    description:
      'The estimate is above `maxCost` or above a cap of the key, token or account; or the price is unknown and a cap was set.',
    interfaces: ['UserError'],
    fields: (t) => ({
      estimate: t.field({
        type: 'Money',
        nullable: true,
        description: 'Upper bound of the estimate; null: the price is unknown.',
        resolve: (error, _args, { services }) =>
          error.estimateMicros === null ? null : services.currency.toMoney(error.estimateMicros),
      }),
      limit: t.field({
        type: 'Money',
        description: 'The cap that was met.',
        resolve: (error, _args, { services }) => services.currency.toMoney(error.limitMicros),
      }),
    }),
  })
}

function registerGenerationErrors(builder: Builder): void {
  registerModelUnavailable(builder)
  builder.objectType(IdempotencyConflictError, {
    name: 'IdempotencyConflictError',
    description: 'The idempotency key was used for another request in the last 24 hours.',
    interfaces: ['UserError'],
    fields: (t) => ({
      generation: t.loadable({
        type: 'Generation',
        description: 'What the key stands for.',
        load: loadGenerations,
        loaderOptions: { cache: false },
        resolve: (error) => error.generationId,
      }),
    }),
  })
  builder.objectType(NotFinishedError, {
    name: 'NotFinishedError',
    description: 'The generation is still waiting or running. Cancel it or wait for its end first.',
    interfaces: ['UserError'],
    fields: (t) => ({
      generation: t.loadable({
        type: 'Generation',
        description: 'The generation as it stands.',
        load: loadGenerations,
        loaderOptions: { cache: false },
        resolve: (error) => error.generationId,
      }),
    }),
  })
}

function registerModelUnavailable(builder: Builder): void {
  builder.enumType('ModelUnavailableReason', {
    description: 'Why a model cannot take the job. More values may be added.',
    values: {
      UNKNOWN: { description: 'No model goes by that name; `suggestions` lists near ones.' },
      AMBIGUOUS: { description: 'More than one model goes by that name; `suggestions` lists them.' },
      RETIRED: { description: 'Its vendor has switched it off; `replacement` is the successor, where there is one.' },
      NOT_CONFIGURED: { description: 'This server has no key for its provider.' },
      DOWN: { description: 'Its provider does not answer at present.' },
      NOT_ALLOWED: { description: 'This key or token is restricted to other models.' },
    },
  })
  builder.objectType(ModelUnavailableError, {
    name: 'ModelUnavailableError',
    description: 'The model is unknown, ambiguous, retired, without a key, down, or not allowed to this caller.',
    interfaces: ['UserError'],
    fields: (t) => ({
      reason: t.field({
        type: 'ModelUnavailableReason',
        description: 'Which of these it is.',
        resolve: (error) => error.reason,
      }),
      suggestions: t.exposeStringList('suggestions', {
        description: 'Ids of models that may have been meant, or that would do.',
      }),
      replacement: t.field({
        type: 'Model',
        nullable: true,
        description: 'The model that its vendor names as successor.',
        resolve: (error, _args, { services }) =>
          error.replacement === null ? null : services.models.find(error.replacement),
      }),
    }),
  })
}
