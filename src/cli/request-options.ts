import { Option } from '@commander-js/extra-typings'
import type { GenerateImageInput, ImageBackground, ImageFormat } from '../../schema/generated/operations.ts'
import { collect, createApiCommand, parseAmount, parseJsonObject, parseNumber, parseWholeNumber } from './command.ts'
import type { CommandContext } from './context.ts'

const FORMATS = { png: 'PNG', jpeg: 'JPEG', jpg: 'JPEG', webp: 'WEBP' } as const satisfies Record<string, ImageFormat>
const BACKGROUNDS = { auto: 'AUTO', opaque: 'OPAQUE', transparent: 'TRANSPARENT' } as const satisfies Record<
  string,
  ImageBackground
>
const PRIORITIES = { low: 'LOW', normal: 'NORMAL', high: 'HIGH' } as const
const namesOf = <Name extends string>(values: Readonly<Record<Name, unknown>>) => Object.keys(values) as Name[]

/** What `generate` and `estimate` take alike: the fields of GenerateImageInput. */
export function createRequestCommand(
  context: CommandContext,
  command: { name: string; summary: string; examples: readonly string[] },
) {
  return createApiCommand(context, command)
    .argument('<prompt...>', 'what is to be seen; several words need no quotes')
    .option('-m, --model <id>', 'model id, bare name or alias; see `pictor models`')
    .option('--fallback-model <id>', 'tried where the model cannot take the job; may be repeated', collect)
    .option('-s, --size <size>', 'such as 1024x1024')
    .option('-a, --aspect-ratio <ratio>', 'such as 16:9')
    .option('-n, --count <n>', 'how many images', parseWholeNumber)
    .option('-q, --quality <name>', 'one of the qualities of the model')
    .option('--style <name>', 'one of the styles of the model')
    .option('--seed <n>', 'same seed and request: same picture, as far as the model can', parseWholeNumber)
    .addOption(new Option('-f, --format <format>', 'file format').choices(namesOf(FORMATS)))
    .option('--compression <percent>', '0 to 100, for JPEG and WebP', parseWholeNumber)
    .addOption(new Option('--background <kind>', 'what lies behind the subject').choices(namesOf(BACKGROUNDS)))
    .option('--negative-prompt <text>', 'what is not to be seen')
    .option('--guidance-scale <number>', 'how closely the model keeps to the prompt', parseNumber)
    .option('--no-strict', 'adjust what the model cannot honour, and say so, instead of refusing')
    .option('--max-cost <amount>', "refuse above this, in the server's currency", parseAmount)
    .option('--deadline <seconds>', 'give up when it is not finished in this time', parseWholeNumber)
    .addOption(new Option('--priority <level>', 'order among your own').choices(namesOf(PRIORITIES)))
    .option('--provider-options <json>', 'settings that only this provider knows', parseJsonObject)
    .option('--metadata <json>', 'anything of yours, given back as it is', parseJsonObject)
    .option('-t, --tag <word>', 'to find it by, and to report spending by; may be repeated', collect)
    .option('--idempotency-key <key>', 'same key and request: the same generation, paid once')
}

/** As commander reads the options above. */
export type RequestOptions = ReturnType<ReturnType<typeof createRequestCommand>['opts']>

export function readRequest(words: readonly string[], options: RequestOptions): GenerateImageInput {
  const { format, background, priority, count } = options
  return {
    prompt: words.join(' '),
    model: options.model,
    fallbackModels: options.fallbackModel,
    size: options.size,
    aspectRatio: options.aspectRatio,
    ...(count === undefined ? {} : { count }),
    quality: options.quality,
    style: options.style,
    seed: options.seed,
    outputFormat: format && FORMATS[format],
    outputCompression: options.compression,
    background: background && BACKGROUNDS[background],
    negativePrompt: options.negativePrompt,
    guidanceScale: options.guidanceScale,
    strict: options.strict,
    maxCost: options.maxCost,
    deadlineSeconds: options.deadline,
    ...(priority === undefined ? {} : { priority: PRIORITIES[priority] }),
    providerOptions: options.providerOptions,
    metadata: options.metadata,
    tags: options.tag,
    idempotencyKey: options.idempotencyKey,
  }
}
