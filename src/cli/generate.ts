import { GenerateImageDocument } from '../../schema/generated/operations.ts'
import type { Api } from './api.ts'
import { parseWholeNumber } from './command.ts'
import { SilentExit } from './command-error.ts'
import { withApi } from './connection.ts'
import type { CommandContext } from './context.ts'
import type { AcceptedGeneration, FinishedGeneration } from './generation.ts'
import { followGeneration } from './generation-run.ts'
import type { Output } from './output.ts'
import { preparePictureFolder, type SavedPicture, savePictures } from './picture-files.ts'
import { explainRefusal } from './refusals.ts'
import { createRequestCommand, readRequest } from './request-options.ts'
import { formatBytes, formatDuration, formatMoney } from './wording.ts'

/** Makes pictures through the API, shows how they come about, and puts them into files. */
export function createGenerateCommand(context: CommandContext) {
  return createRequestCommand(context, {
    name: 'generate',
    summary: 'Make a picture from a prompt and put it into a file',
    examples: [
      'generate a red fox in snow',
      'generate "a red fox in snow" --size 1024x1024 --count 2 --out pictures/ --max-cost 0.20',
    ],
  })
    .option('-o, --out <path>', 'file, or folder (an existing one, or with / at the end); nothing is overwritten')
    .option('--previews <n>', 'provisional pictures on the way', parseWholeNumber)
    .option('--no-watch', 'do not wait for the picture; needs a running server')
    .action(async (words, options) => {
      const { json = false, out = '.', watch, previews } = options
      const folder = await preparePictureFolder(out)
      const input = { ...readRequest(words, options), ...(previews === undefined ? {} : { previews }) }
      await withApi(context, options, watch ? 'worker' : 'server', async (api) => {
        if (!watch) return reportAccepted(context, await accept(api, input), json)
        const generation = await followGeneration(context, api, () => accept(api, input), { quiet: json })
        const files = await savePictures(generation, folder, api.download)
        reportFinished(context, generation, files, json)
      })
    })
}

async function accept(api: Api, input: ReturnType<typeof readRequest>): Promise<AcceptedGeneration> {
  const { generateImage: result } = await api.request(GenerateImageDocument, { input })
  if (result.__typename !== 'GenerateImageSuccess') throw explainRefusal(result)
  return result.generation
}

function reportAccepted({ output }: CommandContext, generation: AcceptedGeneration, json: boolean): void {
  if (json) output.json({ generation })
  else output.line(`${generation.id} is ${generation.status}. See how it does with: npm run pictor -- history`)
}

function reportFinished(
  { output }: CommandContext,
  generation: FinishedGeneration,
  files: readonly SavedPicture[],
  json: boolean,
): void {
  const { cost, durationMs, images } = generation
  if (json) output.json({ generation, files })
  else {
    const sizes = new Map(images.map((image) => [image.id, image]))
    for (const { path, imageId } of files) {
      const image = sizes.get(imageId)
      const facts = image ? `  ${image.width}×${image.height}, ${formatBytes(image.sizeBytes)}` : ''
      output.line(`${output.style('green', path)}${output.style('dim', facts)}`)
    }
    const charged = cost.charged === null ? 'not settled' : formatMoney(cost.charged)
    output.line(output.style('dim', `cost ${charged}, time ${formatDuration(durationMs ?? 0)}, ${generation.id}`))
  }
  reportProblems(output, generation)
}

/** Throws where there is no picture. */
function reportProblems(output: Output, { status, error, problems }: FinishedGeneration): void {
  if (status === 'COMPLETED') {
    for (const { message, imageIndex } of problems) {
      output.note(`${output.noteStyle('yellow', 'missing')}: image ${(imageIndex ?? 0) + 1}: ${message}`)
    }
    return
  }
  const why = error ? `${error.message}${error.retryable ? ' Another try may do.' : ''}` : ''
  if (status === 'FAILED') output.note(`${output.noteStyle('red', 'failed')}: ${why}`)
  throw new SilentExit(1)
}
