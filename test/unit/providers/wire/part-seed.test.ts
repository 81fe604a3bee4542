import { describe, expect, it } from 'vitest'
import { seedOfPart } from '../../../../src/providers/wire/part-seed.ts'

describe('The seed of one image of several', () => {
  it('is the one that was asked for, and then the next', () => {
    expect([0, 1, 2].map((index) => seedOfPart(7, index, 100))).toEqual([7, 8, 9])
  })

  it('goes on at 1 past the largest', () => {
    expect([0, 1, 2].map((index) => seedOfPart(99, index, 100))).toEqual([99, 100, 1])
    expect(seedOfPart(100, 1, 100)).toBe(1)
  })

  it('is none where none was asked for', () => {
    expect(seedOfPart(null, 3, 100)).toBeNull()
  })
})
