import { describe, expect, it } from 'vitest'
import { storableText } from '../../../src/worker/vendor-text.ts'

describe('the words of a vendor', () => {
  it.each([
    [null, null],
    ['a fox,\na hen 🦊', 'a fox,\na hen 🦊'],
    ['a\u0000 fox\ud83d', 'a fox\ufffd'],
  ])('%j are kept as %j', (said, kept) => {
    expect(storableText(said, 100)).toBe(kept)
  })

  it('are no longer than a row should hold, and hold no half of a character', () => {
    expect(storableText('x'.repeat(1_000_000), 100)).toBe('x'.repeat(100))
    expect(storableText('🦊'.repeat(100), 101)).toBe(`${'🦊'.repeat(50)}\ufffd`)
  })
})
