import { describe, expect, it } from 'vitest'
import { createCurrency } from '../../../src/ledger/currency.ts'

const dollars = { code: 'USD', usdRate: '1', markup: '1', credit: '0.001' }
const one = { numerator: 1n, denominator: 1n }

describe('createCurrency', () => {
  it('shows an amount as decimal text and in credits', () => {
    const currency = createCurrency(dollars)
    expect(currency.toMoney(40_000)).toEqual({ amount: '0.040000', currency: 'USD', credits: '40.000000' })
    expect(currency.toMoney(-1)).toEqual({ amount: '-0.000001', currency: 'USD', credits: '-0.001000' })
  })

  it('rounds credits to six places, to the nearest', () => {
    expect(createCurrency({ ...dollars, credit: '3' }).toMoney(2_000_000).credits).toBe('0.666667')
    expect(createCurrency({ ...dollars, credit: '3' }).toMoney(1_000_000).credits).toBe('0.333333')
    expect(createCurrency({ ...dollars, credit: '3' }).toMoney(-2_000_000).credits).toBe('-0.666667')
  })

  it('counts credits past the largest safe integer', () => {
    const currency = createCurrency({ ...dollars, credit: '0.000001' })
    expect(currency.toMoney(Number.MAX_SAFE_INTEGER).credits).toBe('9007199254740991.000000')
  })

  it('applies rate and markup to a vendor price and rounds up once', () => {
    const currency = createCurrency({ ...dollars, code: 'EUR', usdRate: '0.92', markup: '1.25' })
    expect(currency.usdToMicros('0.04', one)).toBe(46_000)
    expect(currency.usdToMicros('0.0000003', one)).toBe(1)
    expect(currency.usdToMicros('0.0000003', { numerator: 1_000_000n, denominator: 1n })).toBe(345_000)
  })

  it('shows what the vendor charged without the markup', () => {
    const currency = createCurrency({ ...dollars, code: 'EUR', usdRate: '0.92', markup: '1.25' })
    expect(currency.reportedToMicros(45_000)).toBe(41_400)
  })

  it.each([
    ['usdRate', 'PICTOR_USD_RATE'],
    ['markup', 'PICTOR_MARKUP'],
    ['credit', 'PICTOR_CREDIT'],
  ])('names the variable when %s is no positive decimal', (field, variable) => {
    for (const text of ['0', '-1', 'NaN', '1e3', '', '1,5', '0.000']) {
      expect(() => createCurrency({ ...dollars, [field]: text })).toThrow(`${variable} must be`)
    }
  })

  it('names the variable when the code is no currency code', () => {
    for (const code of ['usd', 'US', '', 'EURO']) {
      expect(() => createCurrency({ ...dollars, code })).toThrow('PICTOR_CURRENCY must be')
    }
  })

  it('refuses a vendor price that is no decimal', () => {
    expect(() => createCurrency(dollars).usdToMicros('-0.04', one)).toThrow('"-0.04"')
  })
})
