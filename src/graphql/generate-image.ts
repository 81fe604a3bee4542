import {
  CostLimitError,
  IdempotencyConflictError,
  InsufficientCreditsError,
  InvalidInputError,
  ModelUnavailableError,
  RateLimitedError,
} from '../errors.ts'
import { toGenerationInput, toRetryOverrides } from '../generation/given-input.ts'
import type { Builder } from './builder.ts'

/** A few fit into one operation, and a hundred aliases do not. */
const GENERATE_COST = 300

export function registerGenerateImage(builder: Builder): void {
  registerSuccess(builder)
  registerPriority(builder)
  const result = registerResult(builder)
  registerGenerate(builder, result)
  registerRetry(builder, result)
}

type Result = ReturnType<typeof registerResult>

/** Two fields share it, so it is named once and not by either. */
function registerResult(builder: Builder) {
  return builder.errorUnion('GenerateImageResult', {
    description: 'The generation, or why there is none. Nothing was held or called for an error.',
    types: [
      'GenerateImageSuccess',
      InvalidInputError,
      ModelUnavailableError,
      InsufficientCreditsError,
      CostLimitError,
      RateLimitedError,
      IdempotencyConflictError,
    ],
    resolveType: () => 'GenerateImageSuccess',
  })
}

function registerGenerate(builder: Builder, result: Result): void {
  builder.mutationField('generateImage', (t) =>
    t.field({
      type: result,
      authScopes: { generate: true },
      complexity: GENERATE_COST,
      description: 'Accepts a request for images. They are made after the answer: watch `imageStatus`.',
      args: { input: t.arg({ type: 'GenerateImageInput', required: true, description: 'What to make.' }) },
      resolve: (_root, { input }, { services, viewer }) =>
        services.generations.create(viewer, toGenerationInput(input)),
    }),
  )
}

function registerSuccess(builder: Builder): void {
  builder.objectType('GenerateImageSuccess', {
    description: 'The request was accepted, and its highest cost is held.',
    fields: (t) => ({
      generation: t.field({
        type: 'Generation',
        description: 'The generation that was made, or that the idempotency key stands for.',
        resolve: ({ generation }) => generation,
      }),
      historyEdge: t.field({
        type: 'HistoryEdge',
        description: 'For clients that put it into a list by edge.',
        resolve: ({ generation }) => generation,
      }),
      replayed: t.exposeBoolean('replayed', {
        description: 'true when an idempotency key matched an earlier request.',
      }),
      webhookSecret: t.string({
        nullable: true,
        description:
          'What messages to `webhookUrl` are signed with (`whsec_…`): the same for every generation with that address; null without one. Not for browsers.',
        resolve: ({ webhookUrl }, _args, { services, viewer }) =>
          webhookUrl === null ? null : services.webhooks.secretOfAddress(viewer, webhookUrl),
      }),
      account: t.field({
        type: 'Account',
        description: 'With the balance and holds as they are after this request.',
        resolve: (_success, _args, { services, viewer }) => services.accounts.account(viewer),
      }),
    }),
  })
}

function registerPriority(builder: Builder): void {
  builder.enumType('GenerationPriority', {
    description: "Order among an account's own generations; it takes nothing from other accounts.",
    values: {
      LOW: { description: 'After the others.' },
      NORMAL: { description: 'In the order of asking.' },
      HIGH: { description: 'Before the others.' },
    },
  })
}

function registerRetry(builder: Builder, result: Result): void {
  const overrides = builder.inputType('GenerationOverridesInput', {
    description: 'What to change in the request of the generation that is retried.',
    fields: (t) => ({
      prompt: t.string({ description: 'Another prompt.' }),
      model: t.string({ description: 'Another model.' }),
      seed: t.field({ type: 'SafeInt', description: 'Another seed.' }),
      count: t.int({ description: 'Another number of images.' }),
      strict: t.boolean({ description: 'Refuse, or adjust, what the model cannot honour.' }),
      providerOptions: t.field({ type: 'JSON', description: 'Other settings that only this provider knows.' }),
    }),
  })
  builder.mutationField('retryGeneration', (t) =>
    t.field({
      type: result,
      authScopes: { generate: true },
      complexity: GENERATE_COST,
      description:
        'A new generation with the same request, changed by `overrides` and linked through `parent`. An unknown id is a GraphQL error NOT_FOUND.',
      args: {
        id: t.arg.id({ required: true, description: 'Id of the generation to retry.' }),
        overrides: t.arg({ type: overrides, description: 'What to change; without it, nothing.' }),
        idempotencyKey: t.arg.string({ description: 'As in `GenerateImageInput`.' }),
      },
      resolve: (_root, args, { services, viewer }) =>
        services.generations.retry(viewer, args.id, toRetryOverrides(args.overrides), args.idempotencyKey ?? null),
    }),
  )
}
