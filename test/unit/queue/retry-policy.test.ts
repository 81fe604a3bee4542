import { describe, expect, it } from 'vitest'
import type { Delivery, ProviderErrorKind } from '../../../src/providers/provider-error.ts'
import { DEFAULT_RETRY_POLICY, decideRetry, isPassing } from '../../../src/queue/retry-policy.ts'
import { failure } from '../../support/scripted-provider.ts'

const KINDS: readonly ProviderErrorKind[] = [
  'REFUSED',
  'RATE_LIMITED',
  'UNAVAILABLE',
  'TIMEOUT',
  'INVALID_REQUEST',
  'UNAUTHORIZED',
  'QUOTA_EXHAUSTED',
  'MODEL_RETIRED',
  'BAD_OUTPUT',
]
const DELIVERIES: readonly Delivery[] = ['NOT_SENT', 'NOT_ACCEPTED', 'ANSWERED', 'UNKNOWN']

function decide(given: Partial<Parameters<typeof decideRetry>[0]>) {
  const error = failure('UNAVAILABLE', 'NOT_ACCEPTED')
  return decideRetry({ error, attempt: 1, unknownOutcomes: 0, policy: DEFAULT_RETRY_POLICY, random: 0.5, ...given })
}

describe('decideRetry', () => {
  const cases = KINDS.flatMap((kind) => DELIVERIES.map((delivery) => [kind, delivery] as const))

  it.each(cases)('of %s, %s', (kind, delivery) => {
    const passes = ['RATE_LIMITED', 'UNAVAILABLE', 'TIMEOUT'].includes(kind)
    const safe = delivery === 'NOT_SENT' || delivery === 'NOT_ACCEPTED'
    const expected = delivery === 'UNKNOWN' ? 'unknown-outcome' : passes && safe ? 'retry' : 'give-up'
    expect(decide({ error: failure(kind, delivery) }).action).toBe(expected)
    expect(isPassing(kind)).toBe(passes)
  })

  it('gives up when the attempts are used up', () => {
    expect(decide({ attempt: 2 }).action).toBe('retry')
    expect(decide({ attempt: 3 }).action).toBe('give-up')
    expect(decide({ attempt: 4 }).action).toBe('give-up')
  })

  it('doubles the delay, from its half to its whole by chance, up to the longest', () => {
    const delays = (random: number) =>
      [1, 2, 3, 8].map((attempt) => decide({ attempt, random, policy: { ...DEFAULT_RETRY_POLICY, maxAttempts: 9 } }))
    expect(delays(0)).toMatchObject([{ delayMs: 500 }, { delayMs: 1_000 }, { delayMs: 2_000 }, { delayMs: 30_000 }])
    expect(delays(1)).toMatchObject([{ delayMs: 1_000 }, { delayMs: 2_000 }, { delayMs: 4_000 }, { delayMs: 60_000 }])
  })

  it.each([
    [0, 0],
    [1_500, 1_500],
    [86_400_000, 60_000],
    [-5, 0],
  ])('waits as long as the vendor says, within reason: %i ms', (retryAfterMs, delayMs) => {
    const error = failure('RATE_LIMITED', 'NOT_ACCEPTED', { retryAfterMs })
    expect(decide({ error })).toEqual({ action: 'retry', delayMs })
  })

  describe('where the operator has chosen to send an unknown outcome once more', () => {
    const policy = { ...DEFAULT_RETRY_POLICY, unknownOutcome: 'retry-once' } as const
    const error = failure('TIMEOUT', 'UNKNOWN')

    it('sends it once more at once', () => {
      expect(decide({ error, policy })).toEqual({ action: 'retry', delayMs: 0 })
    })

    it('sends it no third time', () => {
      expect(decide({ error, policy, unknownOutcomes: 1, attempt: 2 })).toEqual({ action: 'unknown-outcome' })
    })

    it('sends it no more when the attempts are used up', () => {
      expect(decide({ error, policy, attempt: 3 })).toEqual({ action: 'unknown-outcome' })
    })
  })
})
