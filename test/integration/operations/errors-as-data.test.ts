import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EstimateCostDocument, ViewerDocument } from '../../../schema/generated/operations.ts'
import { generate, make, QUICK, quick, refuse, request } from '../../support/generating.ts'
import { createTestAccount, PRICED_PAINTER, startApp, type TestApp } from '../../support/start-app.ts'

/** Another provider's model of the same bare name, for which this server has no key. */
const FOREIGN_PAINTER = {
  id: 'flux/painter',
  provider: 'flux',
  capabilities: { sizes: ['64x64'], outputFormats: ['PNG'] },
  prices: [{ unit: 'IMAGE', usd: '0.01' }],
}
const UNPRICED = { id: 'sandbox/etching', prices: [] }

let server: TestApp

beforeAll(async () => {
  server = await startApp({ models: [PRICED_PAINTER, FOREIGN_PAINTER, UNPRICED] })
})
afterAll(() => server[Symbol.asyncDispose]())

const PAINTER = { ...QUICK, model: 'sandbox/painter' }

async function openAccount(given: Parameters<typeof createTestAccount>[1] = {}) {
  return server.clientOf((await createTestAccount(server.app, given)).secret)
}

describe('what is wrong with a request comes back as data', () => {
  it('names every offending field at once, each with the values that would do', async () => {
    const client = await openAccount()
    const { code, fields } = await refuse(client, 'InvalidInputError', {
      ...PAINTER,
      prompt: ' ',
      size: '64x64',
      count: 0,
      maxCost: '0',
      deadlineSeconds: 0,
    })
    expect(code).toBe('INVALID_INPUT')
    expect(fields.map((field) => field.path)).toEqual(['prompt', 'count', 'deadlineSeconds', 'maxCost'])
    const undeclared = await refuse(client, 'InvalidInputError', { ...PAINTER, quality: 'ultra', style: 'cubist' })
    expect(undeclared.fields).toMatchObject([
      { path: 'quality', allowed: ['draft', 'standard', 'fine'] },
      { path: 'style', allowed: ['hills', 'flow', 'orbs', 'aurora', 'facets'] },
    ])
  })

  it('adjusts and warns where the caller is not strict', async () => {
    const client = await openAccount()
    const { generation } = await generate(client, {
      ...QUICK,
      model: 'sandbox/postcard',
      size: '700x500',
      count: 3,
      strict: false,
    })
    expect(generation.count).toBe(1)
    expect(generation.warnings).toContainEqual(expect.objectContaining({ field: 'count', requested: '3', used: '1' }))
  })

  it('lists near names for a model that nobody knows', async () => {
    const client = await openAccount()
    const error = await refuse(client, 'ModelUnavailableError', { ...QUICK, model: 'sandbox/paintre' })
    expect(error).toMatchObject({ code: 'MODEL_UNAVAILABLE', reason: 'UNKNOWN', replacement: null })
    expect(error.suggestions).toContain('sandbox/painter')
  })

  it('lists the candidates for a name that is ambiguous', async () => {
    const client = await openAccount()
    const error = await refuse(client, 'ModelUnavailableError', { ...QUICK, model: 'painter' })
    expect(error.reason).toBe('AMBIGUOUS')
    expect([...error.suggestions].sort()).toEqual(['flux/painter', 'sandbox/painter'])
  })

  it('says what replaces a model that is retired', async () => {
    const client = await openAccount()
    const error = await refuse(client, 'ModelUnavailableError', { ...QUICK, model: 'daguerreotype' })
    expect(error).toMatchObject({ reason: 'RETIRED', replacement: { id: 'sandbox/painter' } })
  })

  it('never lets the sandbox stand in for a provider without a key', async () => {
    const client = await openAccount()
    const error = await refuse(client, 'ModelUnavailableError', { ...QUICK, model: 'flux/painter' })
    expect(error.reason).toBe('NOT_CONFIGURED')
  })

  it('refuses a prepaid account that cannot cover the hold, and holds nothing', async () => {
    const client = await openAccount({ billing: 'PREPAID', creditMicros: 100_000 })
    const error = await refuse(client, 'InsufficientCreditsError', { ...PAINTER, count: 3 })
    expect(error).toMatchObject({
      code: 'INSUFFICIENT_CREDITS',
      required: { amount: '0.120000', currency: 'USD' },
      balance: { amount: '0.100000' },
    })
    const { viewer } = await client.run(ViewerDocument, {})
    expect(viewer.account).toMatchObject({ balance: { amount: '0.100000' }, held: { amount: '0.000000' } })
  })

  it('holds the upper bound while it runs, and captures what was made', async () => {
    const client = await openAccount({ billing: 'PREPAID', creditMicros: 100_000 })
    const waiting = await generate(client, { ...PAINTER, ...quick('delay=600000', { count: 2 }) })
    expect(waiting.account).toMatchObject({ balance: { amount: '0.100000' }, held: { amount: '0.080000' } })
    expect(waiting.generation.cost).toMatchObject({ held: { amount: '0.080000' } })
    const estimate = (await client.run(EstimateCostDocument, { input: PAINTER })).estimateCost
    expect(estimate).toMatchObject({ __typename: 'CostEstimate', affordable: false, balance: { amount: '0.020000' } })
    await refuse(client, 'InsufficientCreditsError', PAINTER)
  })

  it('refuses what may cost more than `maxCost`', async () => {
    const client = await openAccount()
    const error = await refuse(client, 'CostLimitError', { ...PAINTER, count: 2, maxCost: '0.079999' })
    expect(error).toMatchObject({ code: 'COST_LIMIT', estimate: { amount: '0.080000' }, limit: { amount: '0.079999' } })
    await generate(client, { ...PAINTER, count: 2, maxCost: '0.08' })
  })

  it('refuses a price that nobody knows where a cap was set, and takes it where none was', async () => {
    const client = await openAccount()
    const input = { ...QUICK, model: 'sandbox/etching' }
    const error = await refuse(client, 'CostLimitError', { ...input, maxCost: '5' })
    expect(error).toMatchObject({ estimate: null, limit: { amount: '5.000000' } })
    const { generation } = await generate(client, input)
    expect(generation.cost.estimated).toBeNull()
    expect(generation.warnings.map((warning) => warning.code)).toContain('UNKNOWN_PRICE')
  })

  it('keeps a key within its daily spend', async () => {
    const client = await openAccount({ dailySpend: '0.10' })
    await make(client, { ...PAINTER, count: 2 })
    const error = await refuse(client, 'CostLimitError', PAINTER)
    expect(error).toMatchObject({ estimate: { amount: '0.040000' }, limit: { amount: '0.100000' } })
  })

  it('gives back what was held for a picture that was not made', async () => {
    const client = await openAccount({ dailySpend: '0.10' })
    const { last } = await make(client, { ...PAINTER, ...quick('delay=0 images=1', { count: 2 }) })
    expect(last.generation.cost).toMatchObject({ charged: { amount: '0.040000' }, held: { amount: '0.000000' } })
    await make(client, PAINTER)
    await refuse(client, 'CostLimitError', PAINTER)
  })

  it('tells how long to wait above the rate limit', async () => {
    const client = await openAccount({ limits: { requestsPerMinute: 2 } })
    await generate(client, PAINTER)
    await generate(client, PAINTER)
    const error = await refuse(client, 'RateLimitedError', PAINTER)
    expect(error).toMatchObject({ code: 'RATE_LIMITED', limitPerMinute: 2 })
    expect(error.retryAfterMs).toBeGreaterThan(0)
    expect(error.retryAfterMs).toBeLessThanOrEqual(60_000)
  })

  it('answers a repeated request with the same generation, and another one under its key with a conflict', async () => {
    const client = await openAccount()
    const input = { ...PAINTER, idempotencyKey: 'cart-17' }
    const first = await generate(client, input)
    const again = await generate(client, input)
    expect(again).toMatchObject({ replayed: true, generation: { id: first.generation.id } })
    const conflict = await refuse(client, 'IdempotencyConflictError', { ...input, prompt: 'another' })
    expect(conflict).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT', generation: { id: first.generation.id } })
  })

  it('keeps idempotency keys of different accounts apart', async () => {
    const [one, other] = [await openAccount(), await openAccount()]
    const input = { ...PAINTER, idempotencyKey: 'same' }
    const first = await generate(one, input)
    const second = await generate(other, { ...input, prompt: 'another [[sandbox delay=0]]' })
    expect(second.replayed).toBe(false)
    expect(second.generation.id).not.toBe(first.generation.id)
  })

  it('answers estimateCost in the words of generateImage', async () => {
    const client = await openAccount()
    const ask = async (input: typeof QUICK) => (await client.run(EstimateCostDocument, { input })).estimateCost
    expect(await ask({ ...PAINTER, quality: 'ultra' })).toMatchObject({
      __typename: 'InvalidInputError',
      fields: [{ path: 'quality' }],
    })
    expect(await ask({ ...QUICK, model: 'nobody/nothing' })).toMatchObject({ reason: 'UNKNOWN' })
    expect(await ask({ ...PAINTER, count: 4 })).toMatchObject({
      __typename: 'CostEstimate',
      total: { min: { amount: '0.160000' }, max: { amount: '0.160000', credits: '160.000000' } },
      lines: [{ quantity: '4', unitPrice: { amount: '0.040000' }, total: { amount: '0.160000' } }],
    })
  })
})

describe('a provider that fails again and again', () => {
  it('is told to be down before a request is taken, and not only after it', async () => {
    await using broken = await startApp()
    for (let failure = 0; failure < 6; failure++) {
      const { last } = await make(broken.client, quick('delay=0 fail=unavailable at=running'))
      expect(last).toMatchObject({ kind: 'FAILED', problem: { code: 'UNAVAILABLE', billed: false } })
    }
    const result = await request(broken.client, QUICK)
    expect(result).toMatchObject({ __typename: 'ModelUnavailableError', reason: 'DOWN' })
  })
})
