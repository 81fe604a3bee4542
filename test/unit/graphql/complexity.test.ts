import { parse } from 'graphql'
import { describe, expect, it } from 'vitest'
import { costOf } from '../../../src/graphql/complexity.ts'
import { DEFAULT_LIMITS } from '../../../src/transport/limits.ts'
import { SCHEMA } from './run.ts'

function measure(source: string, variables: Record<string, unknown> = {}) {
  return costOf({ schema: SCHEMA, document: parse(source), variables, context: {} })
}

describe('the cost of an operation', () => {
  it('is one for a plain field, and tells depth and breadth', () => {
    expect(measure('{ generation(id: "gen_1") { id status } }')).toEqual({ cost: 3, depth: 2, breadth: 3 })
  })

  it('multiplies what stands in a page by the size of the page', () => {
    const page = 'query ($first: Int, $last: Int) { history(first: $first, last: $last) { nodes { id status } } }'
    const inPage = 3
    expect(measure(page, { first: 1 }).cost).toBe(5 + inPage)
    expect(measure(page, { first: 100 }).cost).toBe(5 + 100 * inPage)
    expect(measure(page, { last: 50 }).cost).toBe(5 + 50 * inPage)
    expect(measure(page).cost).toBe(5 + 20 * inPage)
  })

  it('follows the variables of each request', () => {
    const document = parse('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }')
    const cost = (ids: string[]) => costOf({ schema: SCHEMA, document, variables: { ids }, context: {} }).cost
    expect([cost(['gen_1']), cost(['gen_1', 'gen_2', 'gen_3'])]).toEqual([6, 8])
  })

  it('counts a fragment where it is spread', () => {
    const twice =
      '{ a: generation(id: "1") { ...F } b: generation(id: "2") { ...F } } fragment F on Generation { id prompt }'
    expect(measure(twice)).toEqual({ cost: 6, depth: 2, breadth: 6 })
  })

  it('lets a client take the bytes of one generation, and not of a page', () => {
    const bytes = '{ images { base64 } }'
    expect(measure(`{ generation(id: "gen_1") ${bytes} }`).cost).toBeLessThan(DEFAULT_LIMITS.cost)
    expect(measure(`{ history { nodes ${bytes} } }`).cost).toBeGreaterThan(DEFAULT_LIMITS.cost)
  })

  it('lets a handful of generations be asked for in one operation, and not a hundred', () => {
    const ask = (count: number) => {
      const aliases = Array.from({ length: count }, (_, n) => `m${n}: generateImage(input: $input) { __typename }`)
      return measure(`mutation ($input: GenerateImageInput!) { ${aliases.join('\n')} }`, { input: { prompt: 'a fox' } })
    }
    expect(ask(5).cost).toBeLessThan(DEFAULT_LIMITS.cost)
    expect(ask(100).cost).toBeGreaterThan(DEFAULT_LIMITS.cost)
  })

  it('of circles between generations and images grows with each turn', () => {
    const turn = (inner: string) => `{ images { generation ${inner} } }`
    const circle = `{ history(first: 100) { nodes ${turn(turn(turn('{ id }')))} } }`
    expect(measure(circle).cost).toBeGreaterThan(DEFAULT_LIMITS.cost)
  })

  it('of variables that cannot be read is nothing, because nothing of it runs', () => {
    expect(measure('query ($id: ID!) { generation(id: $id) { id } }', {}).cost).toBe(0)
  })
})
