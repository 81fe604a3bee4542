import { readFile, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Model, PriceRule } from '../model.ts'
import { catalogFileSchema, type ModelPatch, type PricePatch, type ProviderPatch } from './catalog-schema.ts'
import { defineModel } from './define-model.ts'
import { findJsonFault, findJsonLine } from './json-lines.ts'

/**
 * A JSON file that adds models to the built-in ones, or changes parts of them (`docs/catalog.md` describes it):
 *
 *     { "models": [{ "id": "sandbox/painter", "prices": [{ "unit": "IMAGE", "usd": "0.04" }] }] }
 *
 * An entry whose id is known changes the keys that it names: `lifecycle` and `capabilities` key by key, lists such as
 * `prices` and `aliases` as a whole. An entry with a new id needs `provider` and `capabilities`.
 */
export type CatalogFile = {
  readonly path: string
  readonly entries: readonly CatalogFileEntry[]
  readonly providers: readonly CatalogFileProvider[]
  /** Milliseconds since 1970: taken for the `asOf` of prices that name none. */
  readonly changedAt: number
}

export type CatalogFileEntry = { readonly line: number; readonly patch: ModelPatch }
export type CatalogFileProvider = { readonly line: number; readonly patch: ProviderPatch }

/** The message has one line for each fault: file, line, path inside the file, what is wrong and what would do. */
export class CatalogFileError extends Error {
  override readonly name = 'CatalogFileError'
}

/** @throws CatalogFileError when the file cannot be read or does not have the shape that `catalogFileSchema` gives. */
export async function loadCatalogFile(path: string): Promise<CatalogFile> {
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(path, 'utf8'), stat(path)])
    return parseCatalogFile(path, text, Math.round(mtimeMs))
  } catch (error) {
    if (error instanceof CatalogFileError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new CatalogFileError(`${path}: cannot be read (${reason}). Name a readable JSON file or none.`, {
      cause: error,
    })
  }
}

export function parseCatalogFile(path: string, text: string, changedAt: number): CatalogFile {
  const parsed = catalogFileSchema.safeParse(parseJson(path, text))
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => {
      const keys = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0] ?? ''] : issue.path
      return `${path}:${findJsonLine(text, keys)}: ${formatPath(issue.path)}: ${issue.message}`
    })
    throw new CatalogFileError(faults.join('\n'))
  }
  const { models, providers } = parsed.data
  const lineOf = (list: 'models' | 'providers', index: number) => findJsonLine(text, [list, index])
  return {
    path,
    entries: models.map((patch, index) => ({ line: lineOf('models', index), patch })),
    providers: providers.map((patch, index) => ({ line: lineOf('providers', index), patch })),
    changedAt,
  }
}

/** Known models keep their place, new ones follow in the order of the file. @throws CatalogFileError */
export function mergeCatalog(base: readonly Model[], file: CatalogFile): readonly Model[] {
  const models = new Map(base.map((model) => [model.id, model]))
  const seen = new Set<string>()
  for (const { line, patch } of file.entries) {
    const fail = (message: string) => new CatalogFileError(`${file.path}:${line}: ${patch.id}: ${message}`)
    if (seen.has(patch.id)) throw fail('stands in this file twice. Put it into one entry.')
    seen.add(patch.id)
    if (patch.provider !== undefined && !patch.id.startsWith(`${patch.provider}/`))
      throw fail(`belongs to another provider than "${patch.provider}". The id starts with the provider.`)
    const known = models.get(patch.id)
    if (!known && (patch.provider === undefined || patch.capabilities === undefined))
      throw fail('is a new model and needs "provider" and "capabilities". To change a known model, check its id.')
    models.set(patch.id, applyPatch(known ?? defineModel({ id: patch.id, capabilities: {} }), patch, file))
  }
  const merged = [...models.values()]
  assertReplacementsExist(merged, file)
  return merged
}

function applyPatch(model: Model, patch: ModelPatch, file: CatalogFile): Model {
  const { prices, ...rest } = patch
  const capabilities = { ...model.capabilities, ...patch.capabilities }
  return {
    ...model,
    // Formats that are stated without saying how they are made are the provider's own.
    ...(patch.capabilities?.outputFormats && { nativeFormats: capabilities.outputFormats }),
    ...rest,
    lifecycle: { ...model.lifecycle, ...patch.lifecycle },
    capabilities,
    wire: { ...model.wire, ...patch.wire },
    prices: prices ? prices.map((price) => toPriceRule(price, file)) : model.prices,
  }
}

function toPriceRule(price: PricePatch, file: CatalogFile): PriceRule {
  return {
    ...price,
    asOf: price.asOf ?? file.changedAt,
    source: price.source ?? `catalogue file ${basename(file.path)}`,
  }
}

function assertReplacementsExist(models: readonly Model[], file: CatalogFile): void {
  const ids = new Set(models.map((model) => model.id))
  for (const { line, patch } of file.entries) {
    const replacement = patch.lifecycle?.replacement ?? null
    if (replacement !== null && !ids.has(replacement))
      throw new CatalogFileError(
        `${file.path}:${line}: ${patch.id}: its replacement "${replacement}" is no known model. Name one, or null.`,
      )
  }
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new CatalogFileError(`${path}:${findJsonFault(text)}: is not valid JSON: ${message}`)
  }
}

function formatPath(path: readonly PropertyKey[]): string {
  return (
    path
      .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
      .join('')
      .replace(/^\./, '') || 'file'
  )
}
