import { inspect } from 'node:util'
import { isScalarType } from 'graphql'
import { describe, expect, it } from 'vitest'
import { readDateTime, readDecimal, readSafeInt, readSecret, readUrl } from '../../../src/graphql/scalars.ts'
import { SCHEMA } from './run.ts'

const SCALARS: readonly [
  name: string,
  read: (value: unknown) => unknown,
  taken: [unknown, unknown][],
  refused: unknown[],
][] = [
  [
    'DateTime',
    readDateTime,
    [
      ['2026-01-01T00:00:00Z', Date.UTC(2026, 0, 1)],
      ['2026-01-01T01:30:00.250+01:30', Date.UTC(2026, 0, 1, 0, 0, 0, 250)],
      ['2024-02-29T00:00:00.000Z', Date.UTC(2024, 1, 29)],
    ],
    [
      '2026-02-30T00:00:00Z',
      '2026-01-01',
      '2026-01-01T00:00:00',
      '2026-13-01T00:00:00Z',
      '2026-01-01T25:00:00Z',
      'now',
      0,
      null,
    ],
  ],
  [
    'Decimal',
    readDecimal,
    [
      ['0.04', '0.04'],
      ['-1', '-1'],
      ['123456789012345.123456789012345678', '123456789012345.123456789012345678'],
    ],
    ['', '1e9', 'NaN', 'Infinity', '.5', '5.', '0x10', '1,5', ' 1', '1'.repeat(40), 0.04, 1],
  ],
  [
    'SafeInt',
    readSafeInt,
    [
      [0, 0],
      [2 ** 53 - 1, 9_007_199_254_740_991],
      [-(2 ** 53 - 1), -9_007_199_254_740_991],
    ],
    [2 ** 53, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '7', null],
  ],
  [
    'URL',
    readUrl,
    [['https://example.com/a b', 'https://example.com/a%20b']],
    ['/relative', 'ftp://example.com', 'javascript:alert(1)', 'data:text/plain,x', '', 7],
  ],
]

describe.each(SCALARS)('%s', (_name, read, taken, refused) => {
  it.each(taken)('takes %o', (value, result) => {
    expect(read(value)).toBe(result)
  })

  it.each(refused.map((value) => [value]))('refuses %o', (value) => {
    expect(() => read(value)).toThrow(/is (RFC 3339|a decimal|an integer|an absolute)/)
  })

  it('does not repeat what it refuses', () => {
    expect(() => read('sk-live-secret')).toThrow(/^(?!.*sk-live).*$/)
  })
})

describe('Secret', () => {
  it('takes text as it is and prints it nowhere', () => {
    const secret = readSecret(' sk-live-secret ')
    expect(secret.reveal()).toBe(' sk-live-secret ')
    expect([`${secret}`, JSON.stringify({ secret }), inspect({ secret })].join()).not.toContain('sk-live')
  })

  it.each([7, true, null, ['sk-live-secret'], { key: 'sk-live-secret' }])(
    'refuses %o and does not repeat it',
    (value) => {
      expect(() => readSecret(value)).toThrow(/^A Secret is text, such as "sk-…", and best sent in a variable\.$/)
    },
  )

  it('is never given out', () => {
    const type = SCHEMA.getType('Secret')
    if (!isScalarType(type)) throw new Error('There is no Secret.')
    expect(() => type.serialize('sk-live-secret')).toThrow(/^A Secret is never given out\.$/)
  })
})
