import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { RateLimitedError } from '../../../src/errors.ts'
import { DEFAULT_LIMITS } from '../../../src/identity/accounts.ts'
import { createMemoryRateLimits } from '../../../src/identity/memory-rate-limits.ts'
import { viewer } from './identity.ts'

const ann = viewer({ accountId: 'acc_1' })
const bob = viewer({ accountId: 'acc_2' })

function createLimits(limits: { requestsPerMinute?: number; subscriptions?: number }) {
  return createMemoryRateLimits({ accounts: { limitsOf: async () => ({ ...DEFAULT_LIMITS, ...limits }) } })
}

describe('rate limits', () => {
  // The limiter reads the system's clock and sets a timer for each account.
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], now: Date.UTC(2026, 0, 1) })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('count each account by itself and say when to come again', async () => {
    const limits = createLimits({ requestsPerMinute: 2 })
    await limits.consume(ann)
    vi.advanceTimersByTime(20_000)
    await limits.consume(ann)
    const refusal = limits.consume(ann).catch((error: unknown) => error)
    expect(await refusal).toEqual(new RateLimitedError({ retryAfterMs: 40_000, limitPerMinute: 2 }))
    expect(await refusal).toMatchObject({ retryAfterMs: 40_000, limitPerMinute: 2 })
    await limits.consume(bob)
  })

  it('open again after a minute', async () => {
    const limits = createLimits({ requestsPerMinute: 1 })
    await limits.consume(ann)
    vi.advanceTimersByTime(59_999)
    await expect(limits.consume(ann)).rejects.toThrow(RateLimitedError)
    vi.advanceTimersByTime(1)
    await limits.consume(ann)
  })

  it('follow a limit that changes within the minute', async () => {
    const current = { requestsPerMinute: 1 }
    const limits = createMemoryRateLimits({ accounts: { limitsOf: async () => ({ ...DEFAULT_LIMITS, ...current }) } })
    await limits.consume(ann)
    await expect(limits.consume(ann)).rejects.toThrow(RateLimitedError)
    current.requestsPerMinute = 3
    await limits.consume(ann)
    await expect(limits.consume(ann)).rejects.toThrow(RateLimitedError)
  })
})
