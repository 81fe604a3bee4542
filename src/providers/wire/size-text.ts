import type { GenerationParameters } from '../model.ts'

/** `1024x768`; null: the vendor decides. */
export function sizeTextOf({ width, height }: Pick<GenerationParameters, 'width' | 'height'>): string | null {
  return width === null || height === null ? null : `${width}x${height}`
}
