export type GeminiTier = '512' | '1K' | '2K' | '4K'

/** Pixels, and what they are called on the wire: Gemini is asked for a ratio and a tier, never for pixels. */
export type GeminiSizes = Readonly<
  Record<
    string,
    { readonly aspectRatio: string /** null: the model has one only. */; readonly imageSize: GeminiTier | null }
  >
>

type Sides = Readonly<Record<string, readonly [width: number, height: number]>>

/** At 1K. */
const GEMINI_3_SIDES: Sides = {
  '1:1': [1024, 1024],
  '2:3': [848, 1264],
  '3:2': [1264, 848],
  '3:4': [896, 1200],
  '4:3': [1200, 896],
  '4:5': [928, 1152],
  '5:4': [1152, 928],
  '9:16': [768, 1376],
  '16:9': [1376, 768],
  '21:9': [1584, 672],
}

/** From memory (unverified); those upright are the others turned. */
const GEMINI_2_SIDES: Sides = {
  '1:1': [1024, 1024],
  '2:3': [832, 1248],
  '3:2': [1248, 832],
  '3:4': [864, 1184],
  '4:3': [1184, 864],
  '4:5': [896, 1152],
  '5:4': [1152, 896],
  '9:16': [768, 1344],
  '16:9': [1344, 768],
  '21:9': [1536, 672],
}

/** 4K is "about" four times as long, and of 512 the square alone is published: half of each is assumed (unverified). */
const FACTORS: Readonly<Record<GeminiTier, number>> = { '512': 0.5, '1K': 1, '2K': 2, '4K': 4 }

export const GEMINI_RATIOS = Object.keys(GEMINI_3_SIDES)
/** Their pixels are not published, so they can be asked for by ratio only. */
export const GEMINI_31_RATIOS = [...GEMINI_RATIOS, '1:4', '4:1', '1:8', '8:1']

export function sizesOfGemini3(...tiers: readonly GeminiTier[]): GeminiSizes {
  return Object.fromEntries(
    tiers.flatMap((tier) =>
      Object.entries(GEMINI_3_SIDES).map(([aspectRatio, [width, height]]) => [
        `${width * FACTORS[tier]}x${height * FACTORS[tier]}`,
        { aspectRatio, imageSize: tier },
      ]),
    ),
  )
}

export function sizesOfGemini2(): GeminiSizes {
  return Object.fromEntries(
    Object.entries(GEMINI_2_SIDES).map(([aspectRatio, [width, height]]) => [
      `${width}x${height}`,
      { aspectRatio, imageSize: null },
    ]),
  )
}
