import type { GenerationParameters, ImageFormat, Model } from '../providers/model.ts'

/** What an image must be when it is stored; `format` null: as the provider made it. */
export type DeliveredFormat = { readonly format: ImageFormat | null; readonly compression: number | null }

export function deliveredFormatOf(parameters: GenerationParameters): DeliveredFormat {
  return { format: parameters.outputFormat, compression: parameters.outputCompression }
}

/**
 * The parameters as the provider hears them. A format that it cannot be asked for is made here from the best that it
 * can: one without losses where there is one. Compression is then ours too.
 */
export function parametersForProvider(model: Model, parameters: GenerationParameters): GenerationParameters {
  const { outputFormat } = parameters
  if (outputFormat === null || model.nativeFormats.includes(outputFormat)) return parameters
  const best = model.nativeFormats.includes('PNG') ? 'PNG' : (model.nativeFormats[0] ?? null)
  return { ...parameters, outputFormat: best, outputCompression: null }
}
