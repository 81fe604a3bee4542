import { CompiledQuery } from 'kysely'
import { describe, expect, it } from 'vitest'
import { assertParameters, parseInteger, UnsafeIntegerError } from '../../../src/store/parameters.ts'

describe('assertParameters', () => {
  it.each([
    ['text', 'a'],
    ['null', null],
    ['zero', 0],
    ['the largest safe integer', Number.MAX_SAFE_INTEGER],
    ['the smallest safe integer', Number.MIN_SAFE_INTEGER],
  ])('lets %s through', (_, value) => {
    const query = CompiledQuery.raw('select ?', [value])
    expect(assertParameters(query)).toBe(query)
  })

  it.each([
    ['a fraction', 1.5],
    ['infinity', Number.POSITIVE_INFINITY],
    ['an integer past 2^53', Number.MAX_SAFE_INTEGER + 1],
    ['a boolean', false],
    ['a date', new Date(0)],
    ['bytes', Buffer.from('a')],
    ['an object', {}],
    ['undefined', undefined],
  ])('refuses %s', (_, value) => {
    const query = CompiledQuery.raw('select ?, ?', ['fine', value])
    expect(() => assertParameters(query)).toThrow(/^Parameter 2 of 2 is .* Statement: select \?, \?$/)
  })
})

describe('a text with NUL', () => {
  it('is told as bad input of whoever asked, since neither database is to hold one', () => {
    const query = CompiledQuery.raw('select ?', ['gen_\0'])
    expect(() => assertParameters(query)).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT' }))
  })
})

describe('parseInteger', () => {
  it.each([
    ['0', 0],
    ['-42', -42],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    ['-9007199254740991', Number.MIN_SAFE_INTEGER],
  ])('reads %s', (text, value) => {
    expect(parseInteger(text)).toBe(value)
  })

  it.each(['9007199254740992', '-9007199254740993', '9223372036854775807'])('refuses to round %s', (text) => {
    expect(() => parseInteger(text)).toThrow(UnsafeIntegerError)
  })
})
