import { describe, expect, it } from 'vitest'
import { readByteRange } from '../../../src/transport/byte-range.ts'

const part = (start: number, end: number) => ({ kind: 'PART', start, end })

describe('readByteRange', () => {
  it.each([
    ['bytes=0-', part(0, 9)],
    ['bytes=0-0', part(0, 0)],
    ['bytes=3-6', part(3, 6)],
    ['bytes=3-999', part(3, 9)],
    ['bytes=9-9', part(9, 9)],
    ['bytes=-4', part(6, 9)],
    ['bytes=-999', part(0, 9)],
    ['BYTES=1-2', part(1, 2)],
    [`bytes=0-${'9'.repeat(400)}`, part(0, 9)],
  ])('reads %s', (header, expected) => {
    expect(readByteRange(header, 10)).toEqual(expected)
  })

  it.each(['bytes=10-', 'bytes=10-20', 'bytes=-0', `bytes=${'9'.repeat(400)}-`, 'bytes=0-0,2-3', 'bytes=0-1, -1'])(
    'cannot satisfy %s',
    (header) => {
      expect(readByteRange(header, 10)).toEqual({ kind: 'UNSATISFIABLE' })
    },
  )

  it.each([
    undefined,
    '',
    'bytes',
    'bytes=',
    'bytes=-',
    'bytes=a-b',
    'bytes=5-2',
    'bytes=1.5-2',
    'bytes=+1-2',
    'items=0-1',
    'bytes=0-1,x',
  ])('ignores %s', (header) => {
    expect(readByteRange(header, 10)).toEqual({ kind: 'WHOLE' })
  })
})
