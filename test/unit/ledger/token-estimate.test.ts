import { describe, expect, it } from 'vitest'
import { countGridTokens, estimateTokens } from '../../../src/ledger/token-estimate.ts'

const SQUARE = { width: 1024, height: 1024, promptBytes: 0, referenceImages: 0, previews: 0 }

describe('countGridTokens', () => {
  // The first three of `high` are what the vendor itself has reported; the rest follows from the formula.
  it.each([
    [96, 1024, 1024, 7024],
    [96, 1536, 1024, 5488],
    [96, 3840, 2160, 13342],
    [96, 2048, 2048, 14272],
    [48, 1024, 1024, 1756],
    [48, 1536, 1024, 1372],
    [48, 2048, 2048, 3568],
    [16, 1024, 1024, 196],
    [16, 1536, 1024, 158],
    [16, 3840, 2160, 371],
  ])('counts for a grid of %i at %ix%i as many tokens as the vendor does: %i', (grid, width, height, tokens) => {
    expect(countGridTokens(grid, width, height)).toBe(tokens)
    expect(countGridTokens(grid, height, width)).toBe(tokens)
  })
})

describe('estimateTokens', () => {
  it('adds what depends on the request to what does not', () => {
    const tokens = {
      min: 10,
      max: 20,
      perPromptByte: { min: 0.25, max: 1 },
      perReferenceImage: { min: 100, max: 300 },
      perPreview: 7,
    }
    const factors = { ...SQUARE, promptBytes: 40, referenceImages: 2, previews: 3 }
    expect(estimateTokens(tokens, factors)).toEqual({ min: 10 + 10 + 200, max: 20 + 40 + 600 + 21 })
  })

  it('counts whole tokens, and none too few at the upper end', () => {
    const tokens = { min: 0, max: 0, perPromptByte: { min: 0.3, max: 0.7 } }
    expect(estimateTokens(tokens, { ...SQUARE, promptBytes: 9 })).toEqual({ min: 2, max: 7 })
  })

  it('goes from one grid to another where the vendor does not say which it takes', () => {
    const tokens = { min: 0, max: 0, grid: { min: 16, max: 96 } }
    expect(estimateTokens(tokens, SQUARE)).toEqual({ min: 196, max: 7024 })
  })

  it('knows nothing of a picture whose size is open', () => {
    const tokens = { min: 0, max: 0, grid: { min: 16, max: 16 } }
    expect(estimateTokens(tokens, { ...SQUARE, width: null, height: null })).toBeNull()
  })
})
