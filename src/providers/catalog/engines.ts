import type { Model } from '../model.ts'
import type { ProviderLimits } from '../provider.ts'
import { type CatalogFile, CatalogFileError } from './catalog-file.ts'
import type { EngineKind } from './catalog-schema.ts'

/** One program on the operator's own hardware, as the catalogue file names it. */
export type Engine = {
  readonly id: string
  readonly kind: EngineKind
  readonly name: string
  readonly baseUrl: string
}

/** What the `providers` of a catalogue file come to. */
export type ProviderPlan = {
  readonly engines: readonly Engine[]
  /** By provider id, of engines and of built-in providers. */
  readonly limits: ReadonlyMap<string, ProviderLimits>
}

/** @throws CatalogFileError for an entry that names too much or too little. */
export function planProviders(file: CatalogFile | null, builtIn: readonly string[]): ProviderPlan {
  const engines: Engine[] = []
  const limits = new Map<string, ProviderLimits>()
  for (const { line, patch } of file?.providers ?? []) {
    const { id, kind, baseUrl } = patch
    const fail = (message: string) => new CatalogFileError(`${file?.path}:${line}: ${id}: ${message}`)
    if (engines.some((engine) => engine.id === id)) throw fail('stands in this file twice. Put it into one entry.')
    if (patch.limits) limits.set(id, patch.limits)
    if (builtIn.includes(id)) {
      if (kind === undefined && baseUrl === undefined) continue
      throw fail('is built in: only its "limits" can be set here. Its address and key are environment variables.')
    }
    if (kind === undefined || baseUrl === undefined) {
      throw fail('is a new provider and needs "kind" and "baseUrl". To change a known provider, check its id.')
    }
    engines.push({ id, kind, name: patch.name ?? id, baseUrl })
  }
  return { engines, limits }
}

/** @throws CatalogFileError when a model of the file belongs to no provider. */
export function assertProvidersExist(
  file: CatalogFile | null,
  models: readonly Model[],
  known: readonly string[],
): void {
  for (const { line, patch } of file?.entries ?? []) {
    const provider = models.find((model) => model.id === patch.id)?.provider
    if (provider === undefined || known.includes(provider)) continue
    const mend = `Known: ${known.join(', ')}. An engine of your own is named under "providers".`
    throw new CatalogFileError(`${file?.path}:${line}: ${patch.id}: there is no provider "${provider}". ${mend}`)
  }
}

/** @throws CatalogFileError when what a model of an engine says for its adapter alone is nothing that it understands. */
export function assertWires(
  file: CatalogFile | null,
  models: readonly Model[],
  findFault: (provider: string, wire: Model['wire']) => string | null,
): void {
  for (const { line, patch } of file?.entries ?? []) {
    const model = models.find(({ id }) => id === patch.id)
    const fault = model ? findFault(model.provider, model.wire) : null
    if (fault !== null) throw new CatalogFileError(`${file?.path}:${line}: ${patch.id}: ${fault}`)
  }
}
