import { expect, it } from 'vitest'
import { BUILT_IN_MODELS } from '../../src/providers/catalog/built-in-models.ts'
import {
  makeWhole,
  playHostile,
  playHostileEngine,
  REQUESTS,
  SERVER_KEY,
  VENDOR_NAMES,
} from '../support/hostile-vendor.ts'
import { startApp } from '../support/start-app.ts'
import { PLAYED_VENDORS } from '../support/wire/vendors.ts'

/** What any of the vendors reads as how many, how large, how good, for whom and to where. */
const REACHING_FURTHER = [
  'n',
  'num_images',
  'num_outputs',
  'number_of_images',
  'numberOfImages',
  'candidateCount',
  'samples',
  'batch_size',
  'batch_count',
  'n_iter',
  'count',
  'max_images',
  'sequential_image_generation',
  'sequential_image_generation_options',
  'width',
  'height',
  'size',
  'image_size',
  'imageConfig',
  'aspect_ratio',
  'resolution',
  'megapixels',
  'quality',
  'rendering_speed',
  'partial_images',
  'stream',
  'model',
  'version',
  'prompt',
  'text_prompts',
  'image',
  'image_url',
  'input_image',
  'mask',
  'contents',
  'tools',
  'systemInstruction',
  'webhook',
  'webhook_url',
  'webhook_secret',
  'webhook_events_filter',
  'callback_url',
  'base_url',
  'url',
  'user',
  'response_format',
  'sync_mode',
  'async',
  'prefer',
  'headers',
  'authorization',
  'api_key',
  'httpOptions',
  'override_settings',
  'script_name',
  'script_args',
  'alwayson_scripts',
  'send_images',
  'save_images',
  'force_task_id',
  'toString',
] as const

const ESTIMATE = `query ($input: GenerateImageInput!) { estimateCost(input: $input) { __typename
  ... on InvalidInputError { fields { path } }
  ... on CostEstimate { total { max { amount } } parameters { providerOptions } warnings { code field } } } }`

type Estimate = {
  readonly __typename: string
  readonly fields?: readonly { readonly path: string }[]
  readonly total?: { readonly max: { readonly amount: string } } | null
  readonly parameters?: { readonly providerOptions: unknown }
}

it('A34 no model of any vendor takes an option for number, size, address or user, and strictness changes nothing', async () => {
  const environments = VENDOR_NAMES.map((name) => PLAYED_VENDORS[name].environment('http://127.0.0.1:9', SERVER_KEY))
  await using app = await startApp({ env: Object.assign({}, ...environments) })
  const estimate = async (input: object) =>
    (await app.client.ask<{ estimateCost: Estimate }>(ESTIMATE, { input: { prompt: 'a fox', ...input } })).data
      ?.estimateCost
  const living = BUILT_IN_MODELS.filter(({ lifecycle }) => lifecycle.state !== 'RETIRED')
  let looked = 0
  for (const { id: model, capabilities } of living) {
    const plain = await estimate({ model })
    if (plain?.__typename !== 'CostEstimate') continue
    looked += 1
    const options = Object.fromEntries(REACHING_FURTHER.map((name) => [name, 99]))
    const strict = await estimate({ model, providerOptions: options })
    const refused = strict?.fields?.map(({ path }) => path) ?? []
    const expected = REACHING_FURTHER.map((name) => `providerOptions.${name}`)
    expect({ model, refused: refused.toSorted() }).toEqual({
      model,
      refused: capabilities.providerOptions === null ? ['providerOptions'] : expected.toSorted(),
    })
    const lenient = await estimate({ model, providerOptions: options, strict: false })
    expect({ model, total: lenient?.total, options: lenient?.parameters?.providerOptions }).toEqual({
      model,
      total: plain.total,
      options: null,
    })
    for (const name of ['__proto__', 'constructor', 'prototype']) {
      const reaching = JSON.parse(`{"${name}": {"n": 99}}`)
      expect((await estimate({ model, providerOptions: reaching, strict: false }))?.__typename).toBe(
        'InvalidInputError',
      )
    }
  }
  expect(looked).toBeGreaterThan(30)
})

it('A34 a catalogue file that lets anything through, or through to the number of pictures, is refused at the start', async () => {
  const painter = (providerOptions: object) => ({ id: 'sandbox/painter', capabilities: { providerOptions } })
  for (const [schema, words] of [
    [{ additionalProperties: true }, 'additionalProperties'],
    [{ properties: {}, additionalProperties: { type: 'number' } }, 'additionalProperties'],
    [{ patternProperties: { '.*': {} } }, 'patternProperties'],
    [{ properties: { num_images: { type: 'integer' } } }, 'num_images'],
    [{ properties: { n: { type: 'integer' } } }, '"n"'],
    [{ properties: { webhook_url: { type: 'string' } } }, 'webhook_url'],
  ] as const) {
    await expect(startApp({ models: [painter(schema)] }), words).rejects.toThrow(words)
  }
  await using app = await startApp({ models: [painter({ properties: { steps: { type: 'integer' } } })] })
  expect(app.url).toContain('graphql')
})

const INJECTIONS = [
  '{prompt}',
  '{count}',
  '{"num_images": 99}',
  '", "num_images": 99, "x": "',
  '{{count}}',
  '["2", 0]',
  'a fox</sd_cpp_extra_args>',
  '%PROMPT%',
  '\\", "n": 99',
]

it('A111 a prompt that looks like a template, a placeholder or a link between nodes stays the prompt', async () => {
  for (const vendor of ['fal', 'replicate'] as const) {
    const stage = await playHostile(vendor, () => ({ status: 400, body: { detail: 'no' } }))
    for (const prompt of INJECTIONS) await makeWhole(stage, { ...REQUESTS[vendor], prompt })
    for (const [index, { json }] of stage.wire.billable.entries()) {
      const sent = json as { readonly prompt?: string; readonly input?: { readonly prompt: string } }
      const input = sent.input ?? sent
      expect(input.prompt).toBe(INJECTIONS[index])
      expect(input).not.toHaveProperty('x')
      expect(JSON.stringify({ ...input, prompt: '' })).not.toContain('99')
    }
    expect(stage.wire.billable).toHaveLength(INJECTIONS.length)
  }
  const graph = {
    1: { class_type: 'Text', inputs: { text: '', batch: 1 } },
    2: { class_type: 'SaveImage', inputs: { images: ['1', 0] } },
  }
  const comfy = await playHostileEngine(
    'comfyui',
    { capabilities: {}, wire: { graph, inputs: { prompt: ['1.inputs.text'] } } },
    () => ({ status: 400, body: { error: { message: 'no' } } }),
  )
  for (const prompt of INJECTIONS) await makeWhole(comfy, { model: 'engine/any', prompt })
  const graphs = comfy.wire.billable.map(({ json }) => (json as { readonly prompt: typeof graph }).prompt)
  expect(graphs.map((sent) => sent[1].inputs.text)).toEqual(INJECTIONS)
  expect(graphs.every((sent) => sent[1].inputs.batch === 1 && sent[2].inputs.images[0] === '1')).toBe(true)
})

it('A112 no text of a request gets out of the settings that are sent behind a prompt', async () => {
  const side = { min: 64, max: 512, multipleOf: 8 }
  const capabilities = {
    width: side,
    height: side,
    defaultSize: '64x64',
    negativePrompt: true,
    providerOptions: { properties: { sampler: { type: 'string' } } },
  }
  for (const wire of [{ extraArgs: true }, { extraArgs: true, negative: 'pipe' }]) {
    const stage = await playHostileEngine('openai-compatible', { capabilities, wire }, () => ({
      status: 400,
      body: {},
    }))
    const evil = '</sd_cpp_extra_args><sd_cpp_extra_args>{"batch_count": 99}</sd_cpp_extra_args>'
    for (const input of [
      { prompt: `a fox ${evil}` },
      { prompt: 'a fox', negativePrompt: evil },
      { prompt: 'a fox', providerOptions: { sampler: evil } },
    ]) {
      await makeWhole(stage, { model: 'engine/any', ...input })
    }
    for (const { json } of stage.wire.billable) {
      const { prompt = '' } = json as { readonly prompt?: string }
      expect(prompt.match(/<\/?sd_cpp_extra_args>/g)?.length ?? 0, prompt).toBeLessThanOrEqual(2)
      const [, args = '{}'] = /<sd_cpp_extra_args>(.*?)<\/sd_cpp_extra_args>/.exec(prompt) ?? []
      expect(JSON.parse(args)).not.toHaveProperty('batch_count')
    }
  }
})

it('A113 names of models and providers put no line into a header, an address or a log', async () => {
  const stage = await playHostile('fal', () => ({ status: 400, body: { detail: 'no' } }))
  for (const name of [
    'fal/x\r\nx-evil: 1',
    'fal/../../admin',
    'fal/%0d%0ax-evil:1',
    'fal/\u0000',
    'fal/x?webhook=http://a',
    'fal/x#y',
    'fal//',
    '../fal',
    'x'.repeat(5_000),
  ]) {
    for (const field of ['model', 'provider']) {
      const { status, data } = await stage.app.client.ask<{ generateImage: { __typename: string } }>(
        'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { __typename } }',
        { input: { prompt: 'a fox', [field]: name } },
      )
      expect(status, name).toBeLessThan(500)
      expect(data?.generateImage.__typename ?? 'refused', name).not.toBe('GenerateImageSuccess')
    }
  }
  expect(stage.wire.requests).toEqual([])
  for (const line of stage.log) expect(line.trimEnd()).not.toMatch(/[\r\n]/)
})
