import type { Builder } from './builder.ts'
import { resolveModel } from './model.ts'

export function registerAttempt(builder: Builder): void {
  builder.objectType('Attempt', {
    description: 'One paid try at a provider. Never changed once it has ended.',
    interfaces: ['Node'],
    fields: (t) => ({
      number: t.exposeInt('number', { description: '1 for the first try of the generation.' }),
      model: t.field({
        type: 'Model',
        description: 'The model that was tried: fallbacks differ in it.',
        resolve: (attempt, _args, { services }) => resolveModel(services.models, attempt),
      }),
      startedAt: t.expose('startedAt', { type: 'DateTime', description: 'When it began.' }),
      finishedAt: t.expose('finishedAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When it ended; null while it runs.',
      }),
    }),
  })
  registerOutcome(builder)
  registerEnums(builder)
}

function registerOutcome(builder: Builder): void {
  builder.objectFields('Attempt', (t) => ({
    phase: t.field({
      type: 'AttemptPhase',
      description: 'How far the call came.',
      resolve: (attempt) => attempt.phase,
    }),
    outcome: t.field({
      type: 'AttemptOutcome',
      nullable: true,
      description: 'What came of it; null while it runs.',
      resolve: (attempt) => attempt.outcome,
    }),
    problem: t.field({
      type: 'GenerationProblem',
      nullable: true,
      description: 'Why it did not succeed.',
      resolve: (attempt) => attempt.problem,
    }),
    providerRequestId: t.exposeString('providerRequestId', {
      nullable: true,
      description: "The provider's request id, for its support.",
    }),
    providerJobId: t.exposeString('providerJobId', {
      nullable: true,
      description: "The provider's own job id, where it has one.",
    }),
  }))
}

function registerEnums(builder: Builder): void {
  builder.enumType('AttemptPhase', {
    description: 'How far a call to a provider came, which decides whether it may be sent again.',
    values: {
      NOT_SENT: { description: 'Nothing has left this server.' },
      SENT_UNKNOWN: { description: 'It was sent, and whether the provider took it is not known.' },
      ACCEPTED: { description: 'The provider took it and is working on it.' },
      DONE: { description: 'The provider has answered.' },
    },
  })
  builder.enumType('AttemptOutcome', {
    description: 'What came of an attempt.',
    values: {
      SUCCEEDED: { description: 'Every image that was asked for.' },
      PARTIAL: { description: 'Some of the images.' },
      FAILED: { description: 'No image.' },
      CANCELED: { description: 'The generation was canceled meanwhile.' },
      ABANDONED: { description: 'Its process stopped; a later attempt took over, or its outcome is unknown.' },
    },
  })
}
