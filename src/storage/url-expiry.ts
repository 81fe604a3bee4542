import { InvalidInputError } from '../errors.ts'

export const DEFAULT_URL_LIFE_SECONDS = 7 * 24 * 3600
export const MAX_URL_LIFE_SECONDS = 365 * 24 * 3600

/** The longest step that is at most about a seventh of the life, or a twelfth for short ones. */
const STEPS = [
  { lifeSeconds: 7 * 24 * 3600, stepSeconds: 24 * 3600 },
  { lifeSeconds: 24 * 3600, stepSeconds: 2 * 3600 },
  { lifeSeconds: 3600, stepSeconds: 300 },
  { lifeSeconds: 60, stepSeconds: 5 },
]

/**
 * Seconds since 1970. Rounded up to a whole step (a day for a life of a week), so that the same image asked for twice has
 * the same URL and the browser's cache answers. InvalidInputError when the life is out of bounds.
 */
export function chooseExpiry(nowMs: number, lifeSeconds: number): number {
  if (!Number.isInteger(lifeSeconds) || lifeSeconds < 1 || lifeSeconds > MAX_URL_LIFE_SECONDS) {
    const message = `Must be a whole number of seconds from 1 to ${MAX_URL_LIFE_SECONDS}.`
    throw new InvalidInputError([{ path: 'expiresInSeconds', message, allowed: [] }])
  }
  const stepSeconds = STEPS.find((step) => lifeSeconds >= step.lifeSeconds)?.stepSeconds ?? 1
  return Math.ceil((nowMs / 1000 + lifeSeconds) / stepSeconds) * stepSeconds
}
