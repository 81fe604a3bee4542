/** Sizes and shapes of images: arithmetic only. Pixels, or the two terms of a ratio. */
export type Size = { readonly width: number; readonly height: number }

/** The sides that a model makes: multiples within a range, and the pixels that they may come to. */
export type FreeSizes = {
  readonly width: SideRange
  readonly height: SideRange
  readonly minPixels: number
  readonly maxPixels: number
}
export type SideRange = { readonly min: number; readonly max: number; readonly multipleOf: number }

/**
 * Shapes that differ by less are one to the eye and to vendors: 1792x1024 and 1344x768 are sold as 16:9, 1.6 % away
 * from it, while the nearest two ratios that anyone tells apart (4:3 and 7:5) are 5 % apart.
 */
const SAME_SHAPE = Math.log(1.02)

/** Reads "1024x768". */
export function parseSize(text: string): Size | null {
  const match = /^([1-9]\d{0,4})x([1-9]\d{0,4})$/.exec(text)
  return match && { width: Number(match[1]), height: Number(match[2]) }
}

/** Reads "16:9". */
export function parseAspectRatio(text: string): Size | null {
  const match = /^([1-9]\d{0,3}):([1-9]\d{0,3})$/.exec(text)
  return match && { width: Number(match[1]), height: Number(match[2]) }
}

export function formatSize({ width, height }: Size): string {
  return `${width}x${height}`
}

/** In lowest terms: 1792x1024 is "7:4". */
export function formatAspectRatio({ width, height }: Size): string {
  let [divisor, rest] = [width, height]
  while (rest > 0) [divisor, rest] = [rest, divisor % rest]
  return `${width / divisor}:${height / divisor}`
}

export function hasSameShape(left: Size, right: Size): boolean {
  return shapeDistance(left, right) <= SAME_SHAPE
}

export function hasSameRatio(left: Size, right: Size): boolean {
  return left.width * right.height === right.width * left.height
}

/** Nearest in shape; of those, nearest in area. undefined where there is nothing to choose from. */
export function findNearestSize<T extends Size>(sizes: readonly T[], shape: Size, areaPixels: number): T | undefined {
  return findLowest(sizes, (size) => [shapeDistance(size, shape), areaDistance(size, areaPixels)])
}

/**
 * The size that is nearest to a shape at about an area, among those that a model makes freely. Shape weighs four times
 * as much as area: 16:9 at a megapixel in steps of 16 is 1360x768, and neither 1024x1024 nor an exact 1280x720.
 */
export function findNearestFreeSize(free: FreeSizes, shape: Size, areaPixels: number): Size | undefined {
  const candidates: Size[] = []
  const step = free.width.multipleOf
  for (let width = alignUp(free.width.min, step); width <= free.width.max; width += step) {
    const exact = (width * shape.height) / shape.width
    for (const height of nearestHeights(free, width, exact)) candidates.push({ width, height })
  }
  return findLowest(candidates, (size) => [4 * shapeDistance(size, shape) + areaDistance(size, areaPixels)])
}

function nearestHeights(free: FreeSizes, width: number, exact: number): number[] {
  const step = free.height.multipleOf
  const min = alignUp(Math.max(free.height.min, free.minPixels / width), step)
  const max = Math.floor(Math.min(free.height.max, free.maxPixels / width) / step) * step
  if (min > max) return []
  const below = Math.floor(exact / step) * step
  return [below, below + step].map((height) => Math.min(max, Math.max(min, height)))
}

/** How far two shapes are apart, in either direction alike: 0 for one shape, ln 2 for one twice as wide. */
function shapeDistance(left: Size, right: Size): number {
  return Math.abs(Math.log((left.width * right.height) / (right.width * left.height)))
}

function areaDistance(size: Size, areaPixels: number): number {
  return Math.abs(Math.log((size.width * size.height) / areaPixels))
}

function alignUp(value: number, step: number): number {
  return Math.ceil(value / step) * step
}

/** Compares by the first figure, then the second; of equals the first. */
function findLowest<T>(items: readonly T[], rank: (item: T) => readonly number[]): T | undefined {
  let best: { readonly item: T; readonly figures: readonly number[] } | undefined
  for (const item of items) {
    const figures = rank(item)
    if (!best || isLower(figures, best.figures)) best = { item, figures }
  }
  return best?.item
}

function isLower(left: readonly number[], right: readonly number[]): boolean {
  for (const [index, figure] of left.entries()) {
    const difference = figure - (right[index] ?? 0)
    if (Math.abs(difference) > 1e-9) return difference < 0
  }
  return false
}
