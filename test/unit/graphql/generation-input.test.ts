import { describe, expect, it } from 'vitest'
import { type GenerateImageFields, toGenerationInput, toRetryOverrides } from '../../../src/generation/given-input.ts'
import { Secret } from '../../../src/secret.ts'
import { createFakeWorld } from './fake-world.ts'
import { generation } from './rows.ts'
import { run, runToErrors } from './run.ts'

const REQUIRED = { prompt: 'a fox', count: 1, previews: 0, strict: true, priority: 'NORMAL' } as const

const NOT_GIVEN = {
  model: null,
  provider: null,
  negativePrompt: null,
  width: null,
  height: null,
  size: null,
  aspectRatio: null,
  quality: null,
  style: null,
  background: null,
  outputFormat: null,
  outputCompression: null,
  seed: null,
  guidanceScale: null,
  enhancePrompt: null,
  watermark: null,
  referenceImages: null,
  mask: null,
  fallbackModels: [],
  maxCost: null,
  deadlineSeconds: null,
  idempotencyKey: null,
  providerApiKey: null,
  providerOptions: null,
  webhookUrl: null,
  tags: [],
  metadata: null,
  endUser: null,
}

const GIVEN: GenerateImageFields = {
  prompt: 'a red fox',
  model: 'painter',
  provider: 'sandbox',
  negativePrompt: 'dogs',
  width: 640,
  height: 480,
  size: '640x480',
  aspectRatio: '4:3',
  count: 2,
  quality: 'fine',
  style: 'hills',
  background: 'OPAQUE',
  outputFormat: 'WEBP',
  outputCompression: 0,
  seed: 0,
  guidanceScale: 0,
  enhancePrompt: false,
  watermark: false,
  referenceImages: [{ imageId: 'img_1' }, { url: 'https://pictures.example/fox.png' }],
  mask: { uploadId: 'upl_1' },
  previews: 3,
  strict: false,
  fallbackModels: ['other/model'],
  maxCost: '0.10',
  deadlineSeconds: 0,
  priority: 'HIGH',
  idempotencyKey: 'k1',
  providerApiKey: new Secret('sk-own'),
  providerOptions: { a: 1 },
  tags: ['fox'],
  metadata: 'text',
  endUser: '',
  webhookUrl: 'https://app.example.com/hooks',
}

describe('the input of a generation', () => {
  it('takes missing and null fields as not given', () => {
    expect(toGenerationInput(REQUIRED)).toEqual({ ...NOT_GIVEN, ...REQUIRED })
    const nulls = Object.fromEntries(Object.keys(NOT_GIVEN).map((name) => [name, null]))
    expect(toGenerationInput({ ...nulls, ...REQUIRED })).toEqual({ ...NOT_GIVEN, ...REQUIRED })
  })

  it('keeps every field that is given, zero, false and empty text too', () => {
    expect(toGenerationInput(GIVEN)).toEqual(GIVEN)
  })

  it('takes no pictures as none, and a picture by the one way that is given', () => {
    expect(toGenerationInput({ ...REQUIRED, referenceImages: [] }).referenceImages).toBeNull()
    const fields = { imageId: null, uploadId: null, url: null, base64: 'AAAA' }
    expect(toGenerationInput({ ...REQUIRED, mask: fields }).mask).toEqual({ base64: 'AAAA' })
  })

  it('takes overrides of a retry in the same way', () => {
    const none = { prompt: null, model: null, seed: null, count: null, strict: null, providerOptions: null }
    expect(toRetryOverrides(null)).toEqual(none)
    expect(toRetryOverrides({ seed: 0, strict: false, count: null })).toEqual({ ...none, seed: 0, strict: false })
  })
})

describe('generateImage', () => {
  it('hands the service the input with the defaults of the schema', async () => {
    const world = createFakeWorld()
    world.generations.push(generation())
    await run('mutation { generateImage(input: { prompt: "a fox" }) { __typename } }', world.context())
    expect(world.calls).toEqual([['create', { ...NOT_GIVEN, ...REQUIRED }]])
  })

  it('takes every field through variables, big seeds and JSON-like text unchanged', async () => {
    const world = createFakeWorld()
    world.generations.push(generation())
    const input = { ...GIVEN, prompt: '{"evil":1}', seed: 2 ** 53 - 1 }
    const operation = 'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { __typename } }'
    await run(operation, world.context(), { input: { ...input, providerApiKey: 'sk-own' } })
    expect(world.calls).toEqual([['create', input]])
    // Secrets keep what they hold from comparisons too.
    expect(world.calls[0]?.[1]).toMatchObject({ providerApiKey: expect.any(Secret) })
  })

  it('reads JSON out of a literal with variables inside', async () => {
    const world = createFakeWorld()
    world.generations.push(generation())
    const operation = `mutation ($n: JSON) {
      generateImage(input: { prompt: "a fox", metadata: { list: [1, 2.5, "x", true, null], inner: { n: $n } } }) { __typename }
    }`
    await run(operation, world.context(), { n: { deep: [1] } })
    expect(world.calls[0]?.[1]).toMatchObject({
      metadata: { list: [1, 2.5, 'x', true, null], inner: { n: { deep: [1] } } },
    })
  })

  it('refuses null for a field with a default', async () => {
    const operation = 'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { __typename } }'
    const world = createFakeWorld()
    const errors = await runToErrors(operation, world.context(), { input: { prompt: 'a fox', count: null } })
    expect(errors).toHaveLength(1)
    expect(world.calls).toEqual([])
  })

  it('shows edge, replay and the account beside the generation', async () => {
    const world = createFakeWorld()
    world.generations.push(generation())
    const operation = `mutation { generateImage(input: { prompt: "a fox" }) { ... on GenerateImageSuccess {
      replayed generation { id } historyEdge { cursor node { id } } account { id held { amount } }
    } } }`
    expect(await run(operation, world.context())).toEqual({
      generateImage: {
        replayed: false,
        generation: { id: 'gen_1' },
        historyEdge: { cursor: Buffer.from('gen_1').toString('base64url'), node: { id: 'gen_1' } },
        account: { id: 'acc_1', held: { amount: '0.040000' } },
      },
    })
  })
})

describe('retryGeneration', () => {
  it('hands over id, overrides and key', async () => {
    const world = createFakeWorld()
    world.generations.push(generation())
    const operation =
      'mutation { retryGeneration(id: "gen_1", overrides: { seed: 7 }, idempotencyKey: "k") { __typename } }'
    await run(operation, world.context())
    const overrides = { prompt: null, model: null, seed: 7, count: null, strict: null, providerOptions: null }
    expect(world.calls).toEqual([['retry', 'gen_1', overrides, 'k']])
  })
})
