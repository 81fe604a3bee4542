import type { TokenEstimate } from '../model.ts'

/**
 * Bounds of what goes in, for the hold alone; what is charged are the tokens that the vendor reports. No text has more
 * tokens than bytes. 8000 tokens for a picture are a bound of ours (unverified).
 */
const INPUT: readonly TokenEstimate[] = [
  { ...anySize('MILLION_INPUT_TOKENS', 0, 32), perPromptByte: { min: 0.2, max: 1 } },
  { ...anySize('MILLION_IMAGE_INPUT_TOKENS', 0, 0), perReferenceImage: { min: 0, max: 8000 } },
]

/** Each preview is 100 image tokens more (OpenAI's image guide). */
const PER_PREVIEW = 100

/**
 * Patches along the long side. They fit three answers of gpt-image-2 that others have seen. Low is the same for 2.5 and
 * 2.6; medium and high are assumed to be. Those of xhigh and max are not known: bounds of ours (both unverified).
 */
const GRIDS = {
  low: { min: 16, max: 16 },
  medium: { min: 48, max: 48 },
  high: { min: 96, max: 96 },
  xhigh: { min: 96, max: 192 },
  max: { min: 96, max: 384 },
}

export function tokensByGrid(qualities: readonly (keyof typeof GRIDS)[]): readonly TokenEstimate[] {
  const painted = qualities.map((quality) => ({
    ...anySize('MILLION_IMAGE_OUTPUT_TOKENS', 0, 0, quality),
    grid: GRIDS[quality],
    perPreview: PER_PREVIEW,
  }))
  return [...INPUT, ...painted]
}

/** By quality: square, portrait, landscape. Of gpt-image-1 and 1.5, as published. */
const TABLE_1 = { low: [272, 408, 400], medium: [1056, 1584, 1568], high: [4160, 6240, 6208] } as const
/** What gpt-image-1-mini's published price of an image comes to in tokens: more than the table. */
const TABLE_MINI = { low: [625, 750, 750], medium: [1375, 1875, 1875], high: [4500, 6500, 6500] } as const
const SIZES_OF_TABLES = ['1024x1024', '1024x1536', '1536x1024'] as const

/** Of the models with three sizes. */
export function tokensByTable(family: '1' | 'mini'): readonly TokenEstimate[] {
  const painted = (['low', 'medium', 'high'] as const).flatMap((quality) =>
    SIZES_OF_TABLES.map((size, place) => {
      const min = TABLE_1[quality][place] ?? 0
      const max = family === 'mini' ? (TABLE_MINI[quality][place] ?? min) : min
      const bounds = anySize('MILLION_IMAGE_OUTPUT_TOKENS', min, max, quality)
      return { ...bounds, size, perPreview: PER_PREVIEW }
    }),
  )
  return [...INPUT, ...painted]
}

/** How much text comes out beside a picture is not stated: a bound of ours for the hold (unverified). */
export function textOut(): readonly TokenEstimate[] {
  return [anySize('MILLION_OUTPUT_TOKENS', 0, 1000)]
}

function anySize(unit: TokenEstimate['unit'], min: number, max: number, quality: string | null = null): TokenEstimate {
  return { size: null, quality, unit, min, max }
}
