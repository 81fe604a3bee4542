import { openImage } from './image-engine.ts'
import { type ImageFormat, sniffImageType } from './image-formats.ts'
import { BrokenImageError } from './image-probe.ts'

export type ImageTarget = { readonly format: ImageFormat; readonly compression: number | null }

/**
 * The picture in the format that was asked for, where the bytes are another's; undefined: they are of that format.
 * `compression` is 0–100, of JPEG and WebP; JPEG has no transparency and gets white for it. Metadata is dropped.
 * Rejects with `BrokenImageError`.
 */
export async function convertImage(bytes: Uint8Array, target: ImageTarget): Promise<Uint8Array | undefined> {
  if (sniffImageType(bytes)?.format === target.format) return undefined
  const quality = target.compression === null ? {} : { quality: Math.max(1, target.compression) }
  try {
    const image = openImage(bytes)
    switch (target.format) {
      case 'PNG':
        return await image.png().toBuffer()
      case 'JPEG':
        return await image.flatten({ background: '#ffffff' }).jpeg(quality).toBuffer()
      case 'WEBP':
        return await image.webp(quality).toBuffer()
    }
  } catch (cause) {
    throw new BrokenImageError('The image cannot be decoded.', { cause })
  }
}
