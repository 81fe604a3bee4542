import type { Clock } from '../clock.ts'
import type { Config } from '../config.ts'
import type { Ids } from '../ids.ts'
import { BUILT_IN_MODELS } from '../providers/catalog/built-in-models.ts'
import { loadCatalogFile, mergeCatalog } from '../providers/catalog/catalog-file.ts'
import { createModelCatalog, type ModelCatalog } from '../providers/model-catalog.ts'
import type { ImageProvider } from '../providers/provider.ts'
import { createProviderRegistry, type ProviderRegistry } from '../providers/provider-registry.ts'
import { createProviders } from './providers.ts'

export type Offer = { readonly providers: ProviderRegistry; readonly catalog: ModelCatalog }

/** What can be asked for here, and who makes it: what is built in, changed by the operator's catalogue file. */
export async function openOffer(
  config: Pick<Config, 'vendors' | 'catalogFile' | 'defaultModel'>,
  given: { clock: Clock; ids: Ids; providers?: readonly ImageProvider[] },
): Promise<Offer> {
  const file = config.catalogFile === null ? null : await loadCatalogFile(config.catalogFile)
  const models = file === null ? BUILT_IN_MODELS : mergeCatalog(BUILT_IN_MODELS, file)
  return {
    providers: createProviderRegistry([...createProviders(config, given), ...(given.providers ?? [])]),
    catalog: createModelCatalog(models, { defaultModel: config.defaultModel }),
  }
}
