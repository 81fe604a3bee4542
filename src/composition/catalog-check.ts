import type { Config } from '../config.ts'
import { type CatalogFinding, compareCatalog } from '../providers/catalog/vendor-list.ts'
import type { ImageProvider } from '../providers/provider.ts'
import { type Offer, openOffer } from './offer.ts'

/** What a provider's own list says; `findings` null: it could not be read, and `fault` says why. */
export type CatalogReport = {
  readonly provider: string
  readonly findings: readonly CatalogFinding[] | null
  readonly fault: string | null
}

const LIMIT_MS = 30_000

/**
 * Compares the catalogue with the lists of the vendors that have one and whose key is set. Free, and nothing is changed.
 * `only`: one provider; null where there is no such.
 */
export async function checkCatalog(
  config: Config,
  tools: Parameters<typeof openOffer>[1],
  only: string | undefined,
): Promise<readonly CatalogReport[] | null> {
  const offer = await openOffer(config, tools)
  const asked = offer.providers.list().filter(({ id }) => only === undefined || id === only)
  if (asked.length === 0) return null
  const able = asked.filter(({ configured, listModels }) => configured && listModels !== undefined)
  return Promise.all(able.map((provider) => checkProvider(offer, provider, tools.clock.now())))
}

async function checkProvider({ catalog }: Offer, provider: ImageProvider, now: number): Promise<CatalogReport> {
  const models = catalog.list().filter((model) => model.provider === provider.id)
  try {
    const access = { apiKey: null, signal: AbortSignal.timeout(LIMIT_MS) }
    const listed = (await provider.listModels?.(access)) ?? []
    return { provider: provider.id, findings: compareCatalog(models, listed, now), fault: null }
  } catch (error) {
    return { provider: provider.id, findings: null, fault: error instanceof Error ? error.message : String(error) }
  }
}
