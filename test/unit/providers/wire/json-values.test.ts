import { describe, expect, it } from 'vitest'
import { readDetail } from '../../../../src/providers/wire/json-values.ts'

describe("FastAPI's errors", () => {
  it.each([
    [{ detail: 'Not Found' }, 'Not Found'],
    [{ detail: [{ loc: ['body', 'width'], msg: 'too wide', type: 'x' }, { msg: 'no' }] }, 'width: too wide; no'],
    [{ detail: [] }, null],
    [{ other: 1 }, null],
    ['text', null],
  ])('are read from %j', (json, words) => {
    expect(readDetail(json)).toBe(words)
  })
})
