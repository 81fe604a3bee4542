import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type DocumentNode, Kind, Lexer, parse, Source, TokenKind, validate } from 'graphql'
import { describe, expect, it } from 'vitest'
import * as documents from '../../../schema/generated/operations.ts'
import { costOf } from '../../../src/graphql/complexity.ts'
import { DEFAULT_LIMITS } from '../../../src/transport/limits.ts'
import { createFakeWorld } from './fake-world.ts'
import { apiKey, attempt, ESTIMATE, generation, image, MODEL, storedEvent, upload } from './rows.ts'
import { collect, run, SCHEMA, streamOf, watch } from './run.ts'

const FOLDER = join(import.meta.dirname, '..', '..', '..', 'schema', 'operations')
const FILES = (await readdir(FOLDER)).filter((name) => name.endsWith('.graphql'))
const SOURCES = new Map(
  await Promise.all(FILES.map(async (name) => [name, await readFile(join(FOLDER, name), 'utf8')] as const)),
)

/** The dearest that one would send. */
const VARIABLES: Record<string, Record<string, unknown>> = {
  'create-api-key.graphql': { input: { name: 'web shop' } },
  'create-webhook-endpoint.graphql': { input: { url: 'https://app.example.com/hooks', events: ['GENERATION_FAILED'] } },
  'update-webhook-endpoint.graphql': { id: 'whk_1', input: { enabled: true } },
  'create-token.graphql': { input: { endUser: 'user-17' } },
  'estimate.graphql': { input: { prompt: 'a red fox in snow' } },
  'generate.graphql': { input: { prompt: 'a red fox in snow', count: 4 } },
  'history.graphql': { first: 100 },
  'remove-provider-key.graphql': { provider: 'flux' },
  'set-provider-key.graphql': { provider: 'flux', apiKey: 'sk-own' },
  'models.graphql': { filter: { available: true } },
  'upload.graphql': { file: new File(['picture'], 'fox.png') },
  'usage.graphql': { from: '2026-01-01T00:00:00.000Z', to: '2026-02-01T00:00:00.000Z', groupBy: 'MODEL' },
}

function variablesOf(name: string): Record<string, unknown> {
  return VARIABLES[name] ?? { id: 'gen_1' }
}

function countTokens(text: string): number {
  const lexer = new Lexer(new Source(text))
  let count = 0
  while (lexer.advance().kind !== TokenKind.EOF) count += 1
  return count
}

function typeOf(document: DocumentNode): string | undefined {
  return document.definitions.find((each) => each.kind === Kind.OPERATION_DEFINITION)?.operation
}

describe.each([...SOURCES])('%s', (name, source) => {
  const document = parse(source)

  it('is valid', () => {
    expect(validate(SCHEMA, document)).toEqual([])
  })

  it('begins with what it is for', () => {
    expect(source).toMatch(/^# \S+/)
  })

  it('stays under the limits of the transport', () => {
    const { cost, depth, breadth } = costOf({ schema: SCHEMA, document, variables: variablesOf(name), context: {} })
    expect(cost).toBeGreaterThan(0)
    expect(cost).toBeLessThanOrEqual(DEFAULT_LIMITS.cost)
    expect(depth).toBeLessThanOrEqual(DEFAULT_LIMITS.depth)
    expect(breadth).toBeLessThanOrEqual(DEFAULT_LIMITS.fields)
    expect(countTokens(source)).toBeLessThanOrEqual(DEFAULT_LIMITS.tokens)
  })

  it('runs', async () => {
    const world = createFakeWorld()
    world.generations.push(generation())
    world.images.push(image())
    world.attempts.push(attempt())
    world.apiKeys.push(apiKey())
    world.uploads.push(upload())
    world.providerKeys.push({ provider: 'flux', hint: '••••cdef', createdAt: 0 })
    world.estimate = ESTIMATE
    world.usage = [{ key: MODEL.id, generations: 1, images: 1, failed: 0, chargedMicros: 40_000 }]
    world.history = { items: world.generations, hasNextPage: false, hasPreviousPage: false }
    world.watched = streamOf([{ event: storedEvent(), cursor: 'c1', generation: generation() }])
    if (typeOf(document) !== 'subscription') {
      expect(Object.values(await run(document, world.context(), variablesOf(name)))).toHaveLength(1)
      return
    }
    const events = await collect(await watch(document, world.context(), variablesOf(name)))
    expect(events).toHaveLength(1)
    expect(events[0]?.errors).toBeUndefined()
  })
})

describe('the typed documents', () => {
  it('cover every operation', () => {
    const names = Object.values(documents).flatMap((document) =>
      document.definitions.flatMap((each) => (each.kind === Kind.OPERATION_DEFINITION ? [each.name?.value] : [])),
    )
    const expected = [...SOURCES.values()].map((source) => /^(?:query|mutation|subscription) (\w+)/m.exec(source)?.[1])
    expect(names.toSorted()).toEqual(expected.toSorted())
  })
})
