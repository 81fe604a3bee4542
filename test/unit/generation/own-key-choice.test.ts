import { describe, expect, it } from 'vitest'
import type { GenerationInput } from '../../../src/generation/generation-types.ts'
import { createModelAvailability } from '../../../src/generation/model-availability.ts'
import { createModelChooser, type ModelChoice } from '../../../src/generation/model-choice.ts'
import type { ProviderHealth } from '../../../src/generation/services.ts'
import { createModelCatalog } from '../../../src/providers/model-catalog.ts'
import { createProviderRegistry } from '../../../src/providers/provider-registry.ts'
import { Secret } from '../../../src/secret.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { pricedModel, unpricedModel, viewerOf } from '../../support/house.ts'
import { createScriptedProvider } from '../../support/scripted-provider.ts'
import { catchProblems, makeInput } from './request-plan-fixtures.ts'

const MODELS = [
  pricedModel({ id: 'flux/pro', provider: 'flux' }, '0.05'),
  pricedModel({ id: 'flux/max', provider: 'flux' }, '0.08'),
  unpricedModel({ id: 'flux/new', provider: 'flux' }),
  retired('flux/old', 'flux', 'other/brush'),
  retired('flux/older', 'flux', 'flux/pro'),
  pricedModel({ id: 'other/brush', provider: 'other' }, '0.10'),
  pricedModel({ id: 'free/easel', provider: 'free' }, '0'),
  pricedModel({ id: 'paid/easel', provider: 'paid' }, '0.01'),
]

function retired(id: string, provider: string, replacement: string) {
  return pricedModel({ id, provider, lifecycle: { state: 'RETIRED', retiresAt: null, replacement, note: null } })
}

type Given = {
  /** For which providers the account keeps a key. */
  readonly stored?: readonly string[]
  /** Does one come with the request? */
  readonly given?: boolean
  /** Has the server a key for flux? */
  readonly configured?: boolean
  readonly down?: readonly string[]
}

function choose(input: Partial<GenerationInput>, given: Given = {}): ModelChoice {
  const { stored = [], configured = true, down = [] } = given
  const providers = createProviderRegistry([
    createScriptedProvider({ id: 'flux', keyed: true, configured }),
    createScriptedProvider({ id: 'other', keyed: true }),
    createScriptedProvider({ id: 'free' }),
    createScriptedProvider({ id: 'paid' }),
  ])
  const health = (id: string): ProviderHealth => ({
    state: down.includes(id) ? 'DOWN' : 'UP',
    since: null,
    message: null,
  })
  const availability = createModelAvailability({ providers, health: { health }, clock: createFakeClock() })
  const catalog = createModelCatalog(MODELS, { defaultModel: 'flux/pro' })
  const currency = { code: 'EUR', usdRate: '0.5', markup: '2', credit: '0.001' }
  const chooser = createModelChooser({ catalog, availability, currency })
  const providerApiKey = given.given ? new Secret('sk-own') : null
  return chooser(viewerOf('acc_1'), makeInput({ ...input, providerApiKey }), { stored: new Set(stored) })
}

const sourcesOf = ({ first, fallbacks }: ModelChoice) =>
  [first, ...fallbacks].map(({ modelId, keySource }) => `${modelId} ${keySource}`)

describe('whose key pays', () => {
  it.each<[string, Given, string]>([
    ['the request’s', { given: true, stored: ['flux'] }, 'REQUEST'],
    ['the account’s where none came', { stored: ['flux', 'other'] }, 'ACCOUNT'],
    ['the server’s where there is no other', { stored: ['other'] }, 'SERVER'],
  ])('is %s', (_, given, source) => {
    for (const configured of [true, false]) {
      if (source === 'SERVER' && !configured) continue
      expect(choose({}, { ...given, configured }).first.keySource).toBe(source)
    }
  })

  it('is nobody’s where the server has none, and the refusal says what to do', () => {
    expect(() => choose({}, { configured: false, stored: ['other'] })).toThrow(
      expect.objectContaining({ reason: 'NOT_CONFIGURED', message: expect.stringContaining('`setProviderKey`') }),
    )
  })

  it('is asked of the provider of the model that was named, and of no other', () => {
    const input = { fallbackModels: ['other/brush', 'flux/max'] }
    expect(sourcesOf(choose(input, { given: true, stored: ['other'] }))).toEqual([
      'flux/pro REQUEST',
      'other/brush ACCOUNT',
      'flux/max REQUEST',
    ])
  })

  it('is no matter of a provider that takes none: a key for it is refused', () => {
    const problems = catchProblems(() => choose({ model: 'free/easel' }, { given: true, stored: ['flux'] }))
    expect(problems).toMatchObject([{ path: 'providerApiKey', message: expect.stringContaining('free takes no key') }])
  })
})

describe('what a key of the caller’s own pays', () => {
  it('costs nothing, and the provider’s list price is told without the markup', () => {
    for (const given of [{ given: true }, { stored: ['flux'] }]) {
      const choice = choose({ count: 2 }, given)
      expect(choice).toMatchObject({ ownKey: true, estimate: { minMicros: 0, maxMicros: 0 } })
      expect(choice.first).toMatchObject({ price: null, estimate: { minMicros: 0, maxMicros: 0 }, warnings: [] })
      expect(choice.providerPrice).toEqual({ minMicros: 50_000, maxMicros: 50_000 })
    }
    expect(choose({ count: 2 })).toMatchObject({
      ownKey: false,
      estimate: { minMicros: 100_000, maxMicros: 100_000 },
      providerPrice: null,
    })
  })

  it('costs nothing where the price is not known either', () => {
    const choice = choose({ model: 'flux/new' }, { stored: ['flux'] })
    expect(choice).toMatchObject({ estimate: { minMicros: 0, maxMicros: 0 }, providerPrice: null })
    expect(choice.first.warnings).toEqual([])
  })

  it('never goes on for credits: such fallbacks are passed over, and that is said', () => {
    const input = { fallbackModels: ['other/brush', 'paid/easel', 'free/easel', 'flux/max'] }
    for (const given of [{ given: true }, { stored: ['flux'] }]) {
      const choice = choose(input, given)
      expect(sourcesOf(choice).map((text) => text.split(' ')[0])).toEqual(['flux/pro', 'free/easel', 'flux/max'])
      expect(choice.first.warnings).toMatchObject([
        {
          code: 'IGNORED',
          field: 'fallbackModels',
          requested: 'other/brush',
          message: expect.stringContaining('credits'),
        },
        { code: 'IGNORED', field: 'fallbackModels', requested: 'paid/easel' },
      ])
      expect(choice.estimate).toEqual({ minMicros: 0, maxMicros: 0 })
    }
  })

  it('never goes on for credits where the first is down from the start either', () => {
    const down = { stored: ['flux'], down: ['flux'] }
    expect(() => choose({ fallbackModels: ['other/brush'] }, down)).toThrow(expect.objectContaining({ reason: 'DOWN' }))
    const free = choose({ fallbackModels: ['other/brush', 'free/easel'] }, down)
    expect(sourcesOf(free)).toEqual(['free/easel SERVER'])
    expect(free.ownKey).toBe(true)
  })

  it('may stand behind what credits pay', () => {
    const choice = choose({ model: 'other/brush', fallbackModels: ['flux/pro'] }, { stored: ['flux'] })
    expect(sourcesOf(choice)).toEqual(['other/brush SERVER', 'flux/pro ACCOUNT'])
    expect(choice).toMatchObject({ ownKey: false, estimate: { minMicros: 0, maxMicros: 100_000 }, providerPrice: null })
  })

  it('is not replaced, once retired, by what costs credits', () => {
    const input = { strict: false } as const
    for (const given of [{ given: true }, { stored: ['flux'] }]) {
      expect(() => choose({ ...input, model: 'flux/old' }, given)).toThrow(
        expect.objectContaining({ reason: 'RETIRED' }),
      )
      expect(choose({ ...input, model: 'flux/older' }, given).first.modelId).toBe('flux/pro')
    }
    expect(choose({ ...input, model: 'flux/old' }).first.modelId).toBe('other/brush')
    // Nor does a key that came for one vendor fall silent because another answers.
    const both = { given: true, stored: ['other'] }
    expect(() => choose({ ...input, model: 'flux/old' }, both)).toThrow(expect.objectContaining({ reason: 'RETIRED' }))
    expect(sourcesOf(choose({ ...input, model: 'flux/old' }, { stored: ['flux', 'other'] }))).toEqual([
      'other/brush ACCOUNT',
    ])
  })
})
