import { describe, expect, it } from 'vitest'
import type { RequestError } from '../../../src/errors.ts'
import { encodeCursor, type PageArguments, readPageArguments } from '../../../src/graphql/pagination.ts'
import { createFakeWorld } from './fake-world.ts'
import { generation } from './rows.ts'
import { run, runToErrors } from './run.ts'

function refusalOf(args: PageArguments): Pick<RequestError, 'code' | 'details'> {
  try {
    readPageArguments(args)
  } catch (error) {
    return error as RequestError
  }
  throw new Error('The arguments were taken.')
}

describe('the arguments of a page', () => {
  it('are twenty forward when none is given, and null is not given', () => {
    const page = { limit: 20, direction: 'forward', after: null, before: null }
    expect(readPageArguments({})).toEqual(page)
    expect(readPageArguments({ first: null, after: null, last: null, before: null })).toEqual(page)
  })

  it('page forward by first and after, backward by last and before', () => {
    const cursor = encodeCursor('gen_1')
    expect(readPageArguments({ first: 100, after: cursor })).toEqual({
      limit: 100,
      direction: 'forward',
      after: 'gen_1',
      before: null,
    })
    expect(readPageArguments({ last: 1, before: cursor })).toEqual({
      limit: 1,
      direction: 'backward',
      after: null,
      before: 'gen_1',
    })
  })

  it.each([
    ['first', { first: 0 }],
    ['first', { first: -1 }],
    ['first', { first: 101 }],
    ['first', { first: 2_147_483_647 }],
    ['last', { last: 0 }],
    ['last', { last: 101 }],
    ['last', { first: 1, last: 1 }],
    ['after', { after: '' }],
    ['after', { after: 'garbage' }],
    ['after', { after: `${encodeCursor('gen_1')}=` }],
    ['after', { after: ` ${encodeCursor('gen_1')}` }],
    ['after', { after: encodeCursor('img_1') }],
    ['after', { after: encodeCursor("gen_1' or 1=1") }],
    ['before', { before: encodeCursor('') }],
    ['before', { before: 'gen_1' }],
  ])('are refused by the name of %s: %o', (argument, args) => {
    expect(refusalOf(args)).toMatchObject({ code: 'BAD_USER_INPUT', details: { argument } })
  })
})

describe('history', () => {
  const world = () => {
    const made = createFakeWorld()
    const items = [generation({ id: 'gen_3' }), generation({ id: 'gen_2' })]
    made.generations.push(...items)
    made.history = { items, hasNextPage: true, hasPreviousPage: false }
    return made
  }

  it('gives edges, nodes and where to go on', async () => {
    const query = `{ history(first: 2) {
      edges { cursor node { id } } nodes { id }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    } }`
    const [three, two] = [encodeCursor('gen_3'), encodeCursor('gen_2')]
    expect(await run(query, world().context())).toEqual({
      history: {
        edges: [
          { cursor: three, node: { id: 'gen_3' } },
          { cursor: two, node: { id: 'gen_2' } },
        ],
        nodes: [{ id: 'gen_3' }, { id: 'gen_2' }],
        pageInfo: { hasNextPage: true, hasPreviousPage: false, startCursor: three, endCursor: two },
      },
    })
  })

  it('has no cursors when it is empty', async () => {
    const query = '{ history { edges { cursor } pageInfo { hasNextPage startCursor endCursor } } }'
    expect(await run(query, createFakeWorld().context())).toEqual({
      history: { edges: [], pageInfo: { hasNextPage: false, startCursor: null, endCursor: null } },
    })
  })

  it('asks for what the arguments say, and takes null for not given', async () => {
    const made = world()
    const filter = { status: ['COMPLETED'], createdAfter: '2026-01-01T01:00:00+01:00', search: 'fox', model: null }
    const query = `query ($filter: HistoryFilter, $before: String) {
      history(last: 5, before: $before, filter: $filter) { nodes { id } }
    }`
    await run(query, made.context(), { filter, before: encodeCursor('gen_1') })
    expect(made.calls).toEqual([
      [
        'history',
        {
          limit: 5,
          direction: 'backward',
          after: null,
          before: 'gen_1',
          filter: {
            status: ['COMPLETED'],
            model: null,
            provider: null,
            tag: null,
            endUser: null,
            createdAfter: Date.UTC(2026, 0, 1),
            createdBefore: null,
            search: 'fox',
          },
        },
      ],
    ])
  })

  it('counts only when asked to, and by the same filter', async () => {
    const made = world()
    await run('{ history { nodes { id } } }', made.context())
    expect(made.calls.map(([name]) => name)).toEqual(['history'])
    const data = await run('{ history(filter: { tag: "fox" }) { totalCount } }', made.context())
    expect(data).toEqual({ history: { totalCount: 41 } })
    expect(made.calls.at(-1)).toEqual(['countHistory', expect.objectContaining({ tag: 'fox', search: null })])
  })

  it('refuses bad arguments before it asks', async () => {
    const made = world()
    expect(await runToErrors('{ history(first: -1) { nodes { id } } }', made.context())).toMatchObject([
      { extensions: { code: 'BAD_USER_INPUT', argument: 'first' } },
    ])
    expect(made.calls).toEqual([])
  })
})
