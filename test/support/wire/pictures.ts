import sharp from 'sharp'

export type PictureFormat = 'png' | 'jpeg' | 'webp'

/** A real picture, quick to make: one colour for each index, with a corner that shows where up is. */
export async function makePicture(given: {
  readonly width: number
  readonly height: number
  readonly format?: PictureFormat
  readonly index?: number
}): Promise<Buffer> {
  const { width, height, format = 'png', index = 0 } = given
  const background = { r: (40 + index * 67) % 256, g: (120 + index * 31) % 256, b: (200 + index * 13) % 256 }
  const corner = {
    create: { width: Math.ceil(width / 4), height: Math.ceil(height / 4), channels: 3, background: '#fff' },
  }
  return sharp({ create: { width, height, channels: 3, background } })
    .composite([
      {
        input: await sharp(corner as never)
          .png()
          .toBuffer(),
        left: 0,
        top: 0,
      },
    ])
    .toFormat(format)
    .toBuffer()
}

/** A whole picture whose last third is missing. */
export function cutPicture(bytes: Buffer): Buffer {
  return bytes.subarray(0, Math.floor((bytes.length * 2) / 3))
}
