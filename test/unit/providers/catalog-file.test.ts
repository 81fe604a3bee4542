import { mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { BUILT_IN_MODELS } from '../../../src/providers/catalog/built-in-models.ts'
import {
  CatalogFileError,
  loadCatalogFile,
  mergeCatalog,
  parseCatalogFile,
} from '../../../src/providers/catalog/catalog-file.ts'
import { findJsonFault, findJsonLine } from '../../../src/providers/catalog/json-lines.ts'
import { createModelCatalog } from '../../../src/providers/model-catalog.ts'

const CHANGED_AT = Date.UTC(2026, 10, 1)
const parse = (text: string) => parseCatalogFile('models.json', text, CHANGED_AT)
const merge = (models: unknown) => mergeCatalog(BUILT_IN_MODELS, parse(JSON.stringify({ models }, null, 2)))
const painter = () => BUILT_IN_MODELS.find((model) => model.id === 'sandbox/painter')

describe('merging a catalogue file', () => {
  it('replaces prices and keeps the rest of a known model', () => {
    const merged = merge([{ id: 'sandbox/painter', prices: [{ unit: 'IMAGE', usd: '0.04' }] }])
    const price = {
      unit: 'IMAGE',
      size: null,
      quality: null,
      usd: '0.04',
      asOf: CHANGED_AT,
      source: 'catalogue file models.json',
    }
    expect(merged.map((model) => model.id)).toEqual(BUILT_IN_MODELS.map((model) => model.id))
    expect(merged.find((model) => model.id === 'sandbox/painter')).toEqual({ ...painter(), prices: [price] })
  })

  it('changes capabilities and life cycle key by key', () => {
    const [model] = merge([
      {
        id: 'sandbox/painter',
        capabilities: { maxCount: 2, sizes: ['64x64'] },
        lifecycle: { state: 'DEPRECATED', retiresAt: '2027-01-31' },
      },
    ])
    expect(model?.capabilities).toEqual({ ...painter()?.capabilities, maxCount: 2, sizes: ['64x64'] })
    expect(model?.lifecycle).toEqual({ ...painter()?.lifecycle, state: 'DEPRECATED', retiresAt: Date.UTC(2027, 0, 31) })
  })

  it('adds a model that declares nothing but what it says, at the end', () => {
    const model = merge([{ id: 'acme/brush', provider: 'acme', capabilities: { seed: true } }]).at(-1)
    expect(model).toMatchObject({
      id: 'acme/brush',
      provider: 'acme',
      providerModel: 'brush',
      name: 'brush',
      prices: [],
      aliases: [],
    })
    expect(model?.capabilities).toMatchObject({
      seed: true,
      negativePrompt: false,
      maxCount: 1,
      outputFormats: ['PNG'],
    })
  })

  it('leaves the models that it starts from as they are', () => {
    const before = structuredClone(BUILT_IN_MODELS)
    merge([{ id: 'sandbox/painter', prices: [], capabilities: { maxCount: 1 } }])
    expect(BUILT_IN_MODELS).toEqual(before)
  })

  it.each([
    [
      'a new model without capabilities',
      [{ id: 'acme/brush', provider: 'acme' }],
      /^models\.json:3: acme\/brush: .*needs "provider" and "capabilities"/,
    ],
    [
      'a model twice',
      [{ id: 'sandbox/painter' }, { id: 'sandbox/painter' }],
      /^models\.json:6: sandbox\/painter: .*twice/,
    ],
    ['the provider of another id', [{ id: 'acme/brush', provider: 'emca', capabilities: {} }], /another provider/],
    [
      'an unknown replacement',
      [{ id: 'sandbox/painter', lifecycle: { replacement: 'sandbox/pianter' } }],
      /no known model/,
    ],
  ])('refuses %s, with file and line', (_, models, message) => {
    expect(() => merge(models)).toThrow(CatalogFileError)
    expect(() => merge(models)).toThrow(message)
  })
})

describe('reading a catalogue file', () => {
  it.each([
    [
      'a price that is a number',
      '{\n "models": [\n  { "id": "sandbox/painter",\n    "prices": [\n     { "unit": "IMAGE", "usd": 0.04 } ] } ] }',
      'models.json:5: models[0].prices[0].usd: Write the price as text',
    ],
    [
      'a price with an exponent',
      '{ "models": [\n { "id": "a/b", "prices": [\n { "unit": "IMAGE",\n "usd": "4e-2" }]}]}',
      'models.json:4: models[0].prices[0].usd: Write US dollars',
    ],
    [
      'a key that is none',
      '{ "models": [\n {\n "id": "a/b",\n "capabilites": {} } ] }',
      'models.json:4: models[0]: Unrecognized key: "capabilites"',
    ],
    ['a missing id', '{ "models": [\n {} ] }', 'models.json:2: models[0].id'],
    [
      'a unit that is none',
      '{ "models": [{ "id": "a/b",\n "prices": [{ "usd": "1",\n "unit": "PICTURE" }] }] }',
      'models.json:3: models[0].prices[0].unit',
    ],
    ['nothing of use', '{}', 'models.json:1: file: names neither "models" nor "providers"'],
    ['text that is no JSON', '{\n "models": [\n  { "id": }\n ]\n}', 'models.json:3: is not valid JSON'],
    ['nothing', '', 'models.json:1: is not valid JSON'],
  ])('names file, line and place of %s', (_, text, message) => {
    expect(() => parse(text)).toThrow(message)
  })

  it('names every fault at once', () => {
    const text = '{ "models": [\n { "id": "a" },\n { "id": "a/b", "prices": 1 } ] }'
    expect(() => parse(text)).toThrow(/models\.json:2: .*\nmodels\.json:3: /)
  })

  it('takes the day of the last change for prices that name none', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'pictor-catalog-'))
    onTestFinished(() => rm(directory, { recursive: true }))
    const path = join(directory, 'catalog.json')
    await writeFile(path, '{ "models": [{ "id": "sandbox/painter", "prices": [{ "unit": "IMAGE", "usd": "0.04" }] }] }')
    await utimes(path, new Date(CHANGED_AT), new Date(CHANGED_AT))
    const [model] = mergeCatalog(BUILT_IN_MODELS, await loadCatalogFile(path))
    expect(model?.prices).toMatchObject([{ asOf: CHANGED_AT, source: 'catalogue file catalog.json' }])
  })

  it('says which file cannot be read', async () => {
    const path = join(tmpdir(), 'pictor-no-such-directory', 'catalog.json')
    await expect(loadCatalogFile(path)).rejects.toThrow(`${path}: cannot be read`)
    await expect(loadCatalogFile(path)).rejects.toBeInstanceOf(CatalogFileError)
  })

  it('takes every example of its documentation', async () => {
    const document = await readFile(new URL('../../../docs/catalog.md', import.meta.url), 'utf8')
    const examples = [...document.matchAll(/```json\n([\s\S]*?)```/g)].map(([, example = '']) => example)
    expect(examples.length).toBeGreaterThanOrEqual(2)
    for (const example of examples) createModelCatalog(mergeCatalog(BUILT_IN_MODELS, parse(example)))
  })
})

describe('the line at which text stops being JSON', () => {
  it.each([
    ['', 1],
    ['{', 1],
    ['{\n"a": 1,\n}\n', 3],
    ['{\n"a": tru,\n"b": 1}', 2],
    ['[1,\n2\n3]', 3],
    ['{\n"a": "b\nc"}', 2],
    ['{\n"a": 1}\n}\n', 3],
    ['{\n// a remark\n"a": 1}', 2],
  ])('is found in %j: %i', (text, line) => {
    expect(findJsonFault(text)).toBe(line)
  })
})

describe('the line of a place in JSON', () => {
  const text = '{\n "a": [1, "x\\"]}{[",\n  { "b": null,\n "": { "c": [] } }\n ], "d": 1 }'

  it.each([
    [[], 1],
    [['a'], 2],
    [['a', 1], 2],
    [['a', 2], 3],
    [['a', 2, 'b'], 3],
    [['a', 2, '', 'c'], 4],
    [['d'], 5],
    [['a', 2, 'missing'], 3],
    [['a', 7], 2],
  ])('finds %j on line %i', (path, line) => {
    expect(findJsonLine(text, path)).toBe(line)
  })
})
