/** What a request uses, by OpenAI's published table and the formula that fits gpt-image-2's answers. */

const TABLE: Readonly<Record<string, readonly [square: number, portrait: number, landscape: number]>> = {
  low: [272, 408, 400],
  medium: [1056, 1584, 1568],
  high: [4160, 6240, 6208],
}
/** Nobody knows those of xhigh and max; any within what is held for them will do. */
const GRID: Readonly<Record<string, number>> = { low: 16, medium: 48, high: 96, xhigh: 150, max: 300 }

export function countOutputTokens(family: string, quality: string, width: number, height: number): number {
  if (family === '1') return TABLE[quality]?.[width === height ? 0 : width < height ? 1 : 2] ?? 0
  const [long, short] = width > height ? [width, height] : [height, width]
  const grid = GRID[quality] ?? 0
  return Math.ceil((grid * Math.round((grid * short) / long) * (2_000_000 + width * height)) / 4_000_000)
}

/** Text by a rule of thumb, pictures by one of ours: the vendor publishes none. */
export function countInputTokens(prompt: string, pictures: readonly { width: number; height: number }[]) {
  const text = Math.ceil(Buffer.byteLength(prompt) / 4) + 6
  const image = pictures.reduce((sum, { width, height }) => sum + Math.min(8000, Math.ceil((width * height) / 4096)), 0)
  return { text, image }
}
