import { ModelUnavailableError } from '../errors.ts'
import { findNearWords } from '../near-words.ts'
import { findNearModels } from './catalog/near-models.ts'
import { PROVIDER_ALIASES } from './catalog/provider-aliases.ts'
import type { Model, ModelAlias } from './model.ts'

export type ModelCatalog = {
  /** In the order of the catalogue. */
  list(): readonly Model[]
  /** By exact id. Throws `ModelUnavailableError` when there is none. */
  get(id: string): Model
  /** By exact id. */
  find(id: string): Model | undefined
  /**
   * By full id, bare name or alias, in any case; `provider` narrows a bare name, or alone takes that provider's first
   * active model; neither takes the server's default. Throws `ModelUnavailableError` (`UNKNOWN` or `AMBIGUOUS`) that
   * lists near names. A retired model is found like any other: refusing it is the caller's part.
   */
  resolve(asked: { readonly model: string | null; readonly provider: string | null }): ResolvedModel
  /** Our id of a provider that is asked for by any of its names; what is no such name is given back as it is. */
  providerId(asked: string): string
}

export type ResolvedModel = {
  readonly model: Model
  /** What the alias that was asked for stands for; empty for any other name. */
  readonly aliasParameters: ModelAlias['parameters']
}

const DEFAULT_MODEL = 'sandbox/painter'

/** @throws Error when two models share an id, ModelUnavailableError when `defaultModel` names no model. */
export function createModelCatalog(
  models: readonly Model[],
  options: { readonly defaultModel?: string; readonly providerAliases?: Readonly<Record<string, string>> } = {},
): ModelCatalog {
  const byId = new Map(models.map((model) => [model.id, model]))
  if (byId.size < models.length) throw new Error(`Two models share the id "${findRepeatedId(models)}".`)
  const aliases = options.providerAliases ?? PROVIDER_ALIASES
  const providers = [...new Set(models.map((model) => model.provider))]

  function resolveProvider(asked: string): string {
    const id = canonicalProvider(asked, aliases)
    if (providers.includes(id)) return id
    const near = findNearWords([...providers, ...Object.keys(aliases)], id).map((name) => aliases[name] ?? name)
    const known = near.filter((name) => providers.includes(name))
    throw unknown(
      `There is no provider "${asked}". Known: ${providers.join(', ')}.`,
      models.filter((model) => known.includes(model.provider)).map((model) => model.id),
    )
  }

  function resolve(asked: { readonly model: string | null; readonly provider: string | null }): ResolvedModel {
    const provider = asked.provider === null ? null : resolveProvider(asked.provider)
    if (asked.model !== null)
      return pickOne(asked.model, findNamed(models, asked.model.trim(), provider, aliases), models)
    if (provider !== null) return { model: firstActive(models, provider), aliasParameters: {} }
    return resolve({ model: options.defaultModel ?? DEFAULT_MODEL, provider: null })
  }

  if (options.defaultModel !== undefined) resolve({ model: options.defaultModel, provider: null })
  return {
    list: () => models,
    get: (id) => byId.get(id) ?? raise(unknown(`There is no model "${id}".`, findNearModels(models, id))),
    find: (id) => byId.get(id),
    resolve,
    providerId: (asked) => canonicalProvider(asked, aliases),
  }
}

/**
 * Ids win over bare names, and bare names over aliases: a new alias never changes what an older name means. An id may name
 * its provider by another of its names: `black-forest-labs/flux-dev` is that vendor's own model, although an aggregator's
 * bare name reads the same.
 */
function findNamed(
  models: readonly Model[],
  asked: string,
  provider: string | null,
  aliases: Readonly<Record<string, string>>,
): readonly ResolvedModel[] {
  const name = asked.toLowerCase()
  const scope = provider === null ? models : models.filter((model) => model.provider === provider)
  const slash = name.indexOf('/')
  const prefix = canonicalProvider(name.slice(0, Math.max(slash, 0)), aliases)
  const ids = slash < 1 ? [name] : [name, prefix + name.slice(slash)]
  const byId = scope.filter((model) => ids.includes(model.id.toLowerCase()))
  if (byId.length > 0) return byId.map(plain)
  const bare = scope.filter((model) => model.id.slice(model.provider.length + 1).toLowerCase() === name)
  if (bare.length > 0) return bare.map(plain)
  const aliased = scope.flatMap((model) =>
    model.aliases
      .filter((alias) => alias.name.toLowerCase() === name)
      .map((alias) => ({ model, aliasParameters: alias.parameters })),
  )
  if (aliased.length > 0) return aliased
  if (slash < 1 || (provider !== null && provider !== prefix)) return []
  const inPrefix = scope.filter((model) => model.provider === prefix)
  return findNamed(inPrefix, name.slice(slash + 1), prefix, {})
}

function pickOne(asked: string, found: readonly ResolvedModel[], models: readonly Model[]): ResolvedModel {
  const living = found.filter(({ model }) => model.lifecycle.state !== 'RETIRED')
  const candidates = living.length > 0 ? living : found
  const [first, second] = candidates
  if (!first) throw unknown(`There is no model "${asked}".`, findNearModels(models, asked))
  if (!second) return first
  const ids = candidates.map(({ model }) => model.id)
  throw new ModelUnavailableError({
    message: `"${asked}" names more than one model: ${ids.join(', ')}. Ask for one of these, or name the provider.`,
    reason: 'AMBIGUOUS',
    suggestions: ids,
  })
}

function firstActive(models: readonly Model[], provider: string): Model {
  const own = models.filter((model) => model.provider === provider)
  const active = own.find((model) => model.lifecycle.state === 'ACTIVE')
  return (
    active ??
    raise(
      unknown(
        `The provider "${provider}" has no active model. Name one of its models.`,
        own.map((model) => model.id),
      ),
    )
  )
}

function plain(model: Model): ResolvedModel {
  return { model, aliasParameters: {} }
}

function canonicalProvider(asked: string, aliases: Readonly<Record<string, string>>): string {
  const id = asked.trim().toLowerCase()
  return Object.hasOwn(aliases, id) ? (aliases[id] ?? id) : id
}

function unknown(message: string, suggestions: readonly string[]): ModelUnavailableError {
  const hint = suggestions.length > 0 ? ` Did you mean ${suggestions.join(' or ')}?` : ''
  return new ModelUnavailableError({ message: message + hint, reason: 'UNKNOWN', suggestions })
}

function raise(error: Error): never {
  throw error
}

function findRepeatedId(models: readonly Model[]): string {
  const seen = new Set<string>()
  for (const { id } of models) {
    if (seen.has(id)) return id
    seen.add(id)
  }
  return ''
}
