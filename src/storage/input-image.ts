import { createHash } from 'node:crypto'
import type { Metadata, Sharp } from 'sharp'
import { MAX_PIXELS, openImage, readHeader } from './image-engine.ts'
import { type ImageExtension, type ImageMimeType, type ImageType, sniffImageType } from './image-formats.ts'
import { hasEnd } from './image-probe.ts'

/** A picture that may go into a generation: whole, upright, in one of our formats. */
export type InputImage = {
  readonly bytes: Uint8Array
  readonly mimeType: ImageMimeType
  readonly extension: ImageExtension
  readonly width: number
  readonly height: number
  readonly sizeBytes: number
  /** Lower-case hex. */
  readonly sha256: string
  readonly hasAlpha: boolean
}

/** Of a picture as it comes. */
export const MAX_FOREIGN_BYTES = 20 * 1024 * 1024
/** Of the same picture as it is kept: another encoder may need more for it. */
export const MAX_INPUT_BYTES = 32 * 1024 * 1024

/** The message says what is wrong and what would do; it goes to whoever sent the picture, and quotes nothing of it. */
export class ForeignImageError extends Error {
  override readonly name = 'ForeignImageError'
}

/**
 * A stranger's picture, decoded to its end and written anew in the format it came in: upright, in sRGB with eight bits a
 * channel, with its transparency, and without EXIF, GPS, XMP, profiles or whatever else was hidden in it. A picture that
 * is too large is refused from its header. Rejects with `ForeignImageError`.
 */
export async function readForeignImage(bytes: Uint8Array): Promise<InputImage> {
  if (bytes.byteLength > MAX_FOREIGN_BYTES) throw tooManyBytes()
  const type = sniffImageType(bytes)
  if (!type) throw new ForeignImageError('It is neither PNG nor JPEG nor WebP. Send one of these.')
  // Telephones hang films behind a JPEG, whose bytes hold any marker; its decoder misses the end of the picture itself.
  if (type.format !== 'JPEG' && !hasEnd(type.format, bytes))
    throw new ForeignImageError('It is not a whole picture: its end is missing.')
  const header = await readHeader(bytes).catch(cannotDecode)
  assertBounds(header)
  assertStill(header, bytes)
  const image = encodeAnew(openImage(bytes).toColourspace('srgb'), type, header)
  const { data, info } = await image.toBuffer({ resolveWithObject: true }).catch(cannotDecode)
  if (data.byteLength > MAX_INPUT_BYTES) {
    throw new ForeignImageError(
      `Kept as ${type.format} it would take more than ${mebibytes(MAX_INPUT_BYTES)} MiB. Send a smaller one.`,
    )
  }
  return describe(data, type, { width: info.width, height: info.height, hasAlpha: header.hasAlpha })
}

/** A picture that this server stored itself, as it is; undefined: the bytes are none. */
export async function describeStoredImage(bytes: Uint8Array): Promise<InputImage | undefined> {
  const type = sniffImageType(bytes)
  if (!type) return undefined
  const { autoOrient, hasAlpha } = await readHeader(bytes)
  return describe(bytes, type, { ...autoOrient, hasAlpha })
}

export function tooManyBytes(): ForeignImageError {
  return new ForeignImageError(`It has more than ${mebibytes(MAX_FOREIGN_BYTES)} MiB. Send a smaller one.`)
}

function assertBounds({ width, height }: Metadata): void {
  if (width * height <= MAX_PIXELS) return
  const message = `It has more than ${MAX_PIXELS / 1e6} million pixels. Send a smaller one.`
  throw new ForeignImageError(message)
}

/** One frame of an animation is another picture than the one that was sent. */
function assertStill({ pages = 1 }: Metadata, bytes: Uint8Array): void {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const control = view.indexOf('acTL', 0, 'latin1')
  const isAnimatedPng = control !== -1 && control < view.indexOf('IDAT', 0, 'latin1')
  if (pages > 1 || isAnimatedPng) throw new ForeignImageError('It is an animation. Send a single picture.')
}

const QUALITY = 92

function encodeAnew(image: Sharp, { format }: ImageType, { chromaSubsampling }: Metadata): Sharp {
  switch (format) {
    case 'PNG':
      return image.png()
    case 'JPEG':
      return image.jpeg({ quality: QUALITY, chromaSubsampling: chromaSubsampling === '4:4:4' ? '4:4:4' : '4:2:0' })
    case 'WEBP':
      return image.webp({ quality: QUALITY, alphaQuality: 100 })
  }
}

function describe(
  bytes: Uint8Array,
  { mimeType, extension }: ImageType,
  facts: Pick<InputImage, 'width' | 'height' | 'hasAlpha'>,
): InputImage {
  const { width, height, hasAlpha } = facts
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  return { bytes, mimeType, extension, width, height, sizeBytes: bytes.byteLength, sha256, hasAlpha }
}

function cannotDecode(cause: unknown): never {
  throw new ForeignImageError('It cannot be decoded: the picture is damaged or not whole.', { cause })
}

function mebibytes(bytes: number): number {
  return bytes / (1024 * 1024)
}
