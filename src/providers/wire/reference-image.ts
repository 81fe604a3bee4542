import type { ReferenceImage } from '../provider.ts'

/** A picture to start from, or a mask, in the forms in which vendors take one. */

export function toBase64({ bytes }: ReferenceImage): string {
  return Buffer.from(bytes).toString('base64')
}

export function toDataUri(image: ReferenceImage): string {
  return `data:${image.mimeType};base64,${toBase64(image)}`
}

/** `name` without the ending, which follows from the type. */
export function toFile({ bytes, mimeType }: ReferenceImage, name: string): File {
  return new File([new Uint8Array(bytes)], `${name}.${ENDINGS[mimeType]}`, { type: mimeType })
}

const ENDINGS = { 'image/png': 'png', 'image/jpeg': 'jpg', 'image/webp': 'webp' } as const
