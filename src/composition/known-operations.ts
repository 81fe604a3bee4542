import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Config, ConfigError } from '../config.ts'
import { createSchema } from '../graphql/schema.ts'
import {
  createKnownOperations,
  type KnownOperations,
  KnownOperationsError,
  type OperationSource,
} from '../transport/known-operations.ts'

/** The blessed operations: clients copy them, and the command line sends them. */
const OWN = new URL('../../schema/operations/', import.meta.url)

type Schema = ReturnType<typeof createSchema>

/** What can be asked here, and by which names. */
export type Operations = { readonly schema: Schema; readonly known: KnownOperations; readonly only: boolean }

/**
 * Our own operations, and those that PICTOR_OPERATIONS names. Read at once where the configuration says anything about
 * them, so that a fault stops the start (ConfigError); else when the first caller sends an id.
 */
export function openOperations({ path, only }: Config['operations']): Operations {
  const schema = createSchema()
  let read: KnownOperations | null = path === null && !only ? null : readAll(path, schema)
  const get = () => {
    read ??= readAll(path, schema)
    return read
  }
  return { schema, only, known: { find: (id) => get().find(id), has: (text) => get().has(text) } }
}

function readAll(path: string | null, schema: Schema): KnownOperations {
  const own = readFolder(fileURLToPath(OWN))
  try {
    return createKnownOperations(schema, path === null ? own : [...own, ...readSources(path)])
  } catch (error) {
    if (error instanceof KnownOperationsError) throw fault(error.faults)
    throw error
  }
}

function fault(faults: readonly string[]): ConfigError {
  return new ConfigError(faults.map((text) => `PICTOR_OPERATIONS holds what cannot be run here. ${text}.`))
}

function readSources(path: string): readonly OperationSource[] {
  try {
    return statSync(path).isDirectory() ? readFolder(path) : readManifest(readFileSync(path, 'utf8'))
  } catch (error) {
    if (error instanceof ConfigError) throw error
    const why = error instanceof Error ? error.message : String(error)
    throw new ConfigError([`PICTOR_OPERATIONS must be a folder of .graphql files or a JSON manifest: ${why}.`])
  }
}

/** Each file stands for itself: its operations with all fragments that they use. */
function readFolder(folder: string): readonly OperationSource[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return names
    .filter((name) => /\.(graphql|gql)$/.test(name))
    .sort()
    .map((name) => ({ origin: name, id: null, text: readFileSync(join(folder, name), 'utf8') }))
}

/** `{ "<id>": "<text>" }`, as graphql-codegen and Relay write it, or the manifest of Apollo. */
function readManifest(json: string): readonly OperationSource[] {
  const manifest: unknown = JSON.parse(json)
  if (!isRecord(manifest)) throw new Error('a manifest is an object')
  const entries = Array.isArray(manifest.operations)
    ? manifest.operations.map((entry: unknown) => (isRecord(entry) ? [entry.id, entry.body] : [undefined, undefined]))
    : Object.entries(manifest)
  return entries.map(([id, text], index) => {
    if (typeof id !== 'string' || typeof text !== 'string') {
      throw new Error(`entry ${index + 1} has no id with a text; see docs/configuration.md`)
    }
    return { origin: id, id: id.replace(/^sha256:/, ''), text }
  })
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
