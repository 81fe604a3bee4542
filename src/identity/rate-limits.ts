import type { Viewer } from '../viewer.ts'

/** What an account may ask in a time. In memory, or shared by processes behind the same port. */
export type RateLimits = {
  /** Counts one request. RateLimitedError above the account's `requestsPerMinute`. */
  consume(viewer: Viewer): Promise<void>
}
