import { describe, expect, it } from 'vitest'
import { createFakeWorld } from './fake-world.ts'
import { apiKey, ESTIMATE, MODEL } from './rows.ts'
import { run, runToErrors } from './run.ts'

describe('an estimate', () => {
  const ask = (fields: string) => `{ estimateCost(input: { prompt: "a fox" }) { ... on CostEstimate { ${fields} } } }`

  it('explains itself line by line', async () => {
    const world = createFakeWorld()
    world.estimate = ESTIMATE
    const fields = `model { id } total { min { amount } max { amount } } balance { amount } affordable priceAsOf priceSource
      lines { label quantity unit unitPrice { amount } total { amount } }`
    expect(await run(ask(fields), world.context())).toEqual({
      estimateCost: {
        model: { id: 'sandbox/painter' },
        total: { min: { amount: '0.040000' }, max: { amount: '0.080000' } },
        balance: { amount: '2.460000' },
        affordable: true,
        priceAsOf: '2026-01-01T00:00:00.000Z',
        priceSource: 'A price list.',
        lines: [
          {
            label: 'Images',
            quantity: '1',
            unit: 'IMAGE',
            unitPrice: { amount: '0.080000' },
            total: { amount: '0.080000' },
          },
        ],
      },
    })
  })

  it('is null, never zero, where the price is unknown', async () => {
    const world = createFakeWorld()
    world.estimate = {
      ...ESTIMATE,
      total: null,
      perImage: null,
      lines: [],
      affordable: null,
      priceAsOf: null,
      priceSource: null,
    }
    const fields = 'total { max { amount } } perImage { max { amount } } affordable priceAsOf priceSource'
    expect(await run(ask(fields), world.context())).toEqual({
      estimateCost: { total: null, perImage: null, affordable: null, priceAsOf: null, priceSource: null },
    })
  })
})

describe('a price', () => {
  it('is shown with the server’s rate and markup, rounded up', async () => {
    const world = createFakeWorld()
    world.models.splice(0, 1, {
      ...MODEL,
      prices: ['0.04', '0.000000001'].map((usd) => ({
        unit: 'IMAGE',
        size: null,
        quality: null,
        usd,
        asOf: 0,
        source: 'x',
      })),
    })
    expect(
      await run('{ model(id: "painter-wide") { id prices { amount { amount currency } } } }', world.context()),
    ).toEqual({
      model: {
        id: 'sandbox/painter',
        prices: [
          { amount: { amount: '0.040000', currency: 'EUR' } },
          { amount: { amount: '0.000001', currency: 'EUR' } },
        ],
      },
    })
  })
})

describe('usage', () => {
  const USAGE = `query ($from: DateTime!, $to: DateTime!) {
    usage(from: $from, to: $to, groupBy: MODEL) { key generations images failed charged { amount } }
  }`
  const [from, to] = ['2026-01-01T00:00:00.000Z', '2026-02-01T00:00:00.000Z']

  it('reports what was charged in a span of time', async () => {
    const world = createFakeWorld()
    world.usage = [{ key: MODEL.id, generations: 3, images: 5, failed: 1, chargedMicros: 200_000 }]
    expect(await run(USAGE, world.context(), { from, to })).toEqual({
      usage: [{ key: 'sandbox/painter', generations: 3, images: 5, failed: 1, charged: { amount: '0.200000' } }],
    })
    expect(world.calls).toEqual([['usage', { from: Date.UTC(2026, 0, 1), to: Date.UTC(2026, 1, 1), groupBy: 'MODEL' }]])
  })

  it('refuses a span that ends before it begins', async () => {
    const world = createFakeWorld()
    expect(await runToErrors(USAGE, world.context(), { from: to, to: from })).toMatchObject([
      { extensions: { code: 'BAD_USER_INPUT', argument: 'to' } },
    ])
    expect(world.calls).toEqual([])
  })
})

describe('the account', () => {
  it('shows balance, holds and limits, and no cap where there is none', async () => {
    const query = `{ viewer { scopes account { balance { amount credits } held { amount }
      limits { requestsPerMinute concurrentGenerations subscriptions dailySpend { amount } } } } }`
    expect(await run(query, createFakeWorld().context())).toEqual({
      viewer: {
        scopes: ['generate', 'read', 'admin'],
        account: {
          balance: { amount: '2.500000', credits: '2500.000000' },
          held: { amount: '0.040000' },
          limits: { requestsPerMinute: 60, concurrentGenerations: 4, subscriptions: 10, dailySpend: null },
        },
      },
    })
  })

  it('makes a key whose secret is shown this once', async () => {
    const world = createFakeWorld()
    world.apiKeys.push(apiKey())
    const create = `mutation { createApiKey(input: { name: "web shop", expiresAt: "2026-02-01T00:00:00Z" }) {
      ... on CreateApiKeySuccess { secret apiKey { id prefix } } } }`
    expect(await run(create, world.context())).toEqual({
      createApiKey: { secret: 'pk_shown_once', apiKey: { id: 'key_1', prefix: 'pk_ab12' } },
    })
    const expiresAt = Date.UTC(2026, 1, 1)
    expect(world.calls).toEqual([['createApiKey', { name: 'web shop', scopes: null, expiresAt, dailySpend: null }]])
  })

  it('makes a token that lives fifteen minutes unless told otherwise', async () => {
    const world = createFakeWorld()
    const create = `mutation { createToken(input: { endUser: "u1" }) {
      ... on CreateTokenSuccess { accessToken tokenType expiresAt } } }`
    expect(await run(create, world.context())).toEqual({
      createToken: { accessToken: 'token', tokenType: 'Bearer', expiresAt: '2026-01-02T00:00:00.000Z' },
    })
    const input = { endUser: 'u1', expiresInSeconds: 900, scopes: null, models: null, maxSpend: null }
    expect(world.calls).toEqual([['createToken', input]])
  })
})
