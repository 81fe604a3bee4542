import { z } from 'zod'
import { answerWithGeneration, GenerationAnswerSchema } from '../results/generation-answer.ts'
import { defineTool } from '../tool.ts'

export const cancelGeneration = defineTool({
  name: 'cancel_generation',
  title: 'Cancel a generation',
  description:
    'Ends a generation for good, and says what that cost. Images that were made already are kept and charged. To stop waiting, just stop: this is for not wanting the images.',
  input: z.strictObject({ id: z.string().describe('Of the generation: gen_….') }),
  output: GenerationAnswerSchema.extend({
    effect: z
      .string()
      .describe(
        'FREE: nothing was sent. MAY_BE_BILLED: the provider had it and may bill whose key it was; the account is not charged. TOO_LATE: it had ended.',
      ),
  }),
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  scopes: ['generate'],
  async answer({ id }, { services, viewer, inTime }) {
    const { generation, effect } = await inTime(services.generations.cancel(viewer, id))
    const answer = await answerWithGeneration(services, generation, false)
    return { ...answer, result: { ...answer.result, effect } }
  },
})
