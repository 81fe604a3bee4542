/** Tokens of one image as a catalogue's model bounds them; see `TokenEstimate` of the model. */
export type PricedTokens = {
  readonly min: number
  readonly max: number
  readonly grid?: Range
  readonly perPromptByte?: Range
  readonly perReferenceImage?: Range
  readonly perPreview?: number
}

/** What the tokens of a request depend on. */
export type TokenFactors = {
  readonly width: number | null
  readonly height: number | null
  /** Of prompt and negative prompt, in UTF-8. */
  readonly promptBytes: number
  readonly referenceImages: number
  readonly previews: number
}

type Range = { readonly min: number; readonly max: number }

/** Whole tokens of one image. null: they follow from a size that is not known. */
export function estimateTokens(tokens: PricedTokens, factors: TokenFactors): Range | null {
  const { perPromptByte = NONE, perReferenceImage = NONE, perPreview = 0, grid } = tokens
  const painted = grid === undefined ? NONE : estimateByGrid(grid, factors)
  if (painted === null) return null
  const { promptBytes, referenceImages, previews } = factors
  const sum = (end: 'min' | 'max') =>
    tokens[end] + painted[end] + perPromptByte[end] * promptBytes + perReferenceImage[end] * referenceImages
  // Fewer previews may come than were asked for.
  return { min: Math.floor(sum('min')), max: Math.ceil(sum('max')) + perPreview * previews }
}

const NONE: Range = { min: 0, max: 0 }

/**
 * Tokens of a picture of patches: `grid` along the long side, in proportion along the short one, weighted by its pixels.
 * Found by others for gpt-image-2 and true of three reported answers: 7024 at 1024x1024 high, 5488 at 1536x1024 high, 13342
 * at 3840x2160 high.
 */
export function countGridTokens(grid: number, width: number, height: number): number {
  const [long, short] = width > height ? [width, height] : [height, width]
  const shortGrid = Math.round((grid * short) / long)
  return Math.ceil((grid * shortGrid * (2_000_000 + width * height)) / 4_000_000)
}

function estimateByGrid(grid: Range, { width, height }: TokenFactors): Range | null {
  if (width === null || height === null) return null
  return { min: countGridTokens(grid.min, width, height), max: countGridTokens(grid.max, width, height) }
}
