import { ModelUnavailableError } from '../errors.ts'
import type { ProviderKeys } from '../identity/provider-keys.ts'
import type { Model } from '../providers/model.ts'
import type { ModelCatalog } from '../providers/model-catalog.ts'
import type { ProviderRegistry } from '../providers/provider-registry.ts'
import type { Viewer } from '../viewer.ts'
import type { ModelAvailability, ProviderHealthBoard } from './model-availability.ts'
import type { RunStatistics } from './run-statistics.ts'
import type { ModelFilter, ModelService } from './services.ts'

export function createModelService(deps: {
  catalog: ModelCatalog
  availability: ModelAvailability
  providers: ProviderRegistry
  health: ProviderHealthBoard
  statistics: RunStatistics
  providerKeys: Pick<ProviderKeys, 'providersOf'>
}): ModelService {
  const { catalog, availability, providers, health, statistics, providerKeys } = deps

  return {
    async list(viewer, asked) {
      if (asked === null) return catalog.list()
      const filter = { ...asked, provider: asked.provider === null ? null : catalog.providerId(asked.provider) }
      const found = catalog.list().filter((model) => fits(model, filter))
      if (filter.available === null) return found
      const reasonOf = await lookFor(viewer)
      return found.filter((model) => (reasonOf(model) === null) === filter.available)
    },

    find(name) {
      try {
        return catalog.resolve({ model: name, provider: null }).model
      } catch (error) {
        if (error instanceof ModelUnavailableError) return undefined
        throw error
      }
    },

    unavailableReason: async (viewer, model) => (await lookFor(viewer))(model),
    statistics: (modelId) => statistics.of(modelId),

    providers: () =>
      providers.list().map(({ id, name, configured }) => ({ id, name, configured, health: health.health(id) })),
  }

  async function lookFor(viewer: Viewer): Promise<(model: Model) => string | null> {
    const keys = { stored: await providerKeys.providersOf(viewer.accountId), given: null }
    return (model) => availability.reason(viewer, model, keys)?.message ?? null
  }
}

function fits(
  { provider, lifecycle, capabilities, id, name, description, aliases }: Model,
  filter: ModelFilter,
): boolean {
  const { search } = filter
  const words = [id, name, description ?? '', ...aliases.map((alias) => alias.name)].join(' ').toLowerCase()
  return (
    (filter.provider === null || provider === filter.provider) &&
    (filter.lifecycle === null || filter.lifecycle.includes(lifecycle.state)) &&
    (filter.minCount === null || capabilities.maxCount >= filter.minCount) &&
    (filter.seed === null || capabilities.seed === filter.seed) &&
    (filter.referenceImages === null || capabilities.maxReferenceImages > 0 === filter.referenceImages) &&
    (search === null || words.includes(search.toLowerCase()))
  )
}
