import { RateLimiterMemory } from 'rate-limiter-flexible'
import { RateLimitedError, RequestError } from '../errors.ts'
import type { Accounts } from './accounts.ts'
import type { RateLimits } from './rate-limits.ts'

/** For one process. A minute begins with an account's first request in it. */
export function createMemoryRateLimits(deps: { readonly accounts: Pick<Accounts, 'limitsOf'> }): RateLimits {
  const { accounts } = deps
  // The limiter counts; the limit is each account's own and may change, so it is compared here.
  const requests = new RateLimiterMemory({ points: Number.MAX_SAFE_INTEGER, duration: 60 })
  const subscriptions = new Map<string, number>()

  function giveBack(accountId: string): void {
    const left = (subscriptions.get(accountId) ?? 0) - 1
    if (left > 0) subscriptions.set(accountId, left)
    else subscriptions.delete(accountId)
  }

  return {
    async consume({ accountId }) {
      const { requestsPerMinute } = await accounts.limitsOf(accountId)
      const { consumedPoints, msBeforeNext } = await requests.consume(accountId)
      if (consumedPoints <= requestsPerMinute) return
      throw new RateLimitedError({ retryAfterMs: Math.max(1, msBeforeNext), limitPerMinute: requestsPerMinute })
    },

    async takeSubscription({ accountId }) {
      const { subscriptions: limit } = await accounts.limitsOf(accountId)
      const taken = subscriptions.get(accountId) ?? 0
      if (taken >= limit) {
        throw new RequestError('RATE_LIMITED', `This account may have ${limit} subscriptions at a time.`, { limit })
      }
      subscriptions.set(accountId, taken + 1)
      let held = true
      return () => {
        if (held) giveBack(accountId)
        held = false
      }
    },
  }
}
