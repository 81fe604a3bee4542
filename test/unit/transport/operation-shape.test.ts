import { parse } from 'graphql'
import { describe, expect, it } from 'vitest'
import { createOperationReader } from '../../../src/transport/operation-shape.ts'

const read = (text: string, name: string | null = null) => createOperationReader()(parse(text), name)

describe('the shape of an operation', () => {
  it.each([
    ['{ a }', { depth: 1, fields: 1, rootFields: 1 }],
    ['{ a b: a { c } }', { depth: 2, fields: 3, rootFields: 2 }],
    ['{ ... { a ... { b { c } } } }', { depth: 2, fields: 3, rootFields: 2 }],
    ['{ ...F ...F } fragment F on Q { a { b } }', { depth: 2, fields: 4, rootFields: 2 }],
    ['{ __schema { types { fields { name } } } a }', { depth: 1, fields: 2, rootFields: 2 }],
  ])('of %s is measured', (text, shape) => {
    expect(read(text)?.shape).toEqual(shape)
  })

  it('is found for 2^60 fields in no time', () => {
    const fragments = Array.from({ length: 60 }, (_, n) => `fragment F${n} on Q { ...F${n + 1} ...F${n + 1} }`)
    const shape = read(`{ ...F0 } ${fragments.join(' ')} fragment F60 on Q { a }`)?.shape
    expect(shape?.fields).toBe(2 ** 60)
  })

  it('does not run away on a cycle', () => {
    expect(read('{ ...F } fragment F on Q { a { ...F } }')?.shape.fields).toBe(1)
  })

  it('is that of the operation that was named, in a document without the others', () => {
    const selected = read('query A { a } query B { b { c } }', 'B')
    expect(selected?.shape.depth).toBe(2)
    expect(selected?.document.definitions).toHaveLength(1)
  })

  it('is none where the document does not say which operation is meant', () => {
    expect(read('query A { a } query B { b }')).toBeNull()
    expect(read('query A { a }', 'C')).toBeNull()
  })
})
