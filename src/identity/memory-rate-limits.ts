import { RateLimiterMemory } from 'rate-limiter-flexible'
import { RateLimitedError } from '../errors.ts'
import type { Accounts } from './accounts.ts'
import type { RateLimits } from './rate-limits.ts'

/** For one process. A minute begins with an account's first request in it. */
export function createMemoryRateLimits(deps: { readonly accounts: Pick<Accounts, 'limitsOf'> }): RateLimits {
  const { accounts } = deps
  // The limiter counts; the limit is each account's own and may change, so it is compared here.
  const requests = new RateLimiterMemory({ points: Number.MAX_SAFE_INTEGER, duration: 60 })

  return {
    async consume({ accountId }) {
      const { requestsPerMinute } = await accounts.limitsOf(accountId)
      const { consumedPoints, msBeforeNext } = await requests.consume(accountId)
      if (consumedPoints <= requestsPerMinute) return
      throw new RateLimitedError({ retryAfterMs: Math.max(1, msBeforeNext), limitPerMinute: requestsPerMinute })
    },
  }
}
