import { z } from 'zod'
import { answerWithGeneration, GenerationAnswerSchema, WAIT_ENDED } from '../results/generation-answer.ts'
import { defineTool } from '../tool.ts'
import { DEFAULT_WAIT_SECONDS, INCLUDE_IMAGES, waitSeconds } from '../wait-arguments.ts'

export const waitForGeneration = defineTool({
  name: 'wait_for_generation',
  title: 'Wait for a generation',
  description:
    'Waits until a generation has ended, or for wait_seconds, and tells how it stands then, with its images. Tells of progress meanwhile where the client asks for it. ' +
    'The end of a wait, or giving it up, is not the end of the generation: it goes on, and can be waited for again.',
  input: z.strictObject({
    id: z.string().describe('Of the generation: gen_….'),
    wait_seconds: waitSeconds(DEFAULT_WAIT_SECONDS).describe('How long to wait: 0 to 300.'),
    include_images: INCLUDE_IMAGES,
  }),
  output: GenerationAnswerSchema.extend({ wait_ended: WAIT_ENDED }),
  annotations: { readOnlyHint: true, openWorldHint: false },
  scopes: ['read'],
  async answer({ id, wait_seconds, include_images }, call) {
    const wait = await call.startWait(wait_seconds)
    try {
      const { generation, ended } = await wait.untilEnd(id)
      const answer = await answerWithGeneration(call.services, generation, include_images)
      return { ...answer, result: { ...answer.result, wait_ended: ended } }
    } finally {
      wait.release()
    }
  },
})
