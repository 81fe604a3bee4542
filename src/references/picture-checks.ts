import type { FieldProblem } from '../errors.ts'
import type { InputImage } from '../storage/input-image.ts'
import type { PictureSource } from './picture-sources.ts'
import { MAX_TOGETHER_BYTES, type PictureSize } from './reference-image.ts'

/** What is known of a picture once it has been read; its bytes are let go of. */
export type LoadedPicture = Pick<PictureSource, 'role' | 'path'> &
  PictureSize & { readonly sizeBytes: number; readonly hasAlpha: boolean }

export function toLoaded({ role, path }: PictureSource, image: InputImage): LoadedPicture {
  const { width, height, sizeBytes, hasAlpha } = image
  return { role, path, width, height, sizeBytes, hasAlpha }
}

/** What must be true of the pictures of one request together. */
export function checkTogether(pictures: readonly LoadedPicture[]): readonly FieldProblem[] {
  const [first] = pictures.filter(({ role }) => role === 'reference')
  const mask = pictures.find(({ role }) => role === 'mask')
  return [checkBytes(pictures), first && mask ? checkMask(mask, first) : null].filter((problem) => problem !== null)
}

function checkBytes(pictures: readonly LoadedPicture[]): FieldProblem | null {
  const totalBytes = pictures.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  if (totalBytes <= MAX_TOGETHER_BYTES) return null
  const message = `Together they take more than ${MAX_TOGETHER_BYTES / (1024 * 1024)} MiB. Send fewer or smaller ones.`
  return { path: 'referenceImages', message, allowed: [] }
}

function checkMask(mask: LoadedPicture, first: LoadedPicture): FieldProblem | null {
  const { path } = mask
  if (mask.width !== first.width || mask.height !== first.height) {
    const message =
      `A mask has the size of the first reference image, ${first.width}x${first.height}; ` +
      `this one has ${mask.width}x${mask.height}.`
    return { path, message, allowed: [`${first.width}x${first.height}`] }
  }
  if (mask.hasAlpha) return null
  const message =
    'A mask is a PNG or WebP with an alpha channel: what is transparent is painted anew. This picture has none.'
  return { path, message, allowed: [] }
}
