import { openImage } from './image-engine.ts'
import { type ImageExtension, type ImageFormat, type ImageMimeType, sniffImageType } from './image-formats.ts'
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
  if (!hasEnd(type.format, bytes)) throw new BrokenImageError('The image ends too early.')
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

const PNG_CHECKSUM_BYTES = 4
const JPEG_START_OF_SCAN = Buffer.from('ffda', 'hex')
const JPEG_END = Buffer.from('ffd9', 'hex')

/**
 * Decoders are content once they have all pixels, so a file cut within its closing marker would pass; WebP states
 * its length at the start. In a JPEG neither
 * marker can occur within a scan; an embedded thumbnail has both, but before the last start of a scan.
 */
export function hasEnd(format: ImageFormat, bytes: Uint8Array): boolean {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  switch (format) {
    case 'PNG': {
      const endAt = view.lastIndexOf('IEND', undefined, 'latin1')
      return endAt !== -1 && endAt + 'IEND'.length + PNG_CHECKSUM_BYTES <= view.byteLength
    }
    case 'JPEG':
      return view.lastIndexOf(JPEG_END) > view.lastIndexOf(JPEG_START_OF_SCAN)
    case 'WEBP':
      return true
  }
}
