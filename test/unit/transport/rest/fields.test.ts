import { describe, expect, it } from 'vitest'
import { type Fields, openFields } from '../../../../src/transport/rest/fields.ts'
import { MalformedRequestError } from '../../../../src/transport/rest/malformed-request.ts'

function json(fields: object): Fields {
  return openFields({ values: new Map(Object.entries(fields)), isText: false })
}

function text(fields: object): Fields {
  return openFields({ values: new Map(Object.entries(fields)), isText: true })
}

function faultsOf(fields: Fields): readonly string[] {
  try {
    fields.finish()
    return []
  } catch (error) {
    if (error instanceof MalformedRequestError) return error.faults.map(({ param, code }) => `${param} ${code}`)
    throw error
  }
}

type Read = (fields: Fields, name: string) => unknown
const text_: Read = (fields, name) => fields.text(name)
const integer: Read = (fields, name) => fields.integer(name)
const number: Read = (fields, name) => fields.number(name)
const flag: Read = (fields, name) => fields.flag(name)
const decimal: Read = (fields, name) => fields.decimal(name)
const texts: Read = (fields, name) => fields.texts(name)
const object: Read = (fields, name) => fields.object(name)
const anything: Read = (fields, name) => fields.json(name)
const choice: Read = (fields, name) => fields.choice(name, ['low', 'high'])

describe('a field', () => {
  it.each([
    ['text of JSON', json, text_, 'fox', 'fox'],
    ['whole number', json, integer, 3, 3],
    ['number', json, number, 0.5, 0.5],
    ['flag', json, flag, false, false],
    ['decimal as text', json, decimal, '0.10', '0.10'],
    ['decimal as number', json, decimal, 0.25, '0.25'],
    ['list', json, texts, ['a', 'b'], ['a', 'b']],
    ['object', json, object, { a: 1 }, { a: 1 }],
    ['any JSON', json, anything, [1, { a: null }], [1, { a: null }]],
    ['word, whatever its case', json, choice, 'HIGH', 'high'],
    ['null, as not given', json, integer, null, null],
    ['whole number as text', text, integer, '3', 3],
    ['negative number as text', text, number, '-0.5', -0.5],
    ['flag as text', text, flag, 'true', true],
    ['one of a list as text', text, texts, 'a', ['a']],
    ['object as JSON in text', text, object, '{"a":[1]}', { a: [1] }],
    ['text that is no JSON', text, anything, 'order 42', 'order 42'],
  ])('is read: %s', (_, open, read, given, expected) => {
    const fields = open({ field: given })
    expect(read(fields, 'field')).toEqual(expected)
    expect(faultsOf(fields)).toEqual([])
  })

  it.each([
    ['a number for text', json, text_, 3],
    ['text for a number', json, integer, '3'],
    ['a fraction for a whole number', json, integer, 1.5],
    ['a whole number past what is safe', json, integer, 2 ** 53],
    ['a hexadecimal number', text, integer, '0x10'],
    ['an exponent', text, number, '1e9'],
    ['nothing for a number', text, integer, ''],
    ['a number for a flag', json, flag, 1],
    ['a list with a number in it', json, texts, ['a', 1]],
    ['a list for an object', json, object, [1]],
    ['broken JSON for an object', text, object, '{"a":'],
    ['a file for text', text, text_, new Uint8Array(1)],
    ['text that comes twice', text, text_, ['a', 'b']],
  ])('is refused: %s', (_, open, read, given) => {
    const fields = open({ field: given })
    expect(read(fields, 'field')).toBeNull()
    expect(faultsOf(fields)).toEqual(['field invalid_type'])
  })

  it('is refused with the words that would do', () => {
    const fields = json({ quality: 'best' })
    fields.choice('quality', ['low', 'high'])
    expect(() => fields.finish()).toThrow('quality: It is one of low, high.')
  })
})

describe('what nobody has asked for', () => {
  it('is told of with the nearest name, together with all other faults', () => {
    const fields = json({ promt: 'a fox', n: 'two', zebra: 1 })
    fields.text('prompt')
    fields.integer('n')
    expect(faultsOf(fields)).toEqual(['promt unknown_parameter', 'zebra unknown_parameter', 'n invalid_type'])
    expect(() => fields.finish()).toThrow('promt: There is no such parameter. Did you mean prompt?')
  })

  it('is quoted no further than a name goes, and its value never', () => {
    const fields = json({ ['x'.repeat(10_000)]: 'sk-canary' })
    expect(() => fields.finish()).toThrow(/^x{64}…: There is no such parameter\.$/)
  })

  it('is no inherited name', () => {
    expect(faultsOf(json(JSON.parse('{"__proto__":1,"constructor":2}')))).toEqual([
      '__proto__ unknown_parameter',
      'constructor unknown_parameter',
    ])
  })
})
