import { describe, expect, it } from 'vitest'
import { joinRequestIds } from '../../../../src/providers/wire/request-ids.ts'

describe('The ids of several exchanges', () => {
  it.each([
    [['a', null, 'b', 'a'], 'a b'],
    [[null], null],
    [[], null],
  ])('of %j are told as %j', (ids, told) => {
    expect(joinRequestIds(ids)).toBe(told)
  })
})
