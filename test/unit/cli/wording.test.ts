import { describe, expect, it } from 'vitest'
import { formatBytes, formatDuration, formatMoney, formatMoneyRange, showable } from '../../../src/cli/wording.ts'

const usd = (amount: string) => ({ amount, currency: 'USD', credits: '0.000000' })

describe('wording', () => {
  it('writes money with the places that say something, and at least two', () => {
    expect(formatMoney(usd('0.040000'))).toBe('0.04 USD')
    expect(formatMoney(usd('0.000001'))).toBe('0.000001 USD')
    expect(formatMoney(usd('-12.500000'))).toBe('-12.50 USD')
  })

  it('never writes an unknown price as 0', () => {
    expect(formatMoneyRange(null)).toBe('unknown')
    expect(formatMoneyRange({ min: usd('0.100000'), max: usd('0.250000') })).toBe('0.10 to 0.25 USD')
    expect(formatMoneyRange({ min: usd('0.100000'), max: usd('0.100000') })).toBe('0.10 USD')
  })

  it('writes times and sizes in the unit that fits', () => {
    expect([900, 61_000, 3_720_000].map(formatDuration)).toEqual(['0.9 s', '1 min 1 s', '1 h 2 min'])
    expect([0, 1023, 1024, 1_572_864].map(formatBytes)).toEqual(['0 B', '1023 B', '1.0 KB', '1.5 MB'])
  })

  it('takes from the text of others what a terminal would act on', () => {
    expect(showable('red\u001B[2J fox\n\tin \u202Esnow\u0007')).toBe('red[2J fox in snow')
  })
})
