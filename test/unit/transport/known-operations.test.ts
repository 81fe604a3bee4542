import { addTypenameToDocument } from '@apollo/client/utilities'
import { formatDocument, stringifyDocument } from '@urql/core'
import { buildSchema, parse, print } from 'graphql'
import { describe, expect, it } from 'vitest'
import { createKnownOperations, hashOf, KnownOperationsError } from '../../../src/transport/known-operations.ts'

const SCHEMA = buildSchema(
  'interface Node { id: ID! } type Item implements Node { id: ID! next: Item } type Query { item: Item node: Node }',
)
const FILE = `# One of the file's two.
query One { item { id, ...Rest } node { ... on Item { next { __typename id } } } }
query Two { node { id } }
fragment Rest on Item { next { id } }
`
const [ONE, TWO] = [
  'query One { item { id ...Rest } node { ... on Item { next { __typename id } } } } fragment Rest on Item { next { id } }',
  'query Two { node { id } }',
]

function open(...texts: string[]) {
  return createKnownOperations(
    SCHEMA,
    texts.map((text, n) => ({ origin: `file ${n + 1}`, id: null, text })),
  )
}

describe('a known document', () => {
  const known = open(FILE)

  it('is known as it stands', () => {
    expect(known.has(FILE)).toBe(true)
    expect(known.find(hashOf(FILE))).toBe(FILE)
    expect(known.find(hashOf(`${FILE} `))).toBeUndefined()
  })

  it('is known whatever its spaces, commas and comments are, and by nothing else', () => {
    expect(known.has('#\nquery Two,{node,{id}}')).toBe(true)
    expect(known.has('query Two{node{id}}#'.padEnd(70_000, '#'))).toBe(false)
    for (const other of ['query Two{node{__typename}}', 'query two{node{id}}', 'query Two{node{id}', '', '\u0000']) {
      expect(known.has(other), other).toBe(false)
    }
  })

  it.each([ONE, TWO])('is known by each operation as it is printed: %s', (text) => {
    const printed = print(parse(text))
    expect(known.has(printed)).toBe(true)
    expect(known.find(hashOf(printed))).toBe(printed)
  })

  it.each([ONE, TWO])('is known as Apollo sends it: %s', (text) => {
    expect(known.has(print(addTypenameToDocument(parse(text))))).toBe(true)
  })

  it.each([ONE, TWO])('is known as urql sends it: %s', (text) => {
    expect(known.has(stringifyDocument(formatDocument(parse(text))))).toBe(true)
  })

  it('is known by an id of its own', () => {
    const named = createKnownOperations(SCHEMA, [{ origin: 'manifest', id: 'items-v1', text: TWO }])
    expect(named.find('items-v1')).toBe(TWO)
  })
})

describe('documents that cannot be run', () => {
  it('are named with what is wrong, all at once', () => {
    const create = () => open('query { item { nope } }', TWO, 'query {', 'fragment F on Item { id }')
    expect(create).toThrow(KnownOperationsError)
    expect(create).toThrow(
      /file 1: Cannot query field "nope"[\s\S]*file 3: Syntax Error[\s\S]*file 4: Fragment "F" is never used/,
    )
  })

  it('are two under one id', () => {
    const twice = [
      { origin: 'a', id: 'x', text: TWO },
      { origin: 'b', id: 'x', text: 'query Other { item { id } }' },
    ]
    expect(() => createKnownOperations(SCHEMA, twice)).toThrow('b: the id x stands for another document too')
    expect(() => createKnownOperations(SCHEMA, [...twice.slice(0, 1), ...twice.slice(0, 1)])).not.toThrow()
  })
})
