import { NotFinishedError, NotFoundError } from '../errors.ts'
import type { Builder } from './builder.ts'

export function registerDeleteGeneration(builder: Builder): void {
  builder.objectType('DeleteGenerationSuccess', {
    description: 'It is gone from history.',
    fields: (t) => ({
      id: t.exposeID('id', { description: 'Id of what was deleted, for clients that take it out of a cache.' }),
    }),
  })
  builder.mutationField('deleteGeneration', (t) =>
    t.field({
      type: 'DeleteGenerationSuccess',
      errors: {
        types: [NotFoundError, NotFinishedError],
        union: { name: 'DeleteGenerationResult', description: 'It is gone, or why it is not.' },
      },
      authScopes: { generate: true },
      complexity: 100,
      description: "Removes the prompt, the images' bytes and rows, and keeps the money's trace.",
      args: { id: t.arg.id({ required: true, description: 'Id of the generation.' }) },
      resolve: async (_root, { id }, { services, viewer }) => {
        await services.generations.delete(viewer, id)
        return { id }
      },
    }),
  )
}
