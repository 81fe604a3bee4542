import { describe, expect, it, vi } from 'vitest'
import { createIds } from '../../src/ids.ts'

describe('ids', () => {
  it('sort by the order of their making within one millisecond', () => {
    const ids = createIds()
    const made = Array.from({ length: 10_000 }, () => ids.next('gen'))
    expect(made).toEqual([...made].sort())
    expect(new Set(made).size).toBe(made.length)
  })

  it('go on counting while the clock is set back', () => {
    const ids = createIds()
    const before = ids.next('gen')
    vi.spyOn(Date, 'now').mockReturnValue(Date.now() - 3_600_000)
    expect(ids.next('gen') > before).toBe(true)
  })

  it('carry the time of their making as UUIDs of version 7 do', () => {
    const hex = createIds().next('img').slice('img_'.length)
    expect(hex).toMatch(/^[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$/)
    expect(Math.abs(Number.parseInt(hex.slice(0, 12), 16) - Date.now())).toBeLessThan(60_000)
  })

  it('give tokens of 128 bits that never come twice', () => {
    const ids = createIds()
    const tokens = Array.from({ length: 5_000 }, () => ids.token())
    expect(tokens.every((token) => Buffer.from(token, 'base64url').length === 16)).toBe(true)
    expect(new Set(tokens).size).toBe(tokens.length)
  })
})
