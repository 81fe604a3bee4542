import { rgbaToThumbHash } from 'thumbhash'

/**
 * Side of the picture that is hashed. ThumbHash takes up to 100, keeps 7 × 7 frequencies at most, and runs on the main
 * thread: 0.55 ms at 100, 0.12 ms at 48, with the same placeholder to the eye.
 */
export const THUMBHASH_SIDE = 48

/** Base64 of about 25 bytes that paint a placeholder. `rgba` is not premultiplied, row by row. */
export function encodeThumbhash(picture: { width: number; height: number; rgba: Uint8Array }): string {
  return Buffer.from(rgbaToThumbHash(picture.width, picture.height, picture.rgba)).toString('base64')
}
