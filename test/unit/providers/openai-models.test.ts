import { describe, expect, it } from 'vitest'
import { planRequest } from '../../../src/generation/request-plan.ts'
import { createPriceSnapshot } from '../../../src/ledger/price-snapshot.ts'
import { mergeCatalog, parseCatalogFile } from '../../../src/providers/catalog/catalog-file.ts'
import { OPENAI_MODELS } from '../../../src/providers/catalog/openai.ts'
import type { Model } from '../../../src/providers/model.ts'
import { createModelCatalog } from '../../../src/providers/model-catalog.ts'
import { countOutputTokens } from '../../support/wire/openai-tokens.ts'
import { makeInput } from '../generation/request-plan-fixtures.ts'

const catalog = createModelCatalog(OPENAI_MODELS, { defaultModel: 'gpt-image-2' })
const get = (name: string) => catalog.get(`openai/${name}`)
const CURRENCY = { usdRate: '1', markup: '1' }

/** What a catalogue file has to say where an endpoint still serves a model. */
function revive(id: string): Model {
  const models = [{ id, lifecycle: { state: 'ACTIVE', retiresAt: null } }]
  const file = parseCatalogFile('models.json', JSON.stringify({ models }), 0)
  return createModelCatalog(mergeCatalog(OPENAI_MODELS, file), { defaultModel: 'gpt-image-2' }).get(id)
}

describe("OpenAI's models", () => {
  it('are led by the fast one of the newest family', () => {
    expect(catalog.resolve({ model: null, provider: 'openai' }).model.id).toBe('openai/gpt-image-2.6-flare')
  })

  it.each([
    ['gpt-image-2.5-sunburst-2026-09-08', 'openai/gpt-image-2.5-sunburst'],
    ['gpt-image-1.5-2025-12-16', 'openai/gpt-image-1.5'],
    ['dall-e-3', 'openai/dall-e-3'],
  ])('are found as %s', (name, id) => {
    expect(catalog.resolve({ model: name, provider: null }).model.id).toBe(id)
  })

  it('end with a day and a living successor', () => {
    const ending = OPENAI_MODELS.filter(({ lifecycle }) => lifecycle.state !== 'ACTIVE')
    expect(ending.map(({ id, lifecycle }) => [id, lifecycle.state, lifecycle.retiresAt])).toEqual([
      ['openai/gpt-image-1.5', 'DEPRECATED', Date.UTC(2026, 11, 1)],
      ['openai/gpt-image-1-mini', 'DEPRECATED', Date.UTC(2026, 11, 1)],
      ['openai/chatgpt-image-latest', 'DEPRECATED', Date.UTC(2026, 11, 1)],
      ['openai/gpt-image-1', 'RETIRED', Date.UTC(2026, 9, 23)],
      ['openai/dall-e-3', 'RETIRED', Date.UTC(2026, 4, 12)],
      ['openai/dall-e-2', 'RETIRED', Date.UTC(2026, 4, 12)],
    ])
    for (const { lifecycle } of ending) {
      expect(catalog.find(lifecycle.replacement ?? '')?.lifecycle.state).toBe('ACTIVE')
    }
  })

  it.each([
    ['openai/dall-e-3', { size: '1024x1792', quality: 'hd', style: 'vivid', count: 4 }, 'dall-e'],
    ['openai/dall-e-2', { size: '512x512', count: 10 }, 'dall-e'],
    ['openai/gpt-image-1', { size: '1536x1024', quality: 'high' }, undefined],
  ])('can be brought back by their life cycle alone: %s', (id, asked, form) => {
    const model = revive(id)
    const plan = planRequest(model, {}, makeInput({ ...asked, strict: true }))
    expect([model.lifecycle.state, model.wire.form, plan.warnings]).toEqual(['ACTIVE', form, []])
    const priced = { ...plan.parameters, promptBytes: 18, previews: 0 }
    expect(createPriceSnapshot(model, priced, CURRENCY)).not.toBeNull()
  })

  it.each(OPENAI_MODELS.filter(({ prices }) => prices.length > 0))(
    'have a price for each size and quality: $id',
    (model) => {
      const { sizes, qualities } = model.capabilities
      for (const size of sizes.length > 0 ? sizes : ['1024x1024', '1024x640', '3840x2160']) {
        for (const quality of qualities) {
          const [width = 0, height = 0] = size.split('x').map(Number)
          const priced = { width, height, quality, promptBytes: 100, referenceImages: 2, previews: 3 }
          expect(createPriceSnapshot(model, priced, CURRENCY), `${size} ${quality}`).not.toBeNull()
        }
      }
    },
  )

  it('say that the price of one is not known', () => {
    expect(get('chatgpt-image-latest').prices).toEqual([])
  })

  it.each(['low', 'medium', 'high'])('are estimated at what the vendor counts: %s', (quality) => {
    const painted = (name: string) =>
      get(name).tokenEstimates.filter((each) => each.unit === 'MILLION_IMAGE_OUTPUT_TOKENS' && each.quality === quality)
    for (const { size, min, max } of painted('gpt-image-1.5')) {
      const [width = 0, height = 0] = (size ?? '').split('x').map(Number)
      const counted = countOutputTokens('1', quality, width, height)
      expect([min, max]).toEqual([counted, counted])
    }
    expect(painted('gpt-image-1.5')).toHaveLength(3)
    // A square of a million pixels: the grid squared and three quarters, as near as whole tokens come.
    const [grid] = painted('gpt-image-2').map((each) => each.grid)
    const counted = countOutputTokens('2', quality, 1000, 1000)
    expect([grid?.min, grid?.max]).toEqual([Math.sqrt((counted * 4) / 3), Math.sqrt((counted * 4) / 3)])
  })
})

describe('the tokens that the wire server counts', () => {
  it.each([
    [1024, 1024, 7024],
    [1536, 1024, 5488],
    [3840, 2160, 13342],
  ])('are those of answers that were seen: %i x %i', (width, height, tokens) => {
    expect(countOutputTokens('2', 'high', width, height)).toBe(tokens)
  })
})
