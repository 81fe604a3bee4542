import type { Clock } from '../clock.ts'
import { type Config, ConfigError } from '../config.ts'
import { ModelUnavailableError } from '../errors.ts'
import type { Ids } from '../ids.ts'
import type { OwnAddresses } from '../outbound/own-addresses.ts'
import { BUILT_IN_MODELS } from '../providers/catalog/built-in-models.ts'
import { loadCatalogFile, mergeCatalog } from '../providers/catalog/catalog-file.ts'
import { assertProvidersExist, assertWires, planProviders } from '../providers/catalog/engines.ts'
import type { Model } from '../providers/model.ts'
import { createModelCatalog, type ModelCatalog } from '../providers/model-catalog.ts'
import type { ImageProvider } from '../providers/provider.ts'
import { createProviderRegistry, type ProviderRegistry } from '../providers/provider-registry.ts'
import { createEngine, createProviders, ENGINE_FAULTS } from './providers.ts'

export type Offer = { readonly providers: ProviderRegistry; readonly catalog: ModelCatalog }

/** What can be asked for here, and who makes it: what is built in, changed by the operator's catalogue file. */
export async function openOffer(
  config: Pick<Config, 'vendors' | 'engineKeys' | 'catalogFile' | 'defaultModel'>,
  given: { clock: Clock; ids: Ids; ownAddresses?: OwnAddresses; providers?: readonly ImageProvider[] },
): Promise<Offer> {
  const file = config.catalogFile === null ? null : await loadCatalogFile(config.catalogFile)
  const builtIn = [...createProviders(config, given), ...(given.providers ?? [])]
  const plan = planProviders(
    file,
    builtIn.map(({ id }) => id),
  )
  const engines = plan.engines.map((engine) => createEngine(engine, config, given))
  const providers = [...builtIn, ...engines].map((provider) => withLimits(provider, plan.limits.get(provider.id)))
  const models = file === null ? BUILT_IN_MODELS : mergeCatalog(BUILT_IN_MODELS, file)
  assertProvidersExist(
    file,
    models,
    providers.map(({ id }) => id),
  )
  assertWires(file, models, (provider, wire) => {
    const engine = plan.engines.find(({ id }) => id === provider)
    return engine === undefined ? null : ENGINE_FAULTS[engine.kind](wire)
  })
  return {
    providers: createProviderRegistry(providers),
    catalog: createCatalog(models, config.defaultModel),
  }
}

function createCatalog(models: readonly Model[], defaultModel: string): ModelCatalog {
  try {
    return createModelCatalog(models, { defaultModel })
  } catch (error) {
    if (!(error instanceof ModelUnavailableError)) throw error
    throw new ConfigError([`PICTOR_DEFAULT_MODEL names no model of this server: ${error.message}`])
  }
}

function withLimits(provider: ImageProvider, limits: ImageProvider['limits']): ImageProvider {
  return limits === undefined ? provider : { ...provider, limits: { ...provider.limits, ...limits } }
}
