import { describe, expect, it } from 'vitest'
import { readRetryAfter } from '../../../src/outbound/retry-after.ts'

const NOW = Date.UTC(2026, 0, 1)

const read = (headers: Record<string, string>) => readRetryAfter(new Headers(headers), NOW)

describe('Retry-After', () => {
  it.each([
    ['0', 0],
    ['2', 2000],
    [' 30 ', 30_000],
    ['1.5', 1500],
    ['0.0004', 0],
    ['86400', 86_400_000],
  ])('reads "%s" as seconds', (text, ms) => {
    expect(read({ 'retry-after': text })).toBe(ms)
  })

  it.each([
    ['Thu, 01 Jan 2026 00:00:10 GMT', 10_000],
    ['Thursday, 01-Jan-26 00:00:10 GMT', 10_000],
    ['2026-01-01T00:00:10Z', 10_000],
    ['Wed, 31 Dec 2025 23:59:00 GMT', 0],
  ])('reads "%s" as a date, and one that is past as now', (text, ms) => {
    expect(read({ 'retry-after': text })).toBe(ms)
  })

  it.each(['', '-5', '5,5', 'soon', '2 minutes', '1e3', 'NaN', 'Infinity', '9'.repeat(40), 'Thu Jan  1 00:00:10 2026'])(
    'takes "%s" for nothing',
    (text) => {
      expect(read({ 'retry-after': text })).toBeNull()
    },
  )

  it('takes milliseconds before seconds, where they can be read', () => {
    expect(read({ 'retry-after-ms': '1500.4', 'retry-after': '60' })).toBe(1500)
    expect(read({ 'retry-after-ms': 'soon', 'retry-after': '60' })).toBe(60_000)
    expect(read({ 'retry-after-ms': '250' })).toBe(250)
  })

  it('is null where nothing is told', () => {
    expect(read({})).toBeNull()
  })
})
