import type { Canvas } from './canvas.ts'
import type { Ridge } from './ridges.ts'

/** The crest of a ridge on a canvas, a value for each column, in picture heights unless told otherwise. */
export type Outline = {
  readonly top: Float32Array
  /** Where trees end and the soil begins; the crest where there are none. */
  readonly soil: Float32Array
  /** Where the column is covered all across, in rows. */
  readonly solidRow: Float32Array
  /** Fall to the right in heights by heights, taken over a short stretch. */
  readonly slope: Float32Array
  /** How much of a pixel the ridge covers. */
  coverage(column: number, row: number): number
}

/** The crest is taken this often in a column, or steep slopes would show steps. */
const SAMPLES = 3

export function traceOutline(ridge: Ridge, { width, height }: Canvas): Outline {
  const crest = new Float32Array(width * SAMPLES)
  for (let i = 0; i < crest.length; i++) crest[i] = ridge.crest((i + 0.5) / SAMPLES / height)
  const at = (column: number, sample: number) => crest[column * SAMPLES + sample] as number
  const top = new Float32Array(width)
  const soil = new Float32Array(width)
  const solidRow = new Float32Array(width)
  const slope = new Float32Array(width)
  const reach = Math.max(1, Math.round(height * 0.02))
  for (let column = 0; column < width; column++) {
    const [a, b, c] = [at(column, 0), at(column, 1), at(column, 2)]
    top[column] = Math.min(a, b, c)
    soil[column] = ridge.soil?.((column + 0.5) / height) ?? Math.min(a, b, c)
    solidRow[column] = Math.max(a, b, c) * height
    const left = Math.max(0, column - reach)
    const right = Math.min(width - 1, column + reach)
    slope[column] = ((at(right, 1) - at(left, 1)) * height) / Math.max(1, right - left)
  }
  const share = (crestHeight: number, row: number) => Math.min(1, Math.max(0, row + 1 - crestHeight * height))
  return {
    top,
    soil,
    solidRow,
    slope,
    coverage: (column, row) => {
      if (row >= (solidRow[column] as number)) return 1
      if (row + 1 <= (top[column] as number) * height) return 0
      return (share(at(column, 0), row) + share(at(column, 1), row) + share(at(column, 2), row)) / SAMPLES
    },
  }
}

/** The last row of each column that nothing nearer hides: of the sky, and of each outline from far to near. */
export type Floors = { readonly sky: Float32Array; readonly ridges: readonly Float32Array[] }

/** `bottoms` are rows below which an outline is never filled. */
export function findFloors(outlines: readonly Outline[], bottoms: readonly number[], width: number): Floors {
  const hidden = new Float32Array(width).fill(Number.POSITIVE_INFINITY)
  const ridges: Float32Array[] = []
  for (let i = outlines.length - 1; i >= 0; i--) {
    const bottom = bottoms[i] ?? Number.POSITIVE_INFINITY
    ridges.unshift(hidden.map((row) => Math.min(row, bottom)))
    const solid = outlines[i]?.solidRow
    for (let column = 0; column < width; column++)
      hidden[column] = Math.min(hidden[column] as number, solid?.[column] ?? Number.POSITIVE_INFINITY)
  }
  return { sky: hidden, ridges }
}
