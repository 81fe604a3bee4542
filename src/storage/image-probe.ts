import { openImage } from './image-engine.ts'
import { type ImageExtension, type ImageMimeType, sniffImageType } from './image-formats.ts'
import { THUMBHASH_SIDE } from './thumbhash.ts'

export type ImageProbe = {
  readonly mimeType: ImageMimeType
  readonly extension: ImageExtension
  /** As shown: EXIF orientation is applied. */
  readonly width: number
  readonly height: number
}

/** A picture of at most `THUMBHASH_SIDE` a side: four bytes a pixel, not premultiplied. */
export type Thumbnail = { readonly width: number; readonly height: number; readonly rgba: Uint8Array }

/** The bytes are no PNG, JPEG or WebP, too large, or cannot be decoded to their end. */
export class BrokenImageError extends Error {
  override readonly name = 'BrokenImageError'
}

/** What the bytes are, whatever anyone says of them. They are decoded to the end; what fails is a `BrokenImageError`. */
export async function probeImage(bytes: Uint8Array): Promise<ImageProbe> {
  return (await decodeImage(bytes)).probe
}

/** One decode for both: the thumbnail needs every pixel, so it cannot be made from bytes that are not whole. */
export async function decodeImage(bytes: Uint8Array): Promise<{ probe: ImageProbe; thumbnail: Thumbnail }> {
  const type = sniffImageType(bytes)
  if (!type) throw new BrokenImageError('The bytes are neither PNG nor JPEG nor WebP.')
  if (type.format === 'PNG' && !hasPngEnd(bytes)) throw new BrokenImageError('The PNG ends too early.')
  try {
    const { autoOrient } = await openImage(bytes).metadata()
    const { data, info } = await openImage(bytes)
      .resize(THUMBHASH_SIDE, THUMBHASH_SIDE, { fit: 'inside', withoutEnlargement: true })
      .toColourspace('srgb')
      .ensureAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true })
    return {
      probe: { mimeType: type.mimeType, extension: type.extension, width: autoOrient.width, height: autoOrient.height },
      thumbnail: { width: info.width, height: info.height, rgba: data },
    }
  } catch (cause) {
    throw new BrokenImageError('The image cannot be decoded.', { cause })
  }
}

/** libpng is content once it has all pixels, so a file cut within its last chunk would pass. */
function hasPngEnd(bytes: Uint8Array): boolean {
  const typeAt = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).lastIndexOf('IEND', undefined, 'latin1')
  const checksumBytes = 4
  return typeAt !== -1 && typeAt + 'IEND'.length + checksumBytes <= bytes.byteLength
}
