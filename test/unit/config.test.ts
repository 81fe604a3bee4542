import { describe, expect, it } from 'vitest'
import { readConfig } from '../../src/config.ts'

describe('retention', () => {
  const read = (text?: string) => readConfig({ PICTOR_RETENTION_DAYS: text }).retentionMs

  it('is for ever, or some days or parts of one', () => {
    expect([read(), read(''), read('90'), read('0.5')]).toEqual([null, null, 7_776_000_000, 43_200_000])
  })

  it.each(['0', '-1', '1e3', 'never', '36501', '0.000000001'])('is not %s', (text) => {
    expect(() => read(text)).toThrow('PICTOR_RETENTION_DAYS must be a plain number of days above 0 and up to 36500')
  })
})

describe('allowed origins', () => {
  it('are origins, parted by commas', () => {
    const { allowedOrigins } = readConfig({ PICTOR_ALLOWED_ORIGINS: 'https://app.example.com, http://localhost:5173' })
    expect(allowedOrigins).toEqual(['https://app.example.com', 'http://localhost:5173'])
  })

  it.each(['app.example.com', 'https://app.example.com/', '*'])('are not %s, which would never match', (text) => {
    expect(() => readConfig({ PICTOR_ALLOWED_ORIGINS: text })).toThrow('PICTOR_ALLOWED_ORIGINS must be origins')
  })
})

describe('earlier secrets', () => {
  const [one, two] = ['a'.repeat(32), 'ü'.repeat(16)] as const

  it('are none, one, or several parted by commas', () => {
    const read = (text?: string) =>
      readConfig({ PICTOR_SECRET_PREVIOUS: text }).previousSecrets.map((each) => each.reveal())
    expect(read()).toEqual([])
    expect(read('')).toEqual([])
    expect(read(one)).toEqual([one])
    expect(read(`${one}, ${two},`)).toEqual([one, two])
  })

  it('have 32 bytes or more, and are not repeated where one has not', () => {
    const call = () => readConfig({ PICTOR_SECRET_PREVIOUS: `${one},tooshort` })
    expect(call).toThrow('PICTOR_SECRET_PREVIOUS must be secrets of at least 32 bytes each')
    expect(call).not.toThrow(/aaaa|tooshort/)
  })
})
