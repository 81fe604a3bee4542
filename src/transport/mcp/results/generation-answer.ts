import type { ContentBlock } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { AppError } from '../../../errors.ts'
import type { Generation } from '../../../generation/generation-types.ts'
import type { Services } from '../../../services.ts'
import { type ToolAnswer, WAIT_ENDS } from '../tool.ts'
import { GenerationSchema, type Shown, showGeneration } from './generation-result.ts'
import { toImageLink, toInlinePictures } from './image-result.ts'

export const GenerationAnswerSchema = z.object({
  generation: GenerationSchema.describe('As it stands now.'),
  next: z.string().describe('What can be done now.'),
})
export type GenerationAnswer = z.output<typeof GenerationAnswerSchema>

export const WAIT_ENDED = z
  .enum(WAIT_ENDS)
  .nullable()
  .describe('Why the wait ended; null: there was none. The end of a wait is not the end of the generation.')

const UNFINISHED =
  'It is still being made, and goes on whether anybody waits or not. Call wait_for_generation with its id. A wait that ends, is given up or loses its connection cancels nothing; only cancel_generation does.'

const NEXT: Readonly<Record<Generation['status'], string>> = {
  QUEUED: UNFINISHED,
  RUNNING: UNFINISHED,
  COMPLETED: 'It has ended. The pictures are at the url of each image, and are MCP resources at its uri.',
  FAILED: 'It has ended without a picture; error says why. Another try is a new generation with a new idempotency_key.',
  CANCELED: 'It was canceled and has ended.',
}

const NOT_SHOWN = 'The pictures could not be made small right now. They are at their url and uri as ever.'

/** The result with a link for each image and, where it is asked for, small pictures. */
export async function answerWithGeneration(
  services: Services,
  generation: Generation,
  includeImages: boolean,
): Promise<ToolAnswer<GenerationAnswer>> {
  const shown = await showGeneration(services, generation)
  const next = NEXT[generation.status]
  return { result: { generation: shown.result, next }, content: await contentOf(services, shown, includeImages) }
}

async function contentOf(services: Services, { images }: Shown, includeImages: boolean): Promise<ContentBlock[]> {
  const links = images.map(toImageLink)
  if (!includeImages) return links
  try {
    return [...links, ...(await toInlinePictures(services.images, images))]
  } catch (error) {
    // What was made and paid for is told whether or not it can be shown.
    if (!(error instanceof AppError)) throw error
    return [...links, { type: 'text', text: NOT_SHOWN }]
  }
}
