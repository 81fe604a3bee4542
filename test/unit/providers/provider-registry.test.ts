import { describe, expect, it } from 'vitest'
import type { ImageProvider } from '../../../src/providers/provider.ts'
import { createProviderRegistry } from '../../../src/providers/provider-registry.ts'

function createProvider(id: string): ImageProvider {
  return { id, name: id, keyed: false, configured: true, generate: () => Promise.reject(new Error('Nobody asks.')) }
}

describe('the provider registry', () => {
  const [one, two] = [createProvider('one'), createProvider('two')]

  it('lists providers in their order and finds them by id', () => {
    const registry = createProviderRegistry([two, one])
    expect(registry.list()).toEqual([two, one])
    expect(registry.get('one')).toBe(one)
    expect(registry.find('two')).toBe(two)
  })

  it('knows no other', () => {
    const registry = createProviderRegistry([one])
    expect(registry.find('two')).toBeUndefined()
    expect(() => registry.get('two')).toThrow('No provider is registered as "two"')
  })

  it('is not made with two of one id', () => {
    expect(() => createProviderRegistry([one, createProvider('one')])).toThrow('"one"')
  })
})
