import { describe, expect, it } from 'vitest'
import { ModelUnavailableError } from '../../../src/errors.ts'
import { mergeCatalog, parseCatalogFile } from '../../../src/providers/catalog/catalog-file.ts'
import { FAL_MODELS } from '../../../src/providers/catalog/fal.ts'
import { FLUX_MODELS } from '../../../src/providers/catalog/flux.ts'
import { REPLICATE_MODELS } from '../../../src/providers/catalog/replicate.ts'
import { SANDBOX_MODELS } from '../../../src/providers/catalog/sandbox.ts'
import type { Model } from '../../../src/providers/model.ts'
import { createModelCatalog } from '../../../src/providers/model-catalog.ts'

const AGGREGATED = [...FAL_MODELS, ...REPLICATE_MODELS]

/** Models of vendors that have a catalogue of their own, by the names that people ask for. */
function standIn(id: string): Model {
  const [template] = FLUX_MODELS
  if (!template) throw new Error('There are no models of Black Forest Labs.')
  return { ...template, id, provider: id.slice(0, id.indexOf('/')), aliases: [] }
}
const VENDORS_OWN = [...SANDBOX_MODELS, ...FLUX_MODELS, standIn('bytedance/seedream-4')]

/** Whichever stands first. */
const catalogs = [
  ['before', createModelCatalog([...AGGREGATED, ...VENDORS_OWN])],
  ['after', createModelCatalog([...VENDORS_OWN, ...AGGREGATED])],
] as const

describe.each(catalogs)("An aggregator's models %s those of the vendors", (_, catalog) => {
  const idOf = (model: string, provider: string | null = null) => catalog.resolve({ model, provider }).model.id

  it.each(AGGREGATED.map(({ id, provider }) => [id, provider]))('are found by their id: %s', (id, provider) => {
    expect(idOf(id)).toBe(id)
    expect(idOf(id, provider)).toBe(id)
    expect(idOf(id.slice(provider.length + 1), provider)).toBe(id)
  })

  it.each([
    ['fal-ai/flux/dev', 'fal/fal-ai/flux/dev'],
    ['fal-ai/flux-pro/v1.1', 'fal/fal-ai/flux-pro/v1.1'],
    ['black-forest-labs/flux-schnell', 'replicate/black-forest-labs/flux-schnell'],
    ['replicate/flux-1.1-pro', 'replicate/black-forest-labs/flux-1.1-pro'],
    ['replicate/seedream-4', 'replicate/bytedance/seedream-4'],
    ['fal/flux-dev', 'fal/fal-ai/flux/dev'],
  ])('are found by the name that the aggregator gives them: %s', (name, id) => {
    expect(idOf(name)).toBe(id)
  })

  it.each([
    ['flux-1.1-pro', 'flux/flux-1.1-pro'],
    ['flux-pro-1.1', 'flux/flux-1.1-pro'],
    ['flux-dev', 'flux/flux-dev'],
    ['flux-1', 'flux/flux-dev'],
    ['flux-2', 'flux/flux-2-pro'],
    ['flux-2-pro', 'flux/flux-2-pro'],
    ['flux-2-flex', 'flux/flux-2-flex'],
    ['black-forest-labs/flux-1.1-pro', 'flux/flux-1.1-pro'],
    ['bfl/flux-dev', 'flux/flux-dev'],
    ['seedream-4', 'bytedance/seedream-4'],
    ['bytedance/seedream-4', 'bytedance/seedream-4'],
    ['byteplus/seedream-4', 'bytedance/seedream-4'],
  ])("leave the vendor's own name alone: %s", (name, id) => {
    expect(idOf(name)).toBe(id)
  })

  it('are all named where only aggregators have it', () => {
    expect(() => idOf('flux-schnell')).toThrow(ModelUnavailableError)
    expect(() => idOf('flux-schnell')).toThrow('fal/fal-ai/flux/schnell')
  })
})

describe("An aggregator's models", () => {
  it.each(AGGREGATED.map((model) => [model.id, model] as const))('say where their price is from: %s', (_, model) => {
    expect(model.providerModel).toBe(model.id.slice(model.provider.length + 1))
    expect(model.prices.length).toBeGreaterThan(0)
    for (const { source } of model.prices) expect(source).toMatch(/replicate\.com|unverified/)
  })
})

describe('An operator', () => {
  const merge = (...models: readonly object[]) =>
    mergeCatalog(AGGREGATED, parseCatalogFile('catalog.json', JSON.stringify({ models }), 0))

  it('adds an app or a model by a file', () => {
    const input = { prompt: '{prompt}', image_urls: '{images}' }
    const entry = { id: 'fal/fal-ai/nano-banana/edit', provider: 'fal', wire: { input } }
    const capabilities = { minReferenceImages: 1, maxReferenceImages: 4 }
    const added = merge({ ...entry, capabilities, nativeFormats: [] }).at(-1)
    expect(added).toMatchObject({ provider: 'fal', providerModel: 'fal-ai/nano-banana/edit', wire: { input } })
  })

  it('changes what a known one is sent', () => {
    const [first] = merge({ id: 'fal/fal-ai/flux/schnell', wire: { imagesPerCall: 1 } })
    expect(first?.wire).toEqual({ ...FAL_MODELS[0]?.wire, imagesPerCall: 1 })
  })
})
