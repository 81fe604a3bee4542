/** The three formats that are stored and served. Nothing else is ever handed to a decoder. */
export const IMAGE_TYPES = [
  { format: 'PNG', mimeType: 'image/png', extension: 'png' },
  { format: 'JPEG', mimeType: 'image/jpeg', extension: 'jpg' },
  { format: 'WEBP', mimeType: 'image/webp', extension: 'webp' },
] as const

export type ImageType = (typeof IMAGE_TYPES)[number]
export type ImageFormat = ImageType['format']
export type ImageMimeType = ImageType['mimeType']
export type ImageExtension = ImageType['extension']

export function imageTypeOf(format: ImageFormat): ImageType {
  return findType((type) => type.format === format)
}

export function imageTypeOfMimeType(mimeType: string): ImageType {
  return findType((type) => type.mimeType === mimeType)
}

export function imageTypeOfExtension(extension: string): ImageType {
  return findType((type) => type.extension === extension)
}

/** By the first bytes alone; says nothing about whether the rest can be decoded. */
export function sniffImageType(bytes: Uint8Array): ImageType | undefined {
  if (startsWith(bytes, 0, '\x89PNG\r\n\x1a\n')) return imageTypeOf('PNG')
  if (startsWith(bytes, 0, '\xff\xd8\xff')) return imageTypeOf('JPEG')
  if (startsWith(bytes, 0, 'RIFF') && startsWith(bytes, 8, 'WEBP')) return imageTypeOf('WEBP')
  return undefined
}

function startsWith(bytes: Uint8Array, offset: number, magic: string): boolean {
  return (
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1', offset, offset + magic.length) ===
    magic
  )
}

function findType(matches: (type: ImageType) => boolean): ImageType {
  const found = IMAGE_TYPES.find(matches)
  if (!found) throw new RangeError('Not an image type that is stored here.')
  return found
}
