import type { RateStanding } from '../errors.ts'

const WINDOW_SECONDS = 60

/**
 * `RateLimit-Policy` and `RateLimit` of draft-ietf-httpapi-ratelimit-headers: each limit by its name with its quota in a
 * window, and what is left of it until when, in seconds. Empty where nothing is limited.
 */
export function rateLimitHeaders(standings: readonly RateStanding[]): Readonly<Record<string, string>> {
  if (standings.length === 0) return {}
  return {
    'ratelimit-policy': standings.map(({ limit, quota }) => `"${limit}";q=${quota};w=${WINDOW_SECONDS}`).join(', '),
    ratelimit: standings
      .map(({ limit, remaining, resetMs }) => `"${limit}";r=${remaining};t=${Math.ceil(resetMs / 1000)}`)
      .join(', '),
  }
}
