import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addRatios,
  formatMicros,
  MAX_MICROS,
  multiplyRatios,
  parseMicros,
  parseRatio,
  type Ratio,
  roundUpMicros,
  scaleMicros,
} from '../../src/money.ts'

const micros = fc.integer({ min: -MAX_MICROS, max: MAX_MICROS })
const ratio = fc.record({
  numerator: fc.bigInt({ min: 0n, max: 10n ** 9n }),
  denominator: fc.bigInt({ min: 1n, max: 10n ** 12n }),
})

describe('parseMicros', () => {
  it.each([
    ['0', 0],
    ['0.04', 40_000],
    ['0.000001', 1],
    ['1.500000000000', 1_500_000],
    ['-2.5', -2_500_000],
    ['-0', 0],
    ['9007199254.740991', MAX_MICROS],
  ])('reads %s', (text, expected) => {
    expect(parseMicros(text)).toBe(expected)
  })

  it.each([
    '',
    ' 1',
    '1 ',
    '1\n',
    '+1',
    '.5',
    '5.',
    '1e3',
    '1e999',
    'NaN',
    'Infinity',
    '0x10',
    '1,5',
    '--1',
    '0.0000001',
    '9007199254.740992',
    '1'.repeat(40),
    `0.${'1'.repeat(40)}`,
    '١',
  ])('refuses %j', (text) => {
    expect(parseMicros(text)).toBeNull()
  })

  it('reads back whatever formatMicros writes', () => {
    fc.assert(fc.property(micros, (amount) => parseMicros(formatMicros(amount)) === amount))
  })
})

describe('formatMicros', () => {
  it('writes six places always', () => {
    expect([0, 1, 40_000, -1, MAX_MICROS].map(formatMicros)).toEqual([
      '0.000000',
      '0.000001',
      '0.040000',
      '-0.000001',
      '9007199254.740991',
    ])
  })

  it('throws for what is no whole number of micro-units', () => {
    for (const amount of [0.5, Number.NaN, Infinity, MAX_MICROS + 1]) {
      expect(() => formatMicros(amount)).toThrow(RangeError)
    }
  })
})

describe('ratios', () => {
  it('reads a decimal exactly', () => {
    expect(parseRatio('1.25')).toEqual({ numerator: 125n, denominator: 100n })
    expect(parseRatio('0.0000003')).toEqual({ numerator: 3n, denominator: 10_000_000n })
  })

  it.each(['-1', '', 'NaN', '1e3', '1/3'])('refuses %j', (text) => {
    expect(parseRatio(text)).toBeNull()
  })

  it('adds and multiplies exactly, where floats would not', () => {
    const sum = addRatios(...['0.1', '0.2'].map((text) => parseRatio(text) as Ratio))
    expect(sum.numerator * 10n).toBe(3n * sum.denominator)
    const product = multiplyRatios(...['0.1', '3'].map((text) => parseRatio(text) as Ratio))
    expect(product.numerator * 10n).toBe(3n * product.denominator)
  })

  it('rounds up to the next whole micro-unit and never past it', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1_000_000, max: 1_000_000 }), ratio, (amount, factor) => {
        const scaled = BigInt(scaleMicros(amount, factor))
        const exact = BigInt(amount) * factor.numerator
        expect(scaled * factor.denominator >= exact).toBe(true)
        expect((scaled - 1n) * factor.denominator < exact).toBe(true)
      }),
    )
  })

  it('rounds a negative amount up, towards zero', () => {
    const half = { numerator: 1n, denominator: 2n }
    expect([-4, -3, 3, 4].map((amount) => scaleMicros(amount, half))).toEqual([-2, -1, 2, 2])
  })

  it('throws rather than lose digits', () => {
    expect(() => scaleMicros(MAX_MICROS, { numerator: 2n, denominator: 1n })).toThrow(RangeError)
    expect(() => roundUpMicros({ numerator: BigInt(MAX_MICROS) + 1n, denominator: 1n })).toThrow(RangeError)
    expect(roundUpMicros({ numerator: BigInt(MAX_MICROS), denominator: 1n })).toBe(MAX_MICROS)
  })
})
