import { z } from 'zod'
import { ModelSchema, toModelResult } from '../results/model-result.ts'
import { defineTool } from '../tool.ts'

export const listModels = defineTool({
  name: 'list_models',
  title: 'List models',
  description:
    'Models that can make images. Without arguments, those that can be used right now, in short; details adds what each takes and costs, so narrow it then.',
  input: z.strictObject({
    search: z.string().optional().describe('Only those with this in id, name, alias or description.'),
    provider: z.string().optional().describe('Only those of this provider.'),
    reference_images: z.boolean().optional().describe('Only those that take, or do not take, pictures to start from.'),
    include_unavailable: z
      .boolean()
      .default(false)
      .describe('true: also those that cannot be used right now, and why.'),
    details: z.boolean().default(false).describe('true: with sizes, qualities, other arguments and prices.'),
  }),
  output: z.object({ models: z.array(ModelSchema).describe('Those that the arguments leave.') }),
  annotations: { readOnlyHint: true, openWorldHint: false },
  scopes: ['read'],
  async answer(args, { services, viewer }) {
    const filter = {
      search: args.search ?? null,
      provider: args.provider ?? null,
      referenceImages: args.reference_images ?? null,
      available: args.include_unavailable ? null : true,
      lifecycle: null,
      minCount: null,
      seed: null,
    }
    const models = await services.models.list(viewer, filter)
    const shown = models.map((model) => toModelResult(services, viewer, model, args.details))
    return { result: { models: await Promise.all(shown) } }
  },
})
