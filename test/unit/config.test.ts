import { describe, expect, it } from 'vitest'
import { readConfig } from '../../src/config.ts'

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
