import { afterAll, beforeAll, expect, it } from 'vitest'
import { RetryGenerationDocument, ViewerDocument } from '../../schema/generated/operations.ts'
import { createKey, createToken } from '../support/access.ts'
import { type AppsOnDatabases, startAppsOnDatabases } from '../support/apps-on-databases.ts'
import { generate, make, QUICK, quick, request } from '../support/generating.ts'
import type { GraphqlClient } from '../support/graphql-client.ts'
import { assertInvariants } from '../support/invariants.ts'
import { createTestAccount, PRICED_PAINTER, startApp, type TestApp } from '../support/start-app.ts'

const PRICE_MICROS = 40_000
const SIDE = { min: 64, max: 512, multipleOf: 8 }
const MODELS = [
  PRICED_PAINTER,
  {
    id: 'sandbox/dear',
    name: 'Dear',
    provider: 'sandbox',
    capabilities: { maxCount: 4, width: SIDE, height: SIDE, defaultSize: '64x64' },
    prices: [{ unit: 'IMAGE', usd: '9' }],
  },
]

let servers: AppsOnDatabases

beforeAll(async () => {
  servers = await startAppsOnDatabases({ models: [PRICED_PAINTER] })
})
afterAll(() => servers[Symbol.asyncDispose]())

/** How many of them were accepted; every other was refused for want of money. */
async function countAccepted(
  asked: readonly Promise<{ readonly __typename: string }>[],
  refusal: string,
): Promise<number> {
  const names = (await Promise.all(asked)).map(({ __typename }) => __typename)
  expect(names.filter((name) => !['GenerateImageSuccess', refusal].includes(name))).toEqual([])
  return names.filter((name) => name === 'GenerateImageSuccess').length
}

async function expectBooksInOrder({ app }: TestApp): Promise<void> {
  const { database, storage } = app.foundations
  await assertInvariants(database, storage, { live: true })
}

it('A37 100 at once with credit for one: one is accepted', async () => {
  for (const { app } of servers.apps) {
    const account = await createTestAccount(app.app, {
      billing: 'PREPAID',
      creditMicros: PRICE_MICROS + PRICE_MICROS - 1,
      limits: { requestsPerMinute: 10_000 },
    })
    const client = app.clientOf(account.secret)
    const asked = Array.from({ length: 100 }, () => request(client, quick('delay=600000')))
    expect(await countAccepted(asked, 'InsufficientCreditsError')).toBe(1)
    const { viewer } = await client.run(ViewerDocument, {})
    expect(viewer.account.held.amount).toBe('0.040000')
    await expectBooksInOrder(app)
  }
})

it('A37 100 at once within what a key, a token or an account may spend for two: two are accepted', async () => {
  for (const { app } of servers.apps) {
    const limits = { requestsPerMinute: 10_000 }
    const account = await createTestAccount(app.app, { limits })
    const owner = app.clientOf(account.secret)
    const keyed = await createKey(owner, { name: 'k', scopes: ['generate', 'read'], dailySpend: '0.08' })
    const capped = await createTestAccount(app.app, { limits: { ...limits, dailySpendMicros: 2 * PRICE_MICROS } })
    const callers = [
      app.clientOf(keyed.secret),
      app.clientOf(await createToken(owner, { maxSpend: '0.08' })),
      app.clientOf(capped.secret),
      // Tokens of a key share what the key may spend.
      ...(await sharedTokens(app, owner)),
    ]
    const [key, token, capped2, ...shared] = callers
    for (const clients of [[key], [token], [capped2], shared]) {
      const asked = Array.from({ length: 100 }, (_, index) =>
        request(clients[index % clients.length] as GraphqlClient, quick('delay=600000')),
      )
      expect(await countAccepted(asked, 'CostLimitError')).toBe(2)
    }
    await expectBooksInOrder(app)
  }
})

async function sharedTokens(app: TestApp, owner: GraphqlClient): Promise<GraphqlClient[]> {
  const { secret } = await createKey(owner, { name: 's', scopes: ['generate', 'read'], dailySpend: '0.08' })
  const tokens = await Promise.all(['ada', 'bob'].map((endUser) => createToken(app.clientOf(secret), { endUser })))
  return tokens.map((token) => app.clientOf(token))
}

it('A37 100 at once under one idempotency key: one is made, held and told to all', async () => {
  for (const { app } of servers.apps) {
    const account = await createTestAccount(app.app, {
      billing: 'PREPAID',
      creditMicros: 10 * PRICE_MICROS,
      limits: { requestsPerMinute: 10_000 },
    })
    const client = app.clientOf(account.secret)
    const input = { ...quick('delay=600000'), idempotencyKey: 'once' }
    const made = await Promise.all(Array.from({ length: 100 }, () => generate(client, input)))
    expect(new Set(made.map(({ generation }) => generation.id)).size).toBe(1)
    expect(made.filter(({ replayed }) => !replayed)).toHaveLength(1)
    expect((await client.run(ViewerDocument, {})).viewer.account.held.amount).toBe('0.040000')
  }
})

it('A38 what runs or is deleted is not retried, what has ended is, and a storm under one key is one', async () => {
  for (const { app } of servers.apps) {
    const account = await createTestAccount(app.app, { limits: { requestsPerMinute: 10_000 } })
    const client = app.clientOf(account.secret)
    const { generation: running } = await generate(client, quick('delay=600000'))
    const refused = await client.run(RetryGenerationDocument, { id: running.id })
    expect(refused.retryGeneration).toMatchObject({ __typename: 'InvalidInputError', fields: [{ path: 'id' }] })

    const { id } = await make(client, QUICK)
    const storm = await Promise.all(
      Array.from({ length: 100 }, () => client.run(RetryGenerationDocument, { id, idempotencyKey: 'again' })),
    )
    const ids = storm.map(({ retryGeneration }) =>
      retryGeneration.__typename === 'GenerateImageSuccess'
        ? retryGeneration.generation.id
        : retryGeneration.__typename,
    )
    expect(new Set(ids).size).toBe(1)

    await client.ask(`mutation { deleteGeneration(id: "${id}") { __typename } }`)
    const gone = await client.ask(`mutation { retryGeneration(id: "${id}") { __typename } }`)
    expect(gone.errors[0]?.extensions.code).toBe('NOT_FOUND')
  }
})

type Outcome = {
  readonly __typename: string
  readonly code?: string
  readonly generation?: { readonly id: string; readonly count: number; readonly model: { readonly id: string } }
}
const OUTCOME = `__typename ... on UserError { code } ... on GenerateImageSuccess { generation { id count model { id } } }`

async function retry(client: GraphqlClient, id: string, overrides: object): Promise<Outcome | null> {
  const { data } = await client.ask<{ retryGeneration: Outcome }>(
    `mutation ($id: ID!, $overrides: GenerationOverridesInput) { retryGeneration(id: $id, overrides: $overrides) { ${OUTCOME} } }`,
    { id, overrides },
  )
  return data?.retryGeneration ?? null
}

it('A109 overrides of a retry are checked, priced and capped like a request', async () => {
  await using app = await startApp({ models: MODELS })
  const account = await createTestAccount(app.app, { billing: 'PREPAID', creditMicros: 10 * PRICE_MICROS })
  const owner = app.clientOf(account.secret)
  const { id } = await make(owner, { ...QUICK, maxCost: '0.05' })
  // The original's highest cost goes on to hold, the balance does, and so does what the model takes.
  expect(await retry(owner, id, { count: 2 })).toMatchObject({ __typename: 'CostLimitError' })
  expect(await retry(owner, id, { model: 'sandbox/dear' })).toMatchObject({ __typename: 'CostLimitError' })
  const free = await make(owner, QUICK)
  expect(await retry(owner, free.id, { model: 'sandbox/dear' })).toMatchObject({
    __typename: 'InsufficientCreditsError',
  })
  for (const overrides of [
    { count: 1_000_000 },
    { count: 0 },
    { count: -1 },
    { seed: -1 },
    { prompt: '' },
    { prompt: 'x'.repeat(100_000) },
    { providerOptions: { n: 4 } },
    { model: '' },
  ]) {
    const result = await retry(owner, free.id, overrides)
    expect(result?.__typename, JSON.stringify(overrides)).not.toBe('GenerateImageSuccess')
  }
  for (const unknown of [
    'maxCost: null',
    'fallbackModels: ["sandbox/dear"]',
    'endUser: "bob"',
    'deadlineSeconds: null',
  ]) {
    const refused = await owner.ask(
      `mutation { retryGeneration(id: "${free.id}", overrides: { ${unknown} }) { __typename } }`,
    )
    expect(refused.status, unknown).toBe(400)
  }
  await expectBooksInOrder(app)
})

it('A110 a token takes no other model than its own, by name, alias, fallback, retry or token, and spends no more', async () => {
  await using app = await startApp({ models: MODELS })
  const account = await createTestAccount(app.app)
  const owner = app.clientOf(account.secret)
  const token = app.clientOf(await createToken(owner, { models: ['sandbox/painter'], maxSpend: '0.08' }))
  const dear = await make(owner, { ...QUICK, model: 'sandbox/dear' })
  const ask = async (input: object) => {
    const { data } = await token.ask<{ generateImage: Outcome }>(
      `mutation ($input: GenerateImageInput!) { generateImage(input: $input) { ${OUTCOME} } }`,
      { input: { ...QUICK, ...input } },
    )
    return data?.generateImage
  }
  for (const input of [
    { model: 'sandbox/dear' },
    { model: 'DEAR' },
    { model: 'dear', provider: 'sandbox' },
    { model: 'sandbox/dear', fallbackModels: ['sandbox/painter'] },
    { model: 'sandbox/dear', strict: false },
  ]) {
    expect((await ask(input))?.__typename, JSON.stringify(input)).toBe('ModelUnavailableError')
  }
  // A fallback that it does not have is passed over, before and behind a crash of the first.
  const fallen = await make(token, {
    ...quick('fail=unavailable'),
    fallbackModels: ['sandbox/dear'],
  })
  expect(fallen.last.kind).toBe('FAILED')
  expect((await retry(token, dear.id, {}))?.__typename).toBe('ModelUnavailableError')
  const cheap = await make(token, QUICK)
  expect((await retry(token, cheap.id, { model: 'sandbox/dear' }))?.__typename).toBe('ModelUnavailableError')
  expect((await retry(token, cheap.id, { count: 2 }))?.__typename).toBe('CostLimitError')
  const estimate = await token.ask<{ estimateCost: Outcome }>(
    '{ estimateCost(input: { prompt: "a fox", model: "sandbox/dear" }) { __typename } }',
  )
  expect(estimate.data?.estimateCost.__typename).toBe('ModelUnavailableError')
  // One more is within its spend; the next is not, however it is asked for.
  expect((await ask({}))?.__typename).toBe('GenerateImageSuccess')
  expect((await ask({}))?.__typename).toBe('CostLimitError')
  expect((await ask({ idempotencyKey: 'k' }))?.__typename).toBe('CostLimitError')
})

it('A114 what an alias carries makes nothing cheaper: whatever wins over it is what is priced', async () => {
  const prices = [
    { unit: 'IMAGE', quality: 'draft', usd: '0.01' },
    { unit: 'IMAGE', quality: 'fine', usd: '1' },
  ]
  const aliases = [
    { name: 'cheap', parameters: { quality: 'draft' } },
    { name: 'cheap-wide', parameters: { aspectRatio: '2:1', quality: 'draft' } },
  ]
  const capabilities = { qualities: ['draft', 'fine'], defaultQuality: 'fine' }
  await using app = await startApp({ models: [{ id: 'sandbox/painter', aliases, capabilities, prices }] })
  const price = async (input: object) => {
    const { data } = await app.client.ask<{ estimateCost: { total?: { max: { amount: string } } } }>(
      'query ($input: GenerateImageInput!) { estimateCost(input: $input) { ... on CostEstimate { total { max { amount } } } } }',
      { input: { prompt: 'a fox', ...input } },
    )
    return data?.estimateCost.total?.max.amount
  }
  expect(await price({ model: 'cheap' })).toBe('0.010000')
  expect(await price({ model: 'sandbox/painter' })).toBe('1.000000')
  for (const model of ['cheap', 'cheap-wide', 'CHEAP']) {
    for (const strict of [true, false]) {
      // Refused, or priced as what it is.
      expect([undefined, '1.000000'], model).toContain(await price({ model, quality: 'fine', strict }))
    }
  }
  const { generation } = await generate(app.client, { ...QUICK, model: 'cheap' })
  const { data } = await app.client.ask<{ generation: { parameters: { quality: string } } }>(
    `{ generation(id: "${generation.id}") { parameters { quality } } }`,
  )
  expect(data?.generation.parameters.quality).toBe('draft')
})
