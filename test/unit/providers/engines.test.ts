import { describe, expect, it } from 'vitest'
import { parseCatalogFile } from '../../../src/providers/catalog/catalog-file.ts'
import { defineModel } from '../../../src/providers/catalog/define-model.ts'
import { assertProvidersExist, assertWires, planProviders } from '../../../src/providers/catalog/engines.ts'

const parse = (content: object) => parseCatalogFile('catalog.json', JSON.stringify(content, null, 2), 0)
const plan = (...providers: readonly object[]) => planProviders(parse({ providers }), ['openai', 'sandbox'])

describe('planProviders', () => {
  it('makes nothing of a file that names none, and of none at all', () => {
    expect(planProviders(null, [])).toEqual({ engines: [], limits: new Map() })
    expect(plan()).toEqual({ engines: [], limits: new Map() })
  })

  it('names engines, any number of a kind, by their ids unless they have a name', () => {
    const { engines } = plan(
      { id: 'studio', kind: 'comfyui', baseUrl: 'http://127.0.0.1:8188/' },
      { id: 'studio-2', kind: 'comfyui', name: 'The other one', baseUrl: 'https://gpu.example.com/comfy' },
    )
    expect(engines).toEqual([
      { id: 'studio', kind: 'comfyui', name: 'studio', baseUrl: 'http://127.0.0.1:8188' },
      { id: 'studio-2', kind: 'comfyui', name: 'The other one', baseUrl: 'https://gpu.example.com/comfy' },
    ])
  })

  it('takes limits for engines and for what is built in', () => {
    const { engines, limits } = plan(
      { id: 'openai', limits: { requestsPerMinute: 50 } },
      { id: 'studio', kind: 'comfyui', baseUrl: 'http://127.0.0.1:8188', limits: { concurrency: 2 } },
    )
    expect(engines.map(({ id }) => id)).toEqual(['studio'])
    expect(limits.get('openai')).toEqual({ requestsPerMinute: 50 })
    expect(limits.get('studio')).toEqual({ concurrency: 2 })
  })

  it.each([
    ['an address for what is built in', [{ id: 'openai', baseUrl: 'https://example.com' }], /:3: openai: is built in/],
    ['an engine without an address', [{ id: 'studio', kind: 'comfyui' }], /:3: studio: .*needs "kind" and "baseUrl"/],
    ['an id that nobody knows', [{ id: 'opnai', limits: { concurrency: 1 } }], /:3: opnai: .*check its id/],
    [
      'one id twice',
      [1, 2].map(() => ({ id: 'studio', kind: 'comfyui', baseUrl: 'http://127.0.0.1:8188' })),
      /:8: studio: stands in this file twice/,
    ],
    ['another kind', [{ id: 'studio', kind: 'easel', baseUrl: 'http://127.0.0.1:1' }], /:5: providers\[0\]\.kind: /],
    ['another scheme', [{ id: 'studio', kind: 'comfyui', baseUrl: 'ftp://x' }], /:6: providers\[0\]\.baseUrl: .*http/],
    ['no bound at all', [{ id: 'openai', limits: { concurrency: 0 } }], /:6: providers\[0\]\.limits\.concurrency/],
  ])('refuses %s, by its line', (_, providers, message) => {
    expect(() => plan(...providers)).toThrow(message)
  })
})

describe('assertProvidersExist', () => {
  const model = defineModel({ id: 'stduio/flux', capabilities: {} })
  const file = parse({ models: [{ id: model.id, provider: 'stduio', capabilities: {} }] })

  it('says which line names a provider that is not there', () => {
    expect(() => assertProvidersExist(file, [model], ['studio'])).toThrow(
      'catalog.json:3: stduio/flux: there is no provider "stduio". Known: studio.',
    )
  })

  it('is content with one that is', () => {
    expect(() => assertProvidersExist(file, [model], ['stduio'])).not.toThrow()
  })
})

describe('assertWires', () => {
  const wire = { graph: 1 }
  const file = parse({ models: [{ id: 'studio/flux', provider: 'studio', capabilities: {}, wire }] })
  const model = defineModel({ id: 'studio/flux', capabilities: {}, wire })

  it('says which line tells an engine what it does not understand', () => {
    const findFault = (provider: string, given: object) => `${provider}: ${JSON.stringify(given)} is no graph.`
    expect(() => assertWires(file, [model], findFault)).toThrow(
      'catalog.json:3: studio/flux: studio: {"graph":1} is no graph.',
    )
  })

  it('is content with what it does', () => {
    expect(() => assertWires(file, [model], () => null)).not.toThrow()
  })
})
