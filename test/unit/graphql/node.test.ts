import { describe, expect, it } from 'vitest'
import { typeNameOf } from '../../../src/graphql/node.ts'
import { createFakeWorld } from './fake-world.ts'
import { apiKey, attempt, generation, image, VIEWER } from './rows.ts'
import { run } from './run.ts'

const NODES = 'query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }'

function createFullWorld() {
  const world = createFakeWorld()
  world.generations.push(generation({ id: 'gen_1' }), generation({ id: 'gen_2' }))
  world.generations.push(generation({ id: 'gen_b', accountId: 'acc_2' }), generation({ id: 'gen_u', endUser: 'u1' }))
  world.images.push(image(), image({ id: 'img_b', generationId: 'gen_b', accountId: 'acc_2' }))
  world.attempts.push(attempt(), attempt({ id: 'att_b', generationId: 'gen_b' }))
  world.apiKeys.push(apiKey(), apiKey({ id: 'key_b', accountId: 'acc_2' }))
  return world
}

describe('an id', () => {
  it.each([
    ['gen_1', 'Generation'],
    ['img_1', 'Image'],
    ['att_1', 'Attempt'],
    ['acc_1', 'Account'],
    ['key_1', 'ApiKey'],
    ['sandbox/painter', 'Model'],
    ['sandbox', 'Provider'],
  ])('%s is one of a %s', async (id, typeName) => {
    expect(typeNameOf(id)).toBe(typeName)
    const query = 'query ($id: ID!) { node(id: $id) { __typename id } }'
    expect(await run(query, createFullWorld().context(), { id })).toEqual({ node: { __typename: typeName, id } })
  })

  it.each([
    'gen_9',
    'img_9',
    'att_9',
    'acc_2',
    'key_9',
    'gen_b',
    'img_b',
    'att_b',
    'key_b',
    'sandbox/unknown',
    'painter-wide',
    '',
    'gen_',
    "gen_' or 1=1 --",
    'constructor',
    '__proto__',
    'x'.repeat(10_000),
  ])('%s of nothing that is the viewer’s is null', async (id) => {
    expect(await run('query ($id: ID!) { node(id: $id) { id } }', createFullWorld().context(), { id })).toEqual({
      node: null,
    })
  })
})

describe('nodes', () => {
  it('come in the order of the ids, with null for what there is not, and twice when asked twice', async () => {
    const ids = ['sandbox', 'gen_2', 'gen_b', 'img_1', 'gen_1', 'gen_2']
    const { nodes } = await run(NODES, createFullWorld().context(), { ids })
    expect((nodes as ({ id: string } | null)[]).map((node) => node?.id ?? null)).toEqual([
      'sandbox',
      'gen_2',
      null,
      'img_1',
      'gen_1',
      'gen_2',
    ])
  })

  it('take one call for all of a type', async () => {
    const world = createFullWorld()
    await run(NODES, world.context(), { ids: ['gen_1', 'gen_2', 'gen_1', 'gen_9'] })
    expect(world.calls).toEqual([['findMany', ['gen_1', 'gen_2', 'gen_9']]])
  })

  it('of another end user are null to a token', async () => {
    const viewer = { ...VIEWER, endUser: 'u1', tokenId: 'tok_1' }
    const { nodes } = await run(NODES, createFullWorld().context({ viewer }), { ids: ['gen_1', 'gen_u', 'img_1'] })
    expect(nodes).toEqual([null, { __typename: 'Generation', id: 'gen_u' }, null])
  })

  it('of keys are null without the scope, and the others of the page are there', async () => {
    const viewer = { ...VIEWER, scopes: ['read' as const] }
    const { nodes } = await run(NODES, createFullWorld().context({ viewer }), { ids: ['key_1', 'sandbox'] })
    expect(nodes).toMatchObject([null, { id: 'sandbox' }])
  })
})
