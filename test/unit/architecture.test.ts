import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { readSourceFiles, type SourceFile } from '../support/source-files.ts'

const BASE = ['clock', 'errors', 'ids', 'logger', 'metrics', 'money', 'near-words', 'secret', 'viewer'].map(
  (name) => `src/${name}.ts`,
)
const PORTS = ['callback', 'model', 'model-catalog', 'provider', 'provider-error', 'provider-registry'].map(
  (name) => `src/providers/${name}.ts`,
)
const MODEL_TYPES = 'src/providers/model.ts'
const PROVIDER_ERROR = 'src/providers/provider-error.ts'
const OPERATIONS = 'schema/generated'

/**
 * The walls of the house: what the files of a room may import besides one another. The longest name that fits a file
 * is its room; a name that ends in `.ts` stands for one file, any other for everything below it.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'src/money.ts': [],
  'src/near-words.ts': [],
  'src/secret.ts': [],
  'src/errors.ts': [],
  'src/clock.ts': [],
  'src/ids.ts': [],
  'src/logger.ts': [],
  'src/metrics.ts': [],
  'src/viewer.ts': [],
  'src/config.ts': ['src/config-fields.ts', 'src/config-storage.ts', ...BASE],
  'src/config-storage.ts': ['src/config-fields.ts', ...BASE],
  'src/config-secrets.ts': ['src/config.ts', ...BASE],
  'src/config-fields.ts': BASE,
  'src/outbound': BASE,
  'src/store': BASE,
  'src/storage': BASE,
  'src/providers': ['src/providers/catalog', ...BASE],
  'src/providers/catalog': [...PORTS, ...BASE],
  'src/providers/wire': ['src/outbound', ...PORTS, ...BASE],
  ...Object.fromEntries(listVendors().map((room) => [room, ['src/providers/wire', 'src/outbound', ...PORTS, ...BASE]])),
  'src/redis': BASE,
  'src/events': ['src/redis', 'src/store', ...BASE],
  'src/ledger': ['src/store', ...BASE],
  'src/queue': ['src/store', PROVIDER_ERROR, ...BASE],
  'src/identity': ['src/store', ...BASE],
  'src/references': ['src/outbound', 'src/storage', 'src/store', ...BASE],
  'src/webhooks': ['src/generation', 'src/identity', 'src/ledger', 'src/outbound', 'src/events', 'src/store', ...BASE],
  'src/generation': [
    'src/references',
    'src/identity',
    'src/ledger',
    'src/queue',
    'src/events',
    'src/store',
    ...PORTS,
    ...BASE,
  ],
  'src/upkeep': ['src/references', 'src/storage', 'src/store', ...BASE],
  'src/worker': ['src/upkeep', 'src/generation', 'src/references', 'src/queue', 'src/storage', ...PORTS, ...BASE],
  'src/services.ts': [
    'src/generation',
    'src/references',
    'src/identity',
    'src/ledger',
    'src/events',
    'src/webhooks',
    ...BASE,
  ],
  'src/graphql': [
    'src/services.ts',
    'src/generation',
    'src/references',
    'src/identity',
    'src/ledger',
    'src/events',
    'src/webhooks',
    MODEL_TYPES,
    ...BASE,
  ],
  'src/transport': ['src/graphql', 'src/storage', ...BASE],
  'src/transport/mcp': [
    'src/transport',
    'src/services.ts',
    'src/generation',
    'src/graphql/pagination.ts',
    'src/ledger',
    MODEL_TYPES,
    ...BASE,
  ],
  'src/transport/rest': [
    'src/transport',
    'src/services.ts',
    'src/generation',
    'src/references',
    'src/identity',
    'src/ledger',
    'src/events',
    MODEL_TYPES,
    ...BASE,
  ],
  'src/composition': ['src', 'schema/operations'],
  'src/app.ts': ['src'],
  'src/cli': [
    'src/app.ts',
    'src/config.ts',
    'src/config-secrets.ts',
    'src/composition',
    'src/upkeep',
    'src/identity',
    'src/store',
    OPERATIONS,
    ...BASE,
  ],
  'src/main.ts': ['src/cli'],
}

/** Who may import a package. What is not listed may not be imported at all. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  '@aws-sdk/client-s3': ['src/storage/s3'],
  '@aws-sdk/s3-request-presigner': ['src/storage/s3'],
  '@commander-js/extra-typings': ['src/cli'],
  '@google/genai': ['src/providers/google'],
  '@fal-ai/client': ['src/providers/fal'],
  '@graphql-typed-document-node/core': ['src/cli'],
  '@graphql-yoga/render-graphiql': ['src/transport'],
  '@modelcontextprotocol/client': ['src/cli'],
  '@modelcontextprotocol/server': ['src/transport/mcp', 'src/cli'],
  '@pothos/core': ['src/graphql'],
  '@pothos/plugin-complexity': ['src/graphql'],
  '@pothos/plugin-dataloader': ['src/graphql'],
  '@pothos/plugin-errors': ['src/graphql'],
  '@pothos/plugin-scope-auth': ['src/graphql'],
  'better-sqlite3': ['src/store'],
  'fastest-levenshtein': ['src/near-words.ts'],
  graphql: ['src/graphql', 'src/transport', 'src/cli'],
  'graphql-ws': ['src/transport', 'src/cli'],
  'graphql-yoga': ['src/transport'],
  ioredis: ['src/redis'],
  'ipaddr.js': ['src/outbound', 'src/transport'],
  jose: ['src/identity'],
  kysely: ['src/store'],
  'lru-cache': ['src/generation', 'src/identity', 'src/store'],
  openai: ['src/providers/openai'],
  pg: ['src/store'],
  pino: ['src/logger.ts'],
  'pino-pretty': ['src/logger.ts'],
  'prom-client': ['src/metrics.ts'],
  replicate: ['src/providers/replicate'],
  standardwebhooks: ['src/providers/replicate', 'src/webhooks'],
  sharp: ['src/storage', 'src/providers/sandbox'],
  thumbhash: ['src/storage'],
  undici: ['src/outbound', 'src/providers/wire'],
  uuid: ['src/ids.ts'],
  ws: ['src/transport', 'src/cli', 'src/providers/comfyui'],
  zod: [
    'src/cli',
    'src/config.ts',
    'src/config-fields.ts',
    'src/config-storage.ts',
    'src/events',
    'src/generation',
    'src/identity',
    'src/providers/catalog',
    'src/transport/mcp',
    'src/upkeep',
  ],
}

/** What the typings of the command line stand on. */
const IMPORTED_ELSEWHERE = ['commander']

/** One folder each, and nothing of another's. */
function listVendors(): readonly string[] {
  return readdirSync(join(import.meta.dirname, '../../src/providers'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !['catalog', 'wire'].includes(entry.name))
    .map((entry) => `src/providers/${entry.name}`)
}

const ENTRIES = ['src/main.ts', 'src/cli/main.ts']
const READS_ENVIRONMENT = ['src/config.ts', 'src/cli/process-context.ts', ...ENTRIES]

/** Packages whose functions only build values, so that files may call them while they are loaded. */
const BUILDS_VALUES = ['zod', 'graphql']
const ACTING_GLOBALS = ['fetch', 'process', 'queueMicrotask', 'setImmediate', 'setInterval', 'setTimeout']

const MAX_FILE_LINES = 300
const MAX_MEDIAN_FILE_LINES = 80
const MAX_FUNCTION_LINES = 40
/** Lists, one part or one column a line: cutting them would only scatter them. */
const LISTS = ['src/composition', 'src/store/migrations']

const files = readSourceFiles('src/')

describe('the rooms', () => {
  it('holds every file in a room of the table', () => {
    expect(files.map(({ path }) => path).filter((path) => !roomOf(path))).toEqual([])
  })

  it('has no room in the table that is empty', () => {
    const rooms = new Set(files.map(({ path }) => roomOf(path)))
    expect(Object.keys(MAY_IMPORT).filter((room) => !rooms.has(room))).toEqual([])
  })

  it('imports only what the table allows', () => {
    const breaches = files.flatMap((file) =>
      ownImports(file)
        .filter((target) => !mayImport(file.path, target))
        .map((target) => `${file.path} imports ${target}`),
    )
    expect(breaches).toEqual([])
  })

  it('confines packages to the rooms that own them', () => {
    const breaches = files.flatMap(({ path, imports }) =>
      imports
        .filter((name) => !isOwn(name) && !name.startsWith('node:'))
        .filter((name) => !(PACKAGES[name] ?? []).some((room) => isWithin(path, room)))
        .map((name) => `${path} imports ${name}`),
    )
    expect(breaches).toEqual([])
  })

  it('imports every package that is installed for it, and lists no other', () => {
    const used = new Set(files.flatMap(({ imports }) => imports))
    const installed = Object.keys(manifest.dependencies)
    expect(installed.filter((name) => !used.has(name) && !IMPORTED_ELSEWHERE.includes(name))).toEqual([])
    expect(installed.filter((name) => !PACKAGES[name] && !IMPORTED_ELSEWHERE.includes(name))).toEqual([])
    expect(Object.keys(PACKAGES).filter((name) => !installed.includes(name))).toEqual([])
  })

  it('has no cycle between files, types included', () => {
    expect(findCycle()).toBeNull()
  })

  it('imports no file that does not exist', () => {
    const known = new Set(files.map(({ path }) => path))
    const targets = files.flatMap(ownImports).filter((path) => path.startsWith('src/'))
    expect(targets.filter((path) => !known.has(path))).toEqual([])
  })
})

describe('the habits', () => {
  it('has no barrels and no drawers', () => {
    expect(files.filter(({ isBarrel }) => isBarrel).map(({ path }) => path)).toEqual([])
    expect(
      files.map(({ path }) => path).filter((path) => /(^|\/)(utils?|helpers?|misc|common)(\.ts|\/)/.test(path)),
    ).toEqual([])
  })

  it('reads the environment in one place, which the entries hand it to', () => {
    const readers = files.filter(({ text }) => /\bprocess\.env\b/.test(text)).map(({ path }) => path)
    expect(readers.filter((path) => !READS_ENVIRONMENT.includes(path))).toEqual([])
  })

  it('does nothing when a file is loaded, but for the entries', () => {
    const others = files.filter(({ path }) => !ENTRIES.includes(path))
    const effects = others.flatMap(({ path, effects }) => effects.map((statement) => `${path}: ${statement}`))
    const calls = others.flatMap(({ path, callsWhenLoaded }) =>
      callsWhenLoaded
        .filter(({ name, origin }) => (origin === null ? ACTING_GLOBALS.includes(name) : !buildsValues(origin)))
        .map(({ name, origin }) => `${path} calls ${name} of ${origin ?? 'the runtime'}`),
    )
    expect([...effects, ...calls]).toEqual([])
  })
})

describe('sizes', () => {
  it(`has no file of more than ${MAX_FILE_LINES} lines`, () => {
    const long = files.filter(({ lineCount }) => lineCount > MAX_FILE_LINES)
    expect(long.map(({ path, lineCount }) => `${path}: ${lineCount}`)).toEqual([])
  })

  it(`has a median file of at most ${MAX_MEDIAN_FILE_LINES} lines`, () => {
    const counts = files.map(({ lineCount }) => lineCount).toSorted((a, b) => a - b)
    expect(counts[Math.floor(counts.length / 2)]).toBeLessThanOrEqual(MAX_MEDIAN_FILE_LINES)
  })

  it(`has no function of more than ${MAX_FUNCTION_LINES} lines of its own`, () => {
    const others = files.filter(({ path }) => !LISTS.some((room) => isWithin(path, room)))
    const long = others.flatMap(({ path, functions }) =>
      functions
        .filter(({ ownLineCount }) => ownLineCount > MAX_FUNCTION_LINES)
        .map(({ name, ownLineCount }) => `${path} ${name}: ${ownLineCount}`),
    )
    expect(long).toEqual([])
  })
})

describe('words', () => {
  // Written so that this file does not hold them itself.
  const FORBIDDEN: readonly RegExp[] = [
    /(?<![\w.-])\/(work|root|home)\//,
    /\bregistry\.[\w-]+\.(com|dev|io|net|org)\b/,
    /["'(]https?:\/\/[^/\s"']*(npm|artifact)/,
    /\b(TO[D]O|FIX[M]E|XX[X]|HAC[K])\b/,
    /\.(only|skip|todo)\(/,
  ]

  it('names no machine, no registry and nothing unfinished', () => {
    const breaches = listTexts().flatMap((path) => {
      const text = readFileSync(join(ROOT, path), 'utf8')
      return FORBIDDEN.filter((word) => word.test(text)).map((word) => `${path}: ${word.exec(text)?.[0]}`)
    })
    expect(breaches).toEqual([])
  })
})

const ROOT = join(import.meta.dirname, '../..')
const TEXT_ROOTS = ['src', 'test', 'scripts', 'bench', 'examples', 'docs', 'schema/operations', '.ci']

/** What people wrote: sources and documents, from the project's root. */
function listTexts(): readonly string[] {
  const below = TEXT_ROOTS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.parentPath.includes('results'))
      .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1)),
  )
  const top = readdirSync(ROOT).filter((name) => /\.(ts|json|md)$/.test(name))
  return [...below.filter((path) => /(\.(ts|md|graphql|html|json)|run)$/.test(path)), ...top]
}

function roomOf(path: string): string | undefined {
  return Object.keys(MAY_IMPORT)
    .filter((room) => isWithin(path, room))
    .toSorted((a, b) => b.length - a.length)[0]
}

function isWithin(path: string, place: string): boolean {
  return path === place || path.startsWith(`${place}/`)
}

function isOwn(name: string): boolean {
  return /^(src|schema|test|package\.json)\b/.test(name)
}

function ownImports(file: SourceFile): readonly string[] {
  return file.imports.filter(isOwn)
}

/** A place in the table that is not itself the target's room, such as `src/providers`, does not open the rooms in it. */
function mayImport(from: string, target: string): boolean {
  const room = roomOf(from) ?? ''
  if (roomOf(target) === room) return true
  return (MAY_IMPORT[room] ?? []).some((place) => isWithin(target, place))
}

function buildsValues(origin: string): boolean {
  return isOwn(origin) || BUILDS_VALUES.includes(origin)
}

/** The first one found, as a path of files, or null. */
function findCycle(): readonly string[] | null {
  const importsOf = new Map(files.map((file) => [file.path, ownImports(file)]))
  const done = new Set<string>()
  function visit(path: string, trail: readonly string[]): readonly string[] | null {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path]
    if (done.has(path)) return null
    for (const target of importsOf.get(path) ?? []) {
      const cycle = visit(target, [...trail, path])
      if (cycle) return cycle
    }
    done.add(path)
    return null
  }
  for (const path of importsOf.keys()) {
    const cycle = visit(path, [])
    if (cycle) return cycle
  }
  return null
}
