import { describe, expect, it } from 'vitest'
import { readNumbers, share, wholeNumber } from '../../../src/worker/vendor-numbers.ts'
import { answer } from '../../support/scripted-provider.ts'

describe('what a vendor states', () => {
  it.each([
    [0, 0],
    [7, 7],
    [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
    [-1, null],
    [0.5, null],
    [2 ** 53, null],
    [Number.NaN, null],
    [Number.POSITIVE_INFINITY, null],
    [null, null],
  ])('as a whole number: %d is read as %s', (stated, read) => {
    expect(wholeNumber(stated)).toBe(read)
  })

  it.each([
    [0.25, 0.25],
    [-1, 0],
    [7, 1],
    [Number.NaN, null],
    [null, null],
  ])('as a share: %d is read as %s', (stated, read) => {
    expect(share(stated)).toBe(read)
  })

  it('is read number by number, and the rest stays', () => {
    const usage = {
      inputTokens: 3,
      imageInputTokens: null,
      outputTokens: -1,
      imageOutputTokens: 0.5,
      totalTokens: null,
    }
    expect(readNumbers(answer({ usage, reportedUsdMicros: 1.5 }))).toEqual({
      ...answer(),
      usage: { inputTokens: 3, imageInputTokens: null, outputTokens: null, imageOutputTokens: null, totalTokens: null },
      reportedUsdMicros: null,
    })
    expect(readNumbers(answer())).toEqual(answer())
  })
})
