import { type GraphQLArgument, type GraphQLField, isObjectType, isRequiredArgument } from 'graphql'
import { describe, expect, it } from 'vitest'
import { createFakeWorld, type FakeWorld } from './fake-world.ts'
import { VIEWER } from './rows.ts'
import { describe as describeError, runToErrors, SCHEMA, watch } from './run.ts'

const VALUES: Record<string, string> = {
  'ID!': '"gen_1"',
  '[ID!]!': '["gen_1"]',
  'DateTime!': '"2026-01-01T00:00:00.000Z"',
  'UsageGroup!': 'DAY',
  'GenerateImageInput!': '{ prompt: "a fox" }',
  'File!': '$file',
  'CreateTokenInput!': '{}',
  'Secret!': '"sk-own"',
  'CreateWebhookEndpointInput!': '{ url: "https://app.example.com", events: [GENERATION_FAILED] }',
  'UpdateWebhookEndpointInput!': '{ enabled: true }',
  'CreateApiKeyInput!': '{ name: "web shop" }',
}

function write(keyword: string, field: GraphQLField): string {
  const required = field.args.filter((argument: GraphQLArgument) => isRequiredArgument(argument))
  const args = required.map(({ name, type }) => `${name}: ${VALUES[String(type)]}`).join(', ')
  return `${keyword}${args.includes('$file') ? ' ($file: File!)' : ''} { ${field.name}${args ? `(${args})` : ''} { __typename } }`
}

function listFields(keyword: 'query' | 'mutation' | 'subscription') {
  const name = { query: 'Query', mutation: 'Mutation', subscription: 'Subscription' }[keyword]
  const type = SCHEMA.getType(name)
  if (!isObjectType(type)) throw new Error(`There is no ${name}.`)
  return Object.values(type.getFields()).map((field) => ({ name: field.name, operation: write(keyword, field) }))
}

async function codesFor(world: FakeWorld, operation: string, scopes: typeof VIEWER.scopes): Promise<unknown[]> {
  const context = world.context({ viewer: { ...VIEWER, scopes } })
  const errors = await runToErrors(operation, context, { file: new Blob(['picture']) })
  return errors.map(({ extensions }) => extensions.code)
}

describe('a caller without scopes', () => {
  const guarded = [...listFields('query'), ...listFields('mutation')].filter(({ name }) => name !== 'viewer')

  it.each(guarded)('is refused $name before anything is called', async ({ operation }) => {
    const world = createFakeWorld()
    expect(await codesFor(world, operation, [])).toEqual(['FORBIDDEN'])
    expect(world.calls).toEqual([])
  })

  it.each(listFields('subscription'))('is refused $name before anything is watched', async ({ operation }) => {
    const world = createFakeWorld()
    const refused = await watch(operation, world.context({ viewer: { ...VIEWER, scopes: [] } })).catch(describeError)
    expect(refused).toMatchObject({ extensions: { code: 'FORBIDDEN' } })
    expect(world.calls).toEqual([])
  })

  it('may ask who it is', async () => {
    expect(await codesFor(createFakeWorld(), '{ viewer { scopes account { id } } }', [])).toEqual([])
  })
})

describe('a scope', () => {
  it('of reading does not let spend', async () => {
    for (const { name, operation } of listFields('mutation')) {
      expect(await codesFor(createFakeWorld(), operation, ['read']), name).toEqual(['FORBIDDEN'])
    }
  })

  it('of generating lets ask for the price', async () => {
    const world = createFakeWorld()
    await codesFor(world, '{ estimateCost(input: { prompt: "a fox" }) { __typename } }', ['generate'])
    expect(world.calls.map(([name]) => name)).toEqual(['estimate'])
  })

  it('of generating does not let see or make keys', async () => {
    const world = createFakeWorld()
    expect(await codesFor(world, '{ viewer { account { apiKeys { id } } } }', ['generate', 'read'])).toEqual([
      'FORBIDDEN',
    ])
    const create = 'mutation { createApiKey(input: { name: "x" }) { __typename } }'
    expect(await codesFor(world, create, ['generate', 'read'])).toEqual(['FORBIDDEN'])
    expect(world.calls).toEqual([])
  })

  it('of generating or of administration makes a token', async () => {
    for (const scope of ['generate', 'admin'] as const) {
      const world = createFakeWorld()
      expect(await codesFor(world, 'mutation { createToken(input: {}) { __typename } }', [scope])).toEqual([])
      expect(world.calls.map(([name]) => name)).toEqual(['createToken'])
    }
  })
})

describe('a token', () => {
  it('makes no other token, whatever its scopes', async () => {
    const world = createFakeWorld()
    const viewer = { ...VIEWER, tokenId: 'tok_1' }
    const errors = await runToErrors('mutation { createToken(input: {}) { __typename } }', world.context({ viewer }))
    expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
    expect(world.calls).toEqual([])
  })
})
