import { toSnakeCase } from '../snake-case.ts'
import { SHORTHANDS } from './generation-fields.ts'

/** Where the names of a call are not those of the house with underscores. */
const NAMES: Readonly<Record<string, string>> = {
  count: 'n',
  watermark: 'add_watermark',
  previews: 'partial_images',
  providerApiKey: 'byok_api_key',
  providerOptions: 'additional_params',
  endUser: 'user',
  idempotencyKey: 'Idempotency-Key',
}

/** `referenceImages.0.url` as the caller wrote it: `image.0`. `picturesIn`: the field that the pictures came in. */
export function paramOf(path: string, picturesIn: string): string {
  const [first = '', ...rest] = path.split('.')
  if (first === 'referenceImages') return [picturesIn, ...rest.slice(0, 1)].join('.')
  if (first === 'mask') return 'mask'
  if (first === 'providerOptions' && SHORTHANDS.some((name) => name === rest[0])) return rest.join('.')
  return [NAMES[first] ?? toSnakeCase(first), ...rest].join('.')
}

/** Fields that messages of the house name, as they stand in its own input. */
const NAMED =
  /`(aspectRatio|count|enhancePrompt|fallbackModels|guidanceScale|idempotencyKey|negativePrompt|outputFormat|outputCompression|previews|providerApiKey|providerOptions|referenceImages|watermark)`/g

/** A message of the house, with the names of its input as the caller writes them. */
export function inCallersWords(message: string, picturesIn: string): string {
  return message.replace(NAMED, (_, name: string) => `\`${paramOf(name, picturesIn)}\``)
}
