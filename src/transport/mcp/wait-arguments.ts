import { z } from 'zod'

/** Most clients give up on a tool after a minute, unless it tells of progress. */
export const MAX_WAIT_SECONDS = 300
export const DEFAULT_WAIT_SECONDS = 45

export const INCLUDE_IMAGES = z
  .boolean()
  .default(false)
  .describe('true: small JPEG pictures come with the result, to look at. They take up room in the conversation.')

export function waitSeconds(defaultSeconds: number) {
  return z.int().min(0).max(MAX_WAIT_SECONDS).default(defaultSeconds)
}
