import { describe, expect, it } from 'vitest'
import { type CatalogExample, readCatalogExamples } from '../../support/document-examples.ts'
import { createAutomatic1111Wire } from '../../support/wire/automatic1111.ts'
import { createComfyuiWire } from '../../support/wire/comfyui.ts'
import { createOpenaiCompatibleWire } from '../../support/wire/openai-compatible.ts'
import type { PlayedVendor } from '../../support/wire/vendors.ts'
import { CANARY, COMMON_ENDINGS, describeVendor, make, play, type VendorCase } from './vendor-suite.ts'

/** The catalogue files that the document on engines shows, which are what is tried here. */
const examples = readCatalogExamples('docs/engines.md')

function exampleOf(model: string): CatalogExample {
  return examples.find(({ models }) => models.some(({ id }) => id === model)) ?? expect.unreachable()
}

/** The same file, with each engine where it is played. */
function engine(name: string, create: PlayedVendor['create'], example: CatalogExample, env = {}) {
  return {
    vendor: { name, create, environment: () => env },
    models: example.models,
    providers: (origin: string) =>
      example.providers.map((provider) => ({
        ...provider,
        baseUrl: origin + new URL(provider.baseUrl).pathname.replace(/\/$/, ''),
      })),
  }
}

/** No engine bills anybody, and none tells of quotas. */
const ENDINGS = COMMON_ENDINGS.filter(({ mode }) => !['quota', 'rate_limited'].includes(mode))
const UNBILLED = ENDINGS.map((ending) => ({ ...ending, providerBilled: false }))

const COMFYUI: VendorCase = {
  ...engine('ComfyUI', createComfyuiWire, exampleOf('studio/sdxl')),
  input: { prompt: 'a red fox in snow', model: 'studio/sdxl', size: '512x640', outputFormat: 'WEBP' },
  expected: { mimeType: 'image/webp', width: 512, height: 640 },
  callsPerImage: 0,
  silenceFactor: 1_000,
  endings: [{ mode: 'failed', code: 'UNAVAILABLE', retryable: true, providerBilled: false }],
}

const LOCALAI: VendorCase = {
  ...engine(
    'LocalAI',
    (setting) => createOpenaiCompatibleWire(setting, { engine: 'localai' }),
    exampleOf('localai/flux-schnell'),
  ),
  input: {
    prompt: 'a red fox in snow',
    model: 'localai/flux-schnell',
    size: '512x512',
    negativePrompt: 'fog',
    outputFormat: 'JPEG',
  },
  expected: { mimeType: 'image/jpeg', width: 512, height: 512 },
  callsPerImage: 0,
  silenceFactor: 1_000,
  endings: UNBILLED,
}

const FORGE: VendorCase = {
  ...engine(
    'Forge',
    (setting) => createAutomatic1111Wire(setting, { credentials: `user:${CANARY}` }),
    {
      providers: [{ id: 'forge', kind: 'automatic1111', baseUrl: 'http://127.0.0.1:7860' }],
      models: [FORGE_MODEL()],
    },
    { PICTOR_KEY_FORGE: `user:${CANARY}` },
  ),
  input: { prompt: 'a red fox in snow', model: 'forge/xl', size: '512x768', outputFormat: 'PNG' },
  expected: { mimeType: 'image/png', width: 512, height: 768 },
  callsPerImage: 0,
  silenceFactor: 1_000,
  endings: UNBILLED.map((ending) => (ending.mode === 'server_error' ? { ...ending, mode: 'out_of_memory' } : ending)),
}

function FORGE_MODEL() {
  const side = { min: 64, max: 2048, multipleOf: 8 }
  return {
    id: 'forge/xl',
    provider: 'forge',
    capabilities: {
      width: side,
      height: side,
      defaultSize: '512x512',
      maxCount: 8,
      seed: true,
      maxPreviews: 3,
      progress: true,
    },
    wire: { batch: 'n_iter' },
    prices: [{ unit: 'IMAGE', usd: '0' }],
  }
}

describeVendor(COMFYUI)
describeVendor(LOCALAI)
describeVendor(FORGE)

describe('previews of an engine', () => {
  it.each([COMFYUI, FORGE])('are shown while $vendor.name paints', async (played) => {
    const { app, wire } = await play(played)
    wire.script('ok steps=6 polls=6')
    const { events, generation } = await make(app, { ...played.input, previews: 3 })
    expect(generation.status).toBe('COMPLETED')
    expect(events.map(({ kind }) => kind)).toContain('PREVIEW')
    expect(events.map(({ kind }) => kind)).toContain('PROGRESS')
  })
})
