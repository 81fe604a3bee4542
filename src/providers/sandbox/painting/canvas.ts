/** Linear light, four numbers a pixel: red, green, blue multiplied by coverage, then coverage. */
export type Canvas = { readonly width: number; readonly height: number; readonly pixels: Float32Array }

/**
 * Painting in small pieces of work: a painter yields after each row or stroke, so that whoever runs it can give way to
 * the event loop and stop when nobody wants the picture any more.
 */
export type Painting = Generator<undefined, void, undefined>

export function createCanvas(width: number, height: number): Canvas {
  return { width, height, pixels: new Float32Array(width * height * 4) }
}

/** Lays a colour over the pixel at `offset`. */
export function lay(pixels: Float32Array, offset: number, r: number, g: number, b: number, coverage: number): void {
  const rest = 1 - coverage
  pixels[offset] = (pixels[offset] as number) * rest + r * coverage
  pixels[offset + 1] = (pixels[offset + 1] as number) * rest + g * coverage
  pixels[offset + 2] = (pixels[offset + 2] as number) * rest + b * coverage
  pixels[offset + 3] = (pixels[offset + 3] as number) * rest + coverage
}

/** Adds light to the pixel at `offset`. It covers what it outshines, so that a glow on nothing is seen as a glow. */
export function shine(pixels: Float32Array, offset: number, r: number, g: number, b: number): void {
  pixels[offset] = (pixels[offset] as number) + r
  pixels[offset + 1] = (pixels[offset + 1] as number) + g
  pixels[offset + 2] = (pixels[offset + 2] as number) + b
  const coverage = pixels[offset + 3] as number
  pixels[offset + 3] = coverage + (1 - coverage) * Math.min(1, Math.max(r, g, b))
}

/** 0 below `from`, 1 above `to`, smooth between. */
export function smoothstep(from: number, to: number, value: number): number {
  const t = Math.min(1, Math.max(0, (value - from) / (to - from)))
  return t * t * (3 - 2 * t)
}
