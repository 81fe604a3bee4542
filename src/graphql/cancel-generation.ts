import { NotFoundError } from '../errors.ts'
import type { Builder } from './builder.ts'

export function registerCancelGeneration(builder: Builder): void {
  builder.objectType('CancelGenerationSuccess', {
    description: 'What canceling did.',
    fields: (t) => ({
      generation: t.field({
        type: 'Generation',
        description: 'As it stands now.',
        resolve: ({ generation }) => generation,
      }),
      effect: t.field({
        type: 'CancelEffect',
        description: 'Whether it came in time, and what it cost.',
        resolve: ({ effect }) => effect,
      }),
    }),
  })
  builder.enumType('CancelEffect', {
    description: 'Whether canceling came in time, and what it cost.',
    values: {
      FREE: { description: 'Nothing was sent.' },
      MAY_BE_BILLED: { description: 'The provider had it and may bill whose key it was; the account is not charged.' },
      TOO_LATE: { description: 'It had ended.' },
    },
  })
  builder.mutationField('cancelGeneration', (t) =>
    t.field({
      type: 'CancelGenerationSuccess',
      errors: {
        types: [NotFoundError],
        union: { name: 'CancelGenerationResult', description: 'What canceling did, or why it could not be tried.' },
      },
      authScopes: { generate: true },
      complexity: 100,
      description: 'Explicit, decided in one transaction against completion; says what it cost.',
      args: { id: t.arg.id({ required: true, description: 'Id of the generation.' }) },
      resolve: (_root, { id }, { services, viewer }) => services.generations.cancel(viewer, id),
    }),
  )
}
