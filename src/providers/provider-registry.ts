import { PROVIDER_ALIASES } from './catalog/provider-aliases.ts'
import type { ImageProvider } from './provider.ts'

export type ProviderRegistry = {
  /** In the order in which they were registered. */
  list(): readonly ImageProvider[]
  /** Throws for an id that `find` does not know. */
  get(id: string): ImageProvider
  find(id: string): ImageProvider | undefined
  /** By id or by a name that people use for it, in any case. */
  findNamed(name: string): ImageProvider | undefined
}

/** @throws Error when two providers share an id. */
export function createProviderRegistry(providers: readonly ImageProvider[]): ProviderRegistry {
  const byId = new Map<string, ImageProvider>()
  for (const provider of providers) {
    if (byId.has(provider.id)) throw new Error(`Two providers are registered as "${provider.id}".`)
    byId.set(provider.id, provider)
  }
  return {
    list: () => [...byId.values()],
    get: (id) => {
      const provider = byId.get(id)
      if (!provider) throw new Error(`No provider is registered as "${id}".`)
      return provider
    },
    find: (id) => byId.get(id),
    findNamed(name) {
      const asked = name.trim().toLowerCase()
      return byId.get(asked) ?? byId.get(Object.hasOwn(PROVIDER_ALIASES, asked) ? (PROVIDER_ALIASES[asked] ?? '') : '')
    },
  }
}
