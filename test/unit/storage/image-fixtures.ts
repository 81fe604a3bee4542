import sharp from 'sharp'

export type FixtureShape = {
  readonly width: number
  readonly height: number
  readonly format: 'png' | 'jpeg' | 'webp' | 'gif' | 'tiff' | 'avif'
}

/** A picture of noise that is the same each time: noise compresses badly, so a byte missing anywhere is missed. */
export async function paintImage({ width, height, format }: FixtureShape): Promise<Buffer> {
  const pixels = Buffer.alloc(width * height * 3)
  let state = 42
  for (let at = 0; at < pixels.length; at += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    pixels[at] = state >>> 24
  }
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .toFormat(format)
    .toBuffer()
}

export async function paintColour(width: number, height: number, background: string): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 4, background } })
    .png()
    .toBuffer()
}
