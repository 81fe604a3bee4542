import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { buildSchema, parse, validate } from 'graphql'
import { describe, expect, it } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { createSystemClock } from '../../src/clock.ts'
import { openOffer } from '../../src/composition/offer.ts'
import { readConfig } from '../../src/config.ts'
import { createIds } from '../../src/ids.ts'
import { readCatalogExamples } from '../support/document-examples.ts'
import { writeCatalog } from '../support/start-app.ts'

const ROOT = join(import.meta.dirname, '../..')
const schema = buildSchema(readFileSync(join(ROOT, 'schema/schema.graphql'), 'utf8'))
const documents = ['.', 'docs', 'docs/moving', 'examples'].flatMap((folder) =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name)),
)

describe.each(documents)('%s', (path) => {
  const text = readFileSync(join(ROOT, path), 'utf8')

  it('shows only operations that the schema takes', () => {
    const operations = [...text.matchAll(/```graphql\n([\s\S]*?)```/g)].map(([, operation = '']) => operation)
    const faults = operations.flatMap((operation) => validate(schema, parse(operation)).map(({ message }) => message))
    expect(faults).toEqual([])
  })

  it('links to files that are there', () => {
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)].map(([, target = '']) => target)
    expect(links.filter((target) => !existsSync(join(ROOT, dirname(path), target)))).toEqual([])
  })
})

it.each(documents)('%s shows only catalogue files that the server starts with', async (path) => {
  for (const example of readCatalogExamples(path)) {
    const directory = await mkdtemp(join(tmpdir(), 'pictor-document-'))
    const catalogFile = await writeCatalog(directory, example.models, example.providers)
    const config = { ...readConfig({}), catalogFile }
    const { catalog } = await openOffer(config, { clock: createSystemClock(), ids: createIds() })
    for (const { id } of example.models) expect(catalog.find(id)).toBeDefined()
    await rm(directory, { recursive: true })
  }
})

it('says of every dependency why it is there', () => {
  const text = readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8')
  const named = [...text.matchAll(/`([^`\n]+)`/g)].map(([, name]) => name)
  const installed = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies })
  const families = ['@graphql-codegen/', '@types/']
  expect(
    installed.filter((name) => !named.includes(name) && !families.some((family) => name.startsWith(family))),
  ).toEqual([])
})
