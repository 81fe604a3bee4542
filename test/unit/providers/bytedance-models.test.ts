import { describe, expect, it } from 'vitest'
import { planRequest } from '../../../src/generation/request-plan.ts'
import { createPriceSnapshot } from '../../../src/ledger/price-snapshot.ts'
import { estimateImages } from '../../../src/ledger/pricing.ts'
import { BYTEDANCE_MODELS } from '../../../src/providers/catalog/bytedance.ts'
import { createModelCatalog } from '../../../src/providers/model-catalog.ts'
import { ARK_MODELS, findArkProblem } from '../../support/wire/bytedance-fields.ts'
import { catchProblems, makeInput } from '../generation/request-plan-fixtures.ts'

const catalog = createModelCatalog(BYTEDANCE_MODELS, { defaultModel: 'bytedance/seedream-4' })
const plan = (name: string, input: Parameters<typeof makeInput>[0]) =>
  planRequest(catalog.get(`bytedance/${name}`), {}, makeInput(input))

describe('the models of ByteDance', () => {
  it.each(BYTEDANCE_MODELS.map(({ id, capabilities, providerModel }) => [id, capabilities, providerModel] as const))(
    'declare no size that the vendor refuses: %s',
    (_, { sizes, width, height, minPixels, maxPixels, defaultSize }, name) => {
      const model = ARK_MODELS[name] ?? expect.unreachable()
      const [least, most] = [width?.min ?? 1, height?.max ?? 1]
      // The smallest and the largest beside the shortest side.
      const lengths = [Math.ceil((minPixels ?? 1) / least), Math.min(most, Math.floor((maxPixels ?? 1) / least))]
      const slender = width && height ? lengths.map((long) => [least, long]) : []
      const ends = slender.flatMap(([short, long]) => [`${short}x${long}`, `${long}x${short}`])
      for (const size of [...sizes, defaultSize, ...ends])
        expect([size, findArkProblem({ prompt: 'a fox', size }, model)]).toEqual([size, undefined])
    },
  )

  it('make 1024x1024 with 4.0 and not with 4.5', () => {
    expect(plan('seedream-4', { size: '1024x1024' }).parameters).toMatchObject({ width: 1024, height: 1024 })
    expect(catchProblems(() => plan('seedream-4.5', { size: '1024x1024' }))).not.toEqual([])
  })

  it.each([
    { sequential_image_generation: 'auto' },
    { stream: true },
    { n: 4 },
    { optimize_prompt_options: { mode: 'fast', thinking: 'enabled' } },
  ])('take no option that changes count, form or cost: %j', (providerOptions) => {
    expect(catchProblems(() => plan('seedream-4', { providerOptions }))).not.toEqual([])
  })

  it('ask for a format only where the vendor can be asked', () => {
    expect(plan('seedream-4', {}).parameters.outputFormat).toBeNull()
    expect(plan('seedream-5-lite', { outputFormat: 'PNG' }).parameters.outputFormat).toBe('PNG')
  })

  it.each(['seedream-4-0-250828', 'seedream-4.0', 'dola-seedream-5-0-pro-260628', 'seedream-5-0-lite-260128'])(
    'answer to the name %s',
    (name) => {
      expect(catalog.resolve({ model: name, provider: 'byteplus' }).model.provider).toBe('bytedance')
    },
  )
})

describe('the prices of ByteDance', () => {
  it.each([
    ['seedream-4', '4096x4096', 30_000],
    ['seedream-4.5', '2048x2048', 40_000],
    ['seedream-5-lite', '2560x1440', 35_000],
    ['seedream-5-pro', '1536x1536', 45_000],
    ['seedream-5-pro', '1080x1920', 45_000],
    ['seedream-5-pro', '2560x1440', 90_000],
    ['seedream-3', '1024x1024', 30_000],
    ['seedream-5.5', '1024x1024', 20_000],
    ['seedream-5.5', '2048x2048', 35_000],
  ])('are those of the list for %s at %s', (name, size, micros) => {
    const { parameters } = plan(name, { size })
    const factors = { ...parameters, promptBytes: 17, previews: 0 }
    const snapshot = createPriceSnapshot(catalog.get(`bytedance/${name}`), factors, { usdRate: '1', markup: '1' })
    expect(snapshot && estimateImages(snapshot, 1)).toMatchObject({ minMicros: micros, maxMicros: micros })
  })
})
