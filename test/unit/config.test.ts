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
