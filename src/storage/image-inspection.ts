import { createHash } from 'node:crypto'
import { decodeImage, type ImageProbe } from './image-probe.ts'
import { encodeThumbhash } from './thumbhash.ts'

export type InspectedImage = ImageProbe & {
  /** Lower-case hex of the bytes as they are. */
  readonly sha256: string
  /** Base64. */
  readonly thumbhash: string
  readonly sizeBytes: number
}

/** Everything that is kept about an image, in one decode. Rejects with `BrokenImageError`. */
export async function inspectImage(bytes: Uint8Array): Promise<InspectedImage> {
  const { probe, thumbnail } = await decodeImage(bytes)
  return {
    ...probe,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    thumbhash: encodeThumbhash(thumbnail),
    sizeBytes: bytes.byteLength,
  }
}
