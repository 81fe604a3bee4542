import { z } from 'zod'
import { NotFoundError } from '../../../errors.ts'
import { answerWithGeneration, GenerationAnswerSchema } from '../results/generation-answer.ts'
import { defineTool } from '../tool.ts'
import { INCLUDE_IMAGES } from '../wait-arguments.ts'

export const getGeneration = defineTool({
  name: 'get_generation',
  title: 'Look at a generation',
  description: 'How a generation stands now, with its images, problems and cost. Does not wait.',
  input: z.strictObject({
    id: z.string().describe('Of the generation: gen_….'),
    include_images: INCLUDE_IMAGES,
  }),
  output: GenerationAnswerSchema,
  annotations: { readOnlyHint: true, openWorldHint: false },
  scopes: ['read'],
  async answer({ id, include_images }, { services, viewer }) {
    const generation = await services.reader.find(viewer, id)
    if (generation === undefined) throw new NotFoundError('generation')
    return answerWithGeneration(services, generation, include_images)
  },
})
