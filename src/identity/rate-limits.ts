import type { Viewer } from '../viewer.ts'

/** What an account may ask in a time and watch at a time. In memory, or shared by processes behind the same port. */
export type RateLimits = {
  /** Counts one request. RateLimitedError above the account's `requestsPerMinute`. */
  consume(viewer: Viewer): Promise<void>
  /**
   * Takes one of the account's subscription slots; RATE_LIMITED as a RequestError when all are taken. The answer gives
   * it back, and may be called more than once.
   */
  takeSubscription(viewer: Viewer): Promise<() => void>
}
