import { describe, expect, it } from 'vitest'
import { ModelUnavailableError } from '../../../src/errors.ts'
import { mergeCatalog, parseCatalogFile } from '../../../src/providers/catalog/catalog-file.ts'
import { FAL_MODELS } from '../../../src/providers/catalog/fal.ts'
import { FLUX_MODELS } from '../../../src/providers/catalog/flux.ts'
import { REPLICATE_MODELS } from '../../../src/providers/catalog/replicate.ts'
import { SANDBOX_MODELS } from '../../../src/providers/catalog/sandbox.ts'
import type { Model } from '../../../src/providers/model.ts'
import { createModelCatalog } from '../../../src/providers/model-catalog.ts'
import { readInputTemplate } from '../../../src/providers/wire/input-template.ts'
import { createProviderRequest } from '../../contract/providers/wire-stage.ts'

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

/** A request that uses all that the model declares. */
function askForAll({ capabilities, providerModel: modelName, wire, nativeFormats }: Model) {
  const { width, height, aspectRatios, defaultSize } = capabilities
  const [across, down] = (defaultSize ?? '0x0').split('x').map(Number)
  const has = <Value>(isDeclared: boolean, value: Value) => (isDeclared ? value : null)
  const picture = { bytes: Buffer.from('one'), mimeType: 'image/png', width: 1, height: 1 } as const
  return createProviderRequest({
    modelName,
    wire,
    count: capabilities.maxCount,
    negativePrompt: has(capabilities.negativePrompt, 'a cat'),
    referenceImages: Array.from({ length: capabilities.maxReferenceImages }, () => picture),
    mask: has(capabilities.mask, picture),
    parameters: {
      width: has(width !== null, across ?? 0),
      height: has(height !== null, down ?? 0),
      aspectRatio: aspectRatios[0] ?? null,
      outputFormat: nativeFormats[0] ?? null,
      outputCompression: has(capabilities.outputCompression, 80),
      seed: has(capabilities.seed, 7),
      guidanceScale: has(capabilities.guidanceScale, 3),
      enhancePrompt: has(capabilities.enhancePrompt, true),
      watermark: has(capabilities.watermark, true),
    },
  })
}

describe.each(AGGREGATED.map((model) => [model.id, model] as const))('%s', (_, model) => {
  it('has a place for all that it declares', () => {
    const template = readInputTemplate(askForAll(model))
    const sent = JSON.stringify(template.fill([0]))
    expect(sent).not.toMatch(/"\{\w+\}"/)
    expect(model.capabilities.maxCount).toBeGreaterThanOrEqual(template.imagesPerCall)
  })

  it('lets no option set what the request sets', () => {
    const { providerOptions } = model.capabilities
    const offered = Object.keys((providerOptions?.properties as object | undefined) ?? {})
    const set = Object.keys(readInputTemplate(askForAll(model)).fill([0]))
    expect(offered.filter((name) => set.includes(name))).toEqual([])
    expect(offered.filter((name) => /webhook|url|count|num_(images|outputs)|width|height|sync/.test(name))).toEqual([])
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
