import { describe, expect, it, onTestFinished } from 'vitest'
import type { GenerationInput } from '../../../src/generation/generation-types.ts'
import { planRequest } from '../../../src/generation/request-plan.ts'
import { createPriceSnapshot } from '../../../src/ledger/price-snapshot.ts'
import { estimateImages } from '../../../src/ledger/pricing.ts'
import { IDEOGRAM_MODELS } from '../../../src/providers/catalog/ideogram.ts'
import { createIdeogramProvider } from '../../../src/providers/ideogram/ideogram-provider.ts'
import type { Model, ModelAlias } from '../../../src/providers/model.ts'
import { createModelCatalog } from '../../../src/providers/model-catalog.ts'
import { createIdeogramWire } from '../../support/wire/ideogram.ts'
import { startWireServer } from '../../support/wire/wire-server.ts'
import { catchProblems, makeInput } from '../../unit/generation/request-plan-fixtures.ts'
import { createCall } from '../provider-contract.ts'
import { createProviderRequest, wireDeps } from './wire-stage.ts'

const catalog = createModelCatalog(IDEOGRAM_MODELS)
const V_2 = catalog.get('ideogram/ideogram-v2')

function plan(model: Model, input: Partial<GenerationInput>, alias: ModelAlias['parameters'] = {}) {
  return planRequest(model, alias, makeInput(input))
}

/** Each value that the model declares, alone. */
function listInputs({ capabilities: can }: Model): readonly Partial<GenerationInput>[] {
  return [
    {},
    { count: can.maxCount },
    ...can.sizes.map((size) => ({ size })),
    ...can.aspectRatios.map((aspectRatio) => ({ aspectRatio })),
    ...can.qualities.map((quality) => ({ quality })),
    ...can.styles.map((style) => ({ style })),
    ...can.outputFormats.map((outputFormat) => ({ outputFormat })),
    ...(can.seed ? [{ seed: 0 }, { seed: can.maxSeed }] : []),
    ...(can.negativePrompt ? [{ negativePrompt: 'blur' }] : []),
    ...(can.enhancePrompt ? [{ enhancePrompt: true }, { enhancePrompt: false }] : []),
    ...Object.keys(can.providerOptions?.properties ?? {}).map((name) => ({
      providerOptions: { [name]: OPTIONS[name] },
    })),
  ]
}

const OPTIONS: Readonly<Record<string, unknown>> = {
  color_palette: { name: 'EMBER' },
  style_preset: 'POP_ART',
  style_codes: ['AAFF5733'],
}

describe('the models of Ideogram', () => {
  it.each(IDEOGRAM_MODELS)('$id is taken by the vendor with everything that it declares', async (model) => {
    const wire = await startWireServer(createIdeogramWire)
    onTestFinished(wire.close)
    const provider = createIdeogramProvider({ ...wireDeps(wire.origin), apiKey: null })
    for (const input of listInputs(model)) {
      const { parameters, count, negativePrompt, warnings } = plan(model, input)
      expect(warnings).toEqual([])
      const request = createProviderRequest({
        ...{ modelName: model.providerModel, wire: model.wire, parameters, count, negativePrompt },
      })
      const { call, log } = createCall()
      await provider.generate(request, call)
      expect(log.images).toHaveLength(count)
    }
  })

  it('asks for 2.0 at 1024x1024 by its resolution, and at any other shape by its ratio', () => {
    expect(plan(V_2, { size: '1024x1024' }).parameters).toMatchObject({ width: 1024, height: 1024 })
    expect(plan(V_2, { width: 1024, height: 1024 }).parameters).toMatchObject({ width: 1024, height: 1024 })
    for (const aspectRatio of V_2.capabilities.aspectRatios) {
      const square = { width: 1024, height: 1024, aspectRatio }
      expect(plan(V_2, { aspectRatio }).parameters).toMatchObject(
        aspectRatio === '1:1' ? square : { width: null, height: null, aspectRatio },
      )
    }
  })

  it.each<[string, Partial<GenerationInput>, string]>([
    ['ideogram/ideogram-v2', { count: 9 }, 'count'],
    ['ideogram/ideogram-v2', { size: '1280x720' }, 'size'],
    ['ideogram/ideogram-v2', { aspectRatio: '21:9' }, 'aspectRatio'],
    ['ideogram/ideogram-v2', { style: 'FICTION' }, 'style'],
    ['ideogram/ideogram-v2', { providerOptions: { num_images: 8 } }, 'providerOptions.num_images'],
    ['ideogram/ideogram-v2a', { size: '1024x1024' }, 'size'],
    ['ideogram/ideogram-v2a', { negativePrompt: 'blur' }, 'negativePrompt'],
    ['ideogram/ideogram-v1', { style: 'ANIME' }, 'style'],
    ['ideogram/ideogram-v3', { size: '1024x1024' }, 'size'],
    ['ideogram/ideogram-v3', { providerOptions: { custom_model_uri: 'x' } }, 'providerOptions.custom_model_uri'],
    ['ideogram/ideogram-v3', { providerOptions: { style_codes: ['red'] } }, 'providerOptions.style_codes.0'],
    ['ideogram/ideogram-4.5', { quality: 'high' }, 'quality'],
    ['ideogram/ideogram-4.5', { providerOptions: { webhook_url: 'x' } }, 'providerOptions'],
  ])('%s refuses what it does not declare: %j', (id, input, path) => {
    const problems = catchProblems(() => plan(catalog.get(id), input))
    expect(problems.map((problem) => problem.path)).toEqual([path])
  })

  it.each<[string, string | null, string, string]>([
    ['ideogram/ideogram-v2', null, '0.08', '0.08'],
    ['ideogram/ideogram-v2-turbo', null, '0.05', '0.05'],
    ['ideogram/ideogram-v2a', null, '0.04', '0.04'],
    ['ideogram/ideogram-v2a-turbo', null, '0.025', '0.025'],
    ['ideogram/ideogram-v1', null, '0.06', '0.06'],
    ['ideogram/ideogram-v1-turbo', null, '0.02', '0.02'],
    ['ideogram/ideogram-v3', null, '0.06', '0.06'],
    ['ideogram/ideogram-v3', 'FLASH', '0.03', '0.03'],
    ['ideogram/ideogram-v3', 'TURBO', '0.03', '0.03'],
    ['ideogram/ideogram-v3', 'QUALITY', '0.09', '0.09'],
    // The vendor chooses the quality.
    ['ideogram/ideogram-4.5', null, '0.03', '0.10'],
    ['ideogram/ideogram-4', null, '0.03', '0.10'],
  ])('%s at quality %s costs %s to %s dollars an image', (id, quality, min, max) => {
    const model = catalog.get(id)
    const { parameters } = plan(model, { quality })
    const priced = { ...parameters, promptBytes: 0, previews: 0 }
    const snapshot = createPriceSnapshot(model, priced, { usdRate: '1', markup: '1' })
    expect(snapshot && estimateImages(snapshot, 2)).toMatchObject({
      minMicros: Math.round(Number(min) * 2_000_000),
      maxMicros: Math.round(Number(max) * 2_000_000),
    })
  })

  it.each<[string, string, ModelAlias['parameters']]>([
    ['V_2', 'ideogram/ideogram-v2', {}],
    ['ideogram-2.0', 'ideogram/ideogram-v2', {}],
    ['ideogram-v2', 'ideogram/ideogram-v2', {}],
    ['V_2A_TURBO', 'ideogram/ideogram-v2a-turbo', {}],
    ['ideogram-3', 'ideogram/ideogram-v3', {}],
    ['ideogram-v3-turbo', 'ideogram/ideogram-v3', { quality: 'TURBO' }],
    ['ideogram-v3-quality', 'ideogram/ideogram-v3', { quality: 'QUALITY' }],
    ['ideogram-4-5', 'ideogram/ideogram-4.5', {}],
    ['ideogram-4.0', 'ideogram/ideogram-4', {}],
  ])('are found by the names that people use: %s', (name, id, parameters) => {
    const { model, aliasParameters } = catalog.resolve({ model: name, provider: null })
    expect([model.id, aliasParameters]).toEqual([id, parameters])
  })

  it('have a default whose request is wholly known', () => {
    expect(catalog.resolve({ model: null, provider: 'ideogram' }).model.id).toBe('ideogram/ideogram-v3')
  })
})
