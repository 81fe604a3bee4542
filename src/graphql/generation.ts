import { parseCursor } from '../events/cursor.ts'
import type { Generation } from '../generation/generation-types.ts'
import type { Builder } from './builder.ts'
import type { Context } from './context.ts'
import { loadAttemptsOf, loadGenerations, loadImagesOf } from './loaders.ts'
import { resolveModel } from './model.ts'
import { fromStored } from './status-event.ts'

export function registerGeneration(builder: Builder): void {
  registerType(builder)
  registerRequest(builder)
  registerOutcome(builder)
  registerFaults(builder)
  registerTimes(builder)
  registerStatus(builder)
  builder.queryField('generation', (t) =>
    t.field({
      type: 'Generation',
      nullable: true,
      authScopes: { read: true },
      description: 'One generation of the viewer; null where there is none with that id.',
      args: { id: t.arg.id({ required: true, description: 'Id of the generation.' }) },
      resolve: async (_root, { id }, { services, viewer }) => (await services.reader.find(viewer, id)) ?? null,
    }),
  )
}

function registerType(builder: Builder): void {
  builder.objectType('Generation', {
    description: "A client's request for images, and all that comes of it.",
    interfaces: ['Node'],
    fields: (t) => ({
      status: t.field({
        type: 'GenerationStatus',
        description: 'Where it stands.',
        resolve: (generation) => generation.status,
      }),
      sequence: t.exposeInt('sequence', { description: 'Sequence of its latest stored event.' }),
      progress: t.float({
        nullable: true,
        description: '0 to 1; null where the provider tells nothing.',
        resolve: progressOf,
      }),
      queue: t.field({
        type: 'QueuePlace',
        nullable: true,
        complexity: 5,
        description: 'Its place in the queue; null unless QUEUED.',
        resolve: (generation, _args, { services }) =>
          generation.status === 'QUEUED' ? services.reader.queuePlace(generation) : null,
      }),
      events: t.field({
        type: ['ImageStatusEvent'],
        complexity: { field: 5, multiplier: 10 },
        description: 'The stored events, in order.',
        args: { after: t.arg.string({ description: 'Only what follows this cursor of an event.' }) },
        resolve: async (generation, { after }, { services }) => {
          const sequence = after == null ? 0 : parseCursor(after, { generationId: generation.id })
          const events = await services.reader.eventsOf(generation.id, sequence)
          return events.map((event) => fromStored(event, generation))
        },
      }),
    }),
  })
}

function progressOf({ id, status }: Generation, _args: unknown, { services }: Context): number | null {
  if (status === 'COMPLETED') return 1
  return status === 'RUNNING' ? services.reader.progressOf(id) : null
}

function registerRequest(builder: Builder): void {
  builder.objectFields('Generation', (t) => ({
    model: t.field({
      type: 'Model',
      description: 'The model that answers, after a fallback.',
      resolve: (generation, _args, { services }) => resolveModel(services.models, generation),
    }),
    requestedModel: t.exposeString('requestedModel', {
      description: 'The model that was asked for, as it was written.',
    }),
    prompt: t.exposeString('prompt', { description: 'The prompt, unchanged.' }),
    negativePrompt: t.exposeString('negativePrompt', { nullable: true, description: 'What was not to be seen.' }),
    count: t.exposeInt('count', { description: 'How many images were asked for.' }),
    parameters: t.field({
      type: 'GenerationParameters',
      description: 'What was really asked of the provider, after defaults and adjustments.',
      resolve: (generation) => generation.parameters,
    }),
    tags: t.exposeStringList('tags', { description: 'The tags it was given.' }),
    metadata: t.expose('metadata', { type: 'JSON', nullable: true, description: 'The metadata it was given.' }),
    endUser: t.exposeString('endUser', { nullable: true, description: "The caller's own user that it was made for." }),
    parent: t.loadable({
      type: 'Generation',
      nullable: true,
      description: 'The generation that it retries; null also when that was deleted.',
      load: async (ids: string[], context) =>
        (await loadGenerations(ids, context)).map((parent) => (parent instanceof Error ? null : parent)),
      loaderOptions: { cache: false },
      resolve: (generation) => generation.parentId,
    }),
  }))
}

function registerOutcome(builder: Builder): void {
  builder.objectFields('Generation', (t) => ({
    images: t.loadableGroup({
      type: 'Image',
      complexity: { field: 1, multiplier: 3 },
      description: 'The images stored so far, by index.',
      load: loadImagesOf,
      group: (image) => image.generationId,
      loaderOptions: { cache: false },
      resolve: (generation) => generation.id,
    }),
    attempts: t.loadableGroup({
      type: 'Attempt',
      complexity: { field: 1, multiplier: 3 },
      description: 'The tries so far, in order.',
      load: loadAttemptsOf,
      group: (attempt) => attempt.generationId,
      loaderOptions: { cache: false },
      resolve: (generation) => generation.id,
    }),
    cost: t.field({
      type: 'GenerationCost',
      description: 'What it may cost, holds and has cost.',
      resolve: (generation) => generation,
    }),
    tokens: t.field({
      type: 'TokenUsage',
      nullable: true,
      description: 'Where the provider reports them.',
      resolve: (generation) => generation.tokens,
    }),
  }))
}

function registerFaults(builder: Builder): void {
  builder.objectFields('Generation', (t) => ({
    problems: t.field({
      type: ['GenerationProblem'],
      complexity: { field: 1, multiplier: 2 },
      description: 'What is missing or went wrong, one entry an image or cause; empty when all is well.',
      resolve: (generation) => generation.problems,
    }),
    error: t.field({
      type: 'GenerationProblem',
      nullable: true,
      description: 'Set when FAILED.',
      resolve: (generation) => generation.error,
    }),
    warnings: t.field({
      type: ['Warning'],
      complexity: { field: 1, multiplier: 2 },
      description: 'What was adjusted or left out, and what else the caller should know.',
      resolve: (generation) => generation.warnings,
    }),
  }))
}

function registerTimes(builder: Builder): void {
  builder.objectFields('Generation', (t) => ({
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was accepted.' }),
    startedAt: t.expose('startedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it first began to run; null while it waits.',
    }),
    finishedAt: t.expose('finishedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it ended; null until then.',
    }),
    durationMs: t.int({
      nullable: true,
      description: 'Milliseconds from `startedAt` to `finishedAt`; null where either is.',
      resolve: ({ startedAt, finishedAt }) =>
        startedAt === null || finishedAt === null ? null : toDuration(finishedAt - startedAt),
    }),
    expiresAt: t.field({
      type: 'DateTime',
      nullable: true,
      description:
        'When prompt and images will be deleted, as the server is set up now; null: kept, or it has not ended yet.',
      resolve: (generation, _args, { services }) => services.retention.expiresAt(generation),
    }),
  }))
}

/** Milliseconds that an Int can hold, whatever was done to the clock in between. */
function toDuration(ms: number): number {
  return Math.min(Math.max(ms, 0), 2 ** 31 - 1)
}

function registerStatus(builder: Builder): void {
  builder.enumType('GenerationStatus', {
    description: 'Where a generation stands. The last three are final.',
    values: {
      QUEUED: { description: 'Accepted and waiting, for the first attempt or for another.' },
      RUNNING: { description: 'An attempt runs.' },
      COMPLETED: { description: 'Ended with at least one image; what is missing stands in `problems`.' },
      FAILED: { description: 'Ended without an image; `error` says why.' },
      CANCELED: { description: 'Canceled before it ended by itself.' },
    },
  })
}
