import { expect, it } from 'vitest'
import { judge, PAUSES_MS } from '../../../src/webhooks/delivery-schedule.ts'

const NOW = 1_000_000
const answered = (status: number | null, retryAfterMs: number | null = null) => ({ status, retryAfterMs, error: null })
const at = (tries: number, random = 0) => ({ tries, now: NOW, random })

it.each([200, 201, 202, 204, 299])('takes %i for an arrival', (status) => {
  expect(judge(answered(status), at(3))).toEqual({
    state: 'DELIVERED',
    nextAttemptAt: null,
    lastResponseStatus: status,
    lastError: null,
    deliveredAt: NOW,
    isGone: false,
  })
})

it.each([301, 302, 307, 400, 401, 404, 429, 500, 503])('tries again after %i', (status) => {
  const verdict = judge(answered(status), at(1))
  expect(verdict).toMatchObject({ state: 'PENDING', lastResponseStatus: status, deliveredAt: null, isGone: false })
  expect(verdict.nextAttemptAt).toBe(NOW + 5_000)
})

it('waits longer and longer, and gives up after the last pause', () => {
  const waits = PAUSES_MS.map((_, index) => (judge(answered(500), at(index + 1)).nextAttemptAt ?? 0) - NOW)
  expect(waits).toEqual(PAUSES_MS)
  expect(judge(answered(500), at(PAUSES_MS.length + 1))).toMatchObject({ state: 'FAILED', nextAttemptAt: null })
})

it('spreads what failed together by up to a fifth', () => {
  expect(judge(answered(500), at(1, 0.999)).nextAttemptAt).toBe(NOW + 5_999)
})

it('waits as long as the receiver asks, where that is longer, and never longer than a day', () => {
  expect(judge(answered(429, 60_000), at(1)).nextAttemptAt).toBe(NOW + 60_000)
  expect(judge(answered(503, 1_000), at(1)).nextAttemptAt).toBe(NOW + 5_000)
  expect(judge(answered(429, 1e12), at(1)).nextAttemptAt).toBe(NOW + 86_400_000)
})

it('believes a 410 at once', () => {
  expect(judge(answered(410), at(1))).toMatchObject({ state: 'FAILED', nextAttemptAt: null, isGone: true })
})

it('says why it did not arrive, in words that help', () => {
  expect(judge(answered(302), at(1)).lastError).toContain('Redirects are not followed')
  expect(judge({ ...answered(null), error: 'It took too long.' }, at(1)).lastError).toBe('It took too long.')
})
