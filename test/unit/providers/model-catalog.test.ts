import { describe, expect, it } from 'vitest'
import { ModelUnavailableError } from '../../../src/errors.ts'
import { BUILT_IN_MODELS } from '../../../src/providers/catalog/built-in-models.ts'
import type { LifecycleState, Model, ModelAlias } from '../../../src/providers/model.ts'
import { createModelCatalog } from '../../../src/providers/model-catalog.ts'

const [TEMPLATE] = BUILT_IN_MODELS

function createModel(
  id: string,
  aliases: readonly (string | ModelAlias)[] = [],
  state: LifecycleState = 'ACTIVE',
): Model {
  if (!TEMPLATE) throw new Error('There are no built-in models.')
  const [provider = '', providerModel = ''] = id.split('/')
  return {
    ...TEMPLATE,
    id,
    provider,
    providerModel,
    aliases: aliases.map((alias) => (typeof alias === 'string' ? { name: alias, parameters: {} } : alias)),
    lifecycle: { ...TEMPLATE.lifecycle, state },
  }
}

const MODELS = [
  createModel('sandbox/painter'),
  createModel('openai/gpt-image-0', [], 'RETIRED'),
  createModel('openai/gpt-image-1', ['gpt-image']),
  createModel('openai/dall-e-3', ['dalle']),
  createModel('google/imagen-4', ['imagen', { name: 'imagen-4-wide', parameters: { aspectRatio: '16:9' } }]),
  createModel('google/gemini-2.5-flash-image', ['nano-banana']),
  createModel('flux/flux-2', ['fast']),
  createModel('bytedance/fast', ['flux-2']),
  createModel('fal/imagen-4'),
]
const catalog = createModelCatalog(MODELS)
const idOf = (model: string | null, provider: string | null = null) => catalog.resolve({ model, provider }).model.id

function refusalOf(model: string | null, provider: string | null = null): ModelUnavailableError {
  try {
    idOf(model, provider)
  } catch (error) {
    if (error instanceof ModelUnavailableError) return error
    throw error
  }
  return expect.unreachable('The model should not have been found.')
}

describe('resolving a model', () => {
  it.each([
    ['openai/gpt-image-1', null, 'openai/gpt-image-1'],
    ['OpenAI/GPT-Image-1', null, 'openai/gpt-image-1'],
    ['gpt-image-1', null, 'openai/gpt-image-1'],
    ['Nano-Banana', null, 'google/gemini-2.5-flash-image'],
    ['google/nano-banana', null, 'google/gemini-2.5-flash-image'],
    ['gemini/nano-banana', null, 'google/gemini-2.5-flash-image'],
    ['google-genai/imagen-4', null, 'google/imagen-4'],
    ['imagen-4', 'fal', 'fal/imagen-4'],
    ['imagen-4', 'google-genai', 'google/imagen-4'],
    ['openai/gpt-image-1', 'openai', 'openai/gpt-image-1'],
    ['gpt-image-0', null, 'openai/gpt-image-0'],
    [null, 'openai', 'openai/gpt-image-1'],
    [null, 'BFL', 'flux/flux-2'],
    [null, null, 'sandbox/painter'],
  ])('takes %s of %s for %s', (model, provider, id) => {
    expect(idOf(model, provider)).toBe(id)
  })

  it('hands over the parameters that an alias stands for, and none for another name', () => {
    expect(catalog.resolve({ model: 'imagen-4-wide', provider: null }).aliasParameters).toEqual({ aspectRatio: '16:9' })
    expect(catalog.resolve({ model: 'imagen', provider: null }).aliasParameters).toEqual({})
  })

  it('prefers a name to an alias of the same spelling', () => {
    expect(idOf('flux-2')).toBe('flux/flux-2')
    expect(idOf('fast')).toBe('bytedance/fast')
  })

  it('names the candidates when a name is ambiguous', () => {
    const refusal = refusalOf('imagen-4')
    expect(refusal.reason).toBe('AMBIGUOUS')
    expect(refusal.suggestions).toEqual(['google/imagen-4', 'fal/imagen-4'])
  })

  it('prefers the living to the retired among several', () => {
    const models = [createModel('a/one', [], 'RETIRED'), createModel('b/one')]
    expect(createModelCatalog(models).resolve({ model: 'one', provider: null }).model.id).toBe('b/one')
  })

  it.each([
    ['gpt-imgae-1', ['openai/gpt-image-1']],
    ['openai/gpt-image-l', ['openai/gpt-image-1']],
    ['nanobanana', ['google/gemini-2.5-flash-image']],
    ['gemini-2.5', ['google/gemini-2.5-flash-image']],
    ['zzzz', []],
  ])('lists near names for the unknown %s', (model, suggestions) => {
    const refusal = refusalOf(model)
    expect(refusal.reason).toBe('UNKNOWN')
    expect(refusal.suggestions).toEqual(suggestions)
  })

  it('knows no model of one provider under another', () => {
    expect(refusalOf('openai/dall-e-3', 'google').reason).toBe('UNKNOWN')
    expect(refusalOf('dall-e-3', 'google').suggestions).toEqual(['openai/dall-e-3'])
  })

  it('lists providers, and models of near ones, for an unknown provider', () => {
    const refusal = refusalOf(null, 'gogle')
    expect(refusal.message).toContain('sandbox, openai, google, flux, bytedance, fal')
    expect(refusal.suggestions).toEqual(['google/imagen-4', 'google/gemini-2.5-flash-image'])
  })

  it('has no default for a provider without an active model', () => {
    const retired = createModelCatalog([createModel('a/one', [], 'RETIRED')])
    expect(() => retired.resolve({ model: null, provider: 'a' })).toThrow('no active model')
  })

  it('takes nothing from the prototype for a provider', () => {
    expect(refusalOf('constructor/x').reason).toBe('UNKNOWN')
    expect(refusalOf(null, 'constructor').reason).toBe('UNKNOWN')
  })
})

describe('a catalogue', () => {
  it('takes another default model, also by its alias', () => {
    const other = createModelCatalog(MODELS, { defaultModel: 'nano-banana' })
    expect(other.resolve({ model: null, provider: null }).model.id).toBe('google/gemini-2.5-flash-image')
  })

  it('is not made with a default model that it does not have', () => {
    expect(() => createModelCatalog(MODELS, { defaultModel: 'sandbox/pianter' })).toThrow('sandbox/painter')
  })

  it('is not made with two models of one id', () => {
    expect(() => createModelCatalog([...MODELS, createModel('flux/flux-2')])).toThrow('flux/flux-2')
  })

  it('finds by exact id only', () => {
    expect(catalog.find('flux/flux-2')?.id).toBe('flux/flux-2')
    expect(catalog.find('flux-2')).toBeUndefined()
    expect(() => catalog.get('flux-2')).toThrow(ModelUnavailableError)
  })
})
