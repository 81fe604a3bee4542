import { describe, expect, it } from 'vitest'
import { RateLimitedError } from '../../../src/errors.ts'
import { DEFAULT_LIMITS } from '../../../src/identity/accounts.ts'
import { createRateLimits, type RateQuotas } from '../../../src/identity/rate-limits.ts'
import { createMemoryCounters } from '../../../src/identity/window-counters.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { viewer } from './identity.ts'

const ann = viewer({ accountId: 'acc_1' })
const bob = viewer({ accountId: 'acc_2' })
const NONE: RateQuotas = { key: null, token: null, endUser: null, endUserRequests: null }

function openLimits(quotas: Partial<RateQuotas>, current = { requestsPerMinute: 600 }) {
  const clock = createFakeClock()
  const limits = createRateLimits({
    accounts: { limitsOf: async () => ({ ...DEFAULT_LIMITS, ...current }) },
    openCounters: () => createMemoryCounters({ clock }),
    quotas: { ...NONE, ...quotas },
    clock,
  })
  return { limits, clock, current }
}

function refusalOf(counted: Promise<void>): Promise<unknown> {
  return counted.then(
    () => null,
    (error: unknown) => (error instanceof RateLimitedError ? error.limit : error),
  )
}

describe('requests', () => {
  it('count for each account by itself and say when to come again', async () => {
    const { limits, clock } = openLimits({}, { requestsPerMinute: 2 })
    await limits.consume(ann)
    await clock.advance(20_000)
    await limits.consume(ann)
    const refusal = await limits.consume(ann).catch((error: unknown) => error)
    expect(refusal).toMatchObject({ limit: 'account', retryAfterMs: 40_000, limitPerMinute: 2 })
    expect(refusal).toHaveProperty('message', 'More than 2 requests of the account in a minute.')
    await limits.consume(bob)
  })

  it('are taken again after a minute', async () => {
    const { limits, clock } = openLimits({}, { requestsPerMinute: 1 })
    await limits.consume(ann)
    await clock.advance(59_999)
    expect(await refusalOf(limits.consume(ann))).toBe('account')
    await clock.advance(1)
    await limits.consume(ann)
  })

  it('follow a limit that changes within the minute', async () => {
    const { limits, current } = openLimits({}, { requestsPerMinute: 1 })
    await limits.consume(ann)
    expect(await refusalOf(limits.consume(ann))).toBe('account')
    current.requestsPerMinute = 3
    await limits.consume(ann)
    expect(await refusalOf(limits.consume(ann))).toBe('account')
  })

  it('of one end user are bounded, and what is refused takes nothing from the others of the account', async () => {
    const { limits } = openLimits({ endUserRequests: 1 }, { requestsPerMinute: 3 })
    const [eager, other] = [
      { ...ann, endUser: 'eager' },
      { ...ann, endUser: 'other' },
    ]
    await limits.consume(eager)
    for (let n = 0; n < 10; n++) expect(await refusalOf(limits.consume(eager))).toBe('end-user-requests')
    await limits.consume(other)
    await limits.consume(ann)
    expect(await refusalOf(limits.consume(ann))).toBe('account')
    await limits.consume({ ...bob, endUser: 'eager' })
  })
})

describe('operations', () => {
  it.each([
    ['end-user', { endUser: 2 }, { endUser: 'u', tokenId: 'tok_2' }, { endUser: 'v' }],
    ['token', { token: 2 }, { tokenId: 'tok_1', endUser: 'u' }, { tokenId: 'tok_2' }],
    ['key', { key: 2 }, { apiKeyId: 'key_1', tokenId: 'tok_2' }, { apiKeyId: 'key_2' }],
  ] as const)('are bounded by the %s and by nobody else’s', async (limit, quotas, same, another) => {
    const { limits, clock } = openLimits(quotas)
    const caller = { ...ann, endUser: 'u', tokenId: 'tok_1', apiKeyId: 'key_1' }
    await limits.countOperation(caller)
    await limits.countOperation({ ...caller, ...same })
    expect(await refusalOf(limits.countOperation(caller))).toBe(limit)
    await limits.countOperation({ ...caller, ...another })
    await clock.advance(60_000)
    await limits.countOperation(caller)
  })

  it('are no requests', async () => {
    const { limits } = openLimits({ endUser: 2 }, { requestsPerMinute: 1 })
    const user = { ...ann, endUser: 'u' }
    await limits.countOperation(user)
    await limits.countOperation(user)
    await limits.consume(user)
    expect(await refusalOf(limits.countOperation(user))).toBe('end-user')
  })

  it('of the local account are not counted', async () => {
    const { limits } = openLimits({ key: 1, token: 1, endUser: 1 })
    for (let n = 0; n < 5; n++) await limits.countOperation(viewer())
  })
})

describe('the standing of a viewer', () => {
  it('names each limit that holds for it, and counts nothing', async () => {
    const { limits, clock } = openLimits({ endUser: 5, token: 9 })
    const user = { ...ann, endUser: 'u', tokenId: 'tok_1' }
    await limits.countOperation(user)
    await clock.advance(15_000)
    for (let n = 0; n < 2; n++) {
      expect(await limits.standing(user)).toEqual([
        { limit: 'end-user', quota: 5, remaining: 4, resetMs: 45_000 },
        { limit: 'token', quota: 9, remaining: 8, resetMs: 45_000 },
        { limit: 'account', quota: 600, remaining: 600, resetMs: 60_000 },
      ])
    }
  })
})

describe('counters in memory', () => {
  it('hold a bounded number of subjects, and forget who was counted least lately', async () => {
    const counters = createMemoryCounters({ clock: createFakeClock(), maxSubjects: 3 })
    for (const name of ['a', 'b', 'c', 'a', 'd']) await counters.add(name)
    expect(await counters.read('b')).toBeUndefined()
    expect(await counters.read('a')).toMatchObject({ count: 2 })
  })

  it('do not make a minute last when the clock is set back', async () => {
    let now = 1_000_000
    const counters = createMemoryCounters({ clock: { now: () => now, sleep: async () => undefined } })
    await counters.add('a')
    now = 1
    expect(await counters.add('a')).toEqual({ count: 1, endsAt: 60_001 })
  })
})
