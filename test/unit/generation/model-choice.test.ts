import { describe, expect, it } from 'vitest'
import { InvalidInputError, ModelUnavailableError } from '../../../src/errors.ts'
import type { GenerationInput } from '../../../src/generation/generation-types.ts'
import { createModelAvailability } from '../../../src/generation/model-availability.ts'
import { createModelChooser } from '../../../src/generation/model-choice.ts'
import type { ProviderHealth } from '../../../src/generation/services.ts'
import type { Lifecycle, Model } from '../../../src/providers/model.ts'
import { createModelCatalog } from '../../../src/providers/model-catalog.ts'
import { createProviderRegistry } from '../../../src/providers/provider-registry.ts'
import type { Viewer } from '../../../src/viewer.ts'
import { createFakeClock, FAKE_START } from '../../support/fake-clock.ts'
import { pricedModel, unpricedModel, viewerOf } from '../../support/house.ts'
import { createScriptedProvider } from '../../support/scripted-provider.ts'
import { makeInput, makeModel } from './request-plan-fixtures.ts'

const UP: ProviderHealth = { state: 'UP', since: null, message: null }
const DOWN: ProviderHealth = { state: 'DOWN', since: 0, message: 'It does not answer.' }

function lifecycle(details: Partial<Lifecycle>): { lifecycle: Lifecycle } {
  return { lifecycle: { state: 'ACTIVE', retiresAt: null, replacement: null, note: null, ...details } }
}

const EASEL = pricedModel()
const BRUSH = pricedModel({ id: 'other/brush', provider: 'other' }, '0.10')
const STAMP = {
  ...pricedModel({ id: 'other/stamp', provider: 'other' }),
  capabilities: makeModel({ maxCount: 1 }).capabilities,
}
const GIFT = unpricedModel({ id: 'other/gift', provider: 'other' })
const OLD = pricedModel({ id: 'test/old', ...lifecycle({ state: 'RETIRED', replacement: 'test/easel' }) })
const ENDED = pricedModel({ id: 'test/ended', ...lifecycle({ retiresAt: FAKE_START, replacement: 'test/easel' }) })
const AGING = pricedModel({ id: 'test/aging', ...lifecycle({ state: 'DEPRECATED', retiresAt: FAKE_START + 1 }) })
const KEYLESS = pricedModel({ id: 'keyless/easel', provider: 'keyless' })

const MODELS: readonly Model[] = [EASEL, BRUSH, STAMP, GIFT, OLD, ENDED, AGING, KEYLESS]

function choose(
  input: Partial<GenerationInput>,
  {
    viewer = viewerOf('acc_1'),
    health = {},
    stored = [],
  }: { viewer?: Viewer; health?: Readonly<Record<string, ProviderHealth>>; stored?: readonly string[] } = {},
) {
  const providers = createProviderRegistry([
    createScriptedProvider(),
    createScriptedProvider({ id: 'other', keyed: true }),
    createScriptedProvider({ id: 'keyless', keyed: true, configured: false }),
  ])
  const board = { health: (id: string) => health[id] ?? UP }
  const availability = createModelAvailability({ providers, health: board, clock: createFakeClock() })
  const catalog = createModelCatalog(MODELS, { defaultModel: 'test/easel' })
  const currency = { code: 'USD', usdRate: '1', markup: '1', credit: '0.001' }
  return createModelChooser({ catalog, availability, currency })(viewer, makeInput(input), { stored: new Set(stored) })
}

function refusalOf(...args: Parameters<typeof choose>): ModelUnavailableError {
  try {
    choose(...args)
  } catch (error) {
    if (error instanceof ModelUnavailableError) return error
    throw error
  }
  throw new Error('Nothing was refused.')
}

describe('a model that cannot be used', () => {
  it.each([
    ['RETIRED', { model: 'test/old' }, {}],
    ['RETIRED', { model: 'test/ended' }, {}],
    ['NOT_CONFIGURED', { model: 'keyless/easel' }, {}],
    ['NOT_ALLOWED', { model: 'test/easel' }, { viewer: viewerOf('acc_1', { models: ['other/brush'] }) }],
    ['DOWN', { model: 'test/easel' }, { health: { test: DOWN } }],
    ['UNKNOWN', { model: 'test/easle' }, {}],
  ])('is refused as %s', (reason, input, given) => {
    expect(refusalOf(input, given).reason).toBe(reason)
  })

  it('names its replacement', () => {
    expect(refusalOf({ model: 'test/old' })).toMatchObject({
      replacement: 'test/easel',
      suggestions: ['test/easel'],
    })
  })

  it('says why a provider is down in its own words', () => {
    expect(refusalOf({}, { health: { test: DOWN } }).message).toBe('It does not answer.')
  })
})

describe('a retired model', () => {
  it.each(['test/old', 'test/ended'])('is replaced where the caller is lenient: %s', (model) => {
    const { first, requestedModel } = choose({ model, strict: false })
    expect(requestedModel).toBe(model)
    expect(first.modelId).toBe('test/easel')
    expect(first.warnings).toMatchObject([{ code: 'MODEL_REPLACED', requested: model, used: 'test/easel' }])
  })

  it('is not replaced by one that the caller may not use', () => {
    const viewer = viewerOf('acc_1', { models: ['test/old'] })
    expect(refusalOf({ model: 'test/old', strict: false }, { viewer }).reason).toBe('NOT_ALLOWED')
  })
})

it('warns of a deprecated model and uses it', () => {
  const { first } = choose({ model: 'test/aging' })
  expect(first.modelId).toBe('test/aging')
  expect(first.warnings.map(({ code }) => code)).toEqual(['DEPRECATED_MODEL'])
})

describe('fallbacks', () => {
  it('keep the order in which they were named, each once', () => {
    const { first, fallbacks } = choose({ fallbackModels: ['other/brush', 'brush', 'test/aging', 'test/easel'] })
    expect([first, ...fallbacks].map(({ modelId }) => modelId)).toEqual(['test/easel', 'other/brush', 'test/aging'])
    expect(first.warnings).toEqual([])
  })

  it('step in at once where the first is down, and say who answers', () => {
    const { first, fallbacks, requestedModel } = choose(
      { model: 'test/easel', fallbackModels: ['keyless/easel', 'other/brush'] },
      { health: { test: DOWN } },
    )
    expect(requestedModel).toBe('test/easel')
    expect(first.modelId).toBe('other/brush')
    expect(fallbacks).toEqual([])
    expect(first.warnings).toMatchObject([
      { code: 'FALLBACK_USED', field: 'model', requested: 'test/easel', used: 'other/brush' },
      { code: 'IGNORED', field: 'fallbackModels', requested: 'keyless/easel' },
    ])
  })

  it('do not step in for a model that the token may not use', () => {
    const viewer = viewerOf('acc_1', { models: ['other/brush'] })
    expect(refusalOf({ fallbackModels: ['other/brush'] }, { viewer }).reason).toBe('NOT_ALLOWED')
  })

  it('are passed over, with a warning, where they cannot honour the request', () => {
    const { first, fallbacks } = choose({ count: 2, fallbackModels: ['other/stamp'] })
    expect(fallbacks).toEqual([])
    expect(first.warnings).toMatchObject([{ code: 'IGNORED', field: 'fallbackModels', requested: 'other/stamp' }])
  })

  it('cannot help a request that the first model refuses', () => {
    const call = () => choose({ model: 'other/stamp', count: 2, fallbackModels: ['test/easel'] })
    expect(call).toThrow(InvalidInputError)
  })

  it('that do not exist are told with their place', () => {
    expect(() => choose({ fallbackModels: ['other/brush', 'other/brsh'] })).toThrow(
      expect.objectContaining({ fields: [expect.objectContaining({ path: 'fallbackModels.1' })] }),
    )
  })

  it('refuse with the first model as the reason where none can be used', () => {
    const health = { test: DOWN, other: DOWN }
    expect(refusalOf({ fallbackModels: ['other/brush'] }, { health }).message).toBe('It does not answer.')
  })
})

describe('the estimate', () => {
  it('goes from the cheapest to the dearest that may answer', () => {
    expect(choose({ count: 2, fallbackModels: ['other/brush'] }).estimate).toEqual({
      minMicros: 80_000,
      maxMicros: 200_000,
    })
  })

  it('never turns from known to unknown by a fallback', () => {
    const { estimate, fallbacks, first } = choose({ fallbackModels: ['other/gift', 'other/brush'] })
    expect(estimate).toEqual({ minMicros: 40_000, maxMicros: 100_000 })
    expect(fallbacks.map(({ modelId }) => modelId)).toEqual(['other/brush'])
    expect(first.warnings).toMatchObject([{ code: 'IGNORED', requested: 'other/gift' }])
  })

  it('is unknown where the first price is, and says so', () => {
    const { estimate, first } = choose({ model: 'other/gift', fallbackModels: ['test/easel'] })
    expect(estimate).toBeNull()
    expect(first.warnings.map(({ code }) => code)).toEqual(['UNKNOWN_PRICE'])
  })
})
