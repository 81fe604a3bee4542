import { z } from 'zod'
import { inArgumentNames } from '../argument-names.ts'
import { REQUEST_ARGUMENTS, readRequest } from '../generation-arguments.ts'
import { answerWithGeneration, GenerationAnswerSchema, WAIT_ENDED } from '../results/generation-answer.ts'
import { defineTool } from '../tool.ts'
import { INCLUDE_IMAGES, waitSeconds } from '../wait-arguments.ts'

/** The key is required, so that the same call is the same generation: `idempotentHint` would be untrue without it. */
export const generateImage = defineTool({
  name: 'generate_image',
  title: 'Generate images',
  description:
    'Makes images from a prompt. This spends money: the highest cost is held before a provider is called, and what was made is charged; estimate_cost tells it before, max_cost bounds it. ' +
    'idempotency_key is yours to make up, one for each picture that is wanted: the same key with the same arguments is the same generation, however often it is sent within 24 hours, and is paid once. ' +
    'So after a timeout or a lost answer repeat the call with the SAME key; use a new key only for another picture or for another try after a failure. ' +
    'It returns at once with an id; call wait_for_generation with it. With wait_seconds it waits so long itself. ' +
    'Giving up a wait, or losing the connection, cancels nothing.',
  input: z.strictObject({
    ...REQUEST_ARGUMENTS,
    idempotency_key: z
      .string()
      .describe('1 to 255 printable ASCII characters, such as a UUID. The same key is paid once within 24 hours.'),
    wait_seconds: waitSeconds(0).describe('How long to wait for the end: 0 to 300. 0 returns at once.'),
    include_images: INCLUDE_IMAGES,
  }),
  output: GenerationAnswerSchema.extend({
    replayed: z.boolean().describe('true where the key stood for a generation already: nothing new was begun or paid.'),
    wait_ended: WAIT_ENDED,
  }),
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: true },
  scopes: ['generate'],
  async answer({ idempotency_key, wait_seconds, include_images, ...request }, call) {
    const { services, viewer } = call
    // Its place first: nothing is begun for a caller who then could not be told of it as it asked.
    const wait = await call.startWait(wait_seconds)
    try {
      const work = services.generations.create(viewer, readRequest(request, idempotency_key))
      const created = await call.inTime(inArgumentNames(work))
      const waited = wait_seconds > 0 ? await wait.untilEnd(created.generation.id) : null
      const generation = waited?.generation ?? created.generation
      const answer = await answerWithGeneration(services, generation, include_images)
      const result = { ...answer.result, replayed: created.replayed, wait_ended: waited?.ended ?? null }
      return { ...answer, result }
    } finally {
      wait.release()
    }
  },
})
