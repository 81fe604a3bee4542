import { InvalidInputError } from '../errors.ts'
import { createBoundedLimiter } from '../storage/bounded-limiter.ts'
import { ForeignImageError, type InputImage, readForeignImage } from '../storage/input-image.ts'

/** The one way in for strangers' pictures. InvalidInputError at the field that brought it; UNAVAILABLE when too much is asked. */
export type PictureReader = (bytes: Uint8Array, path: string) => Promise<InputImage>

/** A picture of 64 million pixels takes seconds and hundreds of megabytes. */
const AT_ONCE = 2
const WAITING = 64

export function createPictureReader(): PictureReader {
  const limiter = createBoundedLimiter({
    maxConcurrent: AT_ONCE,
    maxQueued: WAITING,
    refusal: 'Too many pictures are being read right now. Try again in a moment.',
  })
  return (bytes, path) =>
    limiter.run(async () => {
      try {
        return await readForeignImage(bytes)
      } catch (error) {
        if (error instanceof ForeignImageError) throw invalidPicture(path, error.message)
        throw error
      }
    })
}

export function invalidPicture(path: string, message: string): InvalidInputError {
  return new InvalidInputError([{ path, message, allowed: [] }])
}
