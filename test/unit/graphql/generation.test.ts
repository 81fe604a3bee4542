import { describe, expect, it } from 'vitest'
import { formatCursor } from '../../../src/events/cursor.ts'
import { createFakeWorld } from './fake-world.ts'
import { attempt, generation, image, PROBLEM, storedEvent, VIEWER } from './rows.ts'
import { run, runToErrors } from './run.ts'

async function ask(fields: string, ...generations: Parameters<typeof generation>[0][]) {
  const world = createFakeWorld()
  world.generations.push(...generations.map(generation))
  const data = await run(`{ generation(id: "gen_1") { ${fields} } }`, world.context())
  return data.generation
}

describe('a generation', () => {
  it('is null when it is unknown, and in the same way when it is someone else’s', async () => {
    expect(await ask('id')).toBeNull()
    expect(await ask('id', { accountId: 'acc_2' })).toBeNull()
  })

  it('is null to a token of another end user', async () => {
    const world = createFakeWorld()
    world.generations.push(generation({ endUser: 'u2' }))
    const viewer = { ...VIEWER, endUser: 'u1', tokenId: 'tok_1' }
    expect(await run('{ generation(id: "gen_1") { id } }', world.context({ viewer }))).toEqual({ generation: null })
  })

  it('shows times in UTC with milliseconds, seeds past 32 bits, and JSON as it was given', async () => {
    const times = { createdAt: 0, startedAt: 1500, finishedAt: 4000 }
    const fields = 'createdAt startedAt finishedAt durationMs expiresAt metadata parameters { seed }'
    expect(await ask(fields, times)).toEqual({
      createdAt: '1970-01-01T00:00:00.000Z',
      startedAt: '1970-01-01T00:00:01.500Z',
      finishedAt: '1970-01-01T00:00:04.000Z',
      durationMs: 2500,
      expiresAt: null,
      metadata: { order: 17 },
      parameters: { seed: 9_007_199_254_740_991 },
    })
  })

  it('tells when it will be deleted, once it has ended, where that is ever', async () => {
    const world = createFakeWorld()
    world.generations.push(generation({ finishedAt: 4000 }), generation({ id: 'gen_2' }))
    const query = '{ ended: generation(id: "gen_1") { expiresAt } runs: generation(id: "gen_2") { expiresAt } }'
    const kept = { ended: { expiresAt: null }, runs: { expiresAt: null } }
    expect(await run(query, world.context())).toEqual(kept)
    world.retentionMs = 1000
    expect(await run(query, world.context())).toEqual({ ...kept, ended: { expiresAt: '1970-01-01T00:00:05.000Z' } })
  })

  it('has progress while it runs, as far as it was told, and one when it is completed', async () => {
    for (const [status, told, shown] of [
      ['QUEUED', 0.4, null],
      ['RUNNING', 0.4, 0.4],
      ['RUNNING', null, null],
      ['COMPLETED', null, 1],
      ['FAILED', 0.4, null],
      ['CANCELED', 0.4, null],
    ] as const) {
      const world = createFakeWorld()
      world.generations.push(generation({ status }))
      world.progress = told
      const data = await run('{ generation(id: "gen_1") { progress } }', world.context())
      expect(data, status).toEqual({ generation: { progress: shown } })
    }
  })

  it('has a place in the queue only while it is queued', async () => {
    const queue = 'queue { position expectedWaitMs { p50 p90 } }'
    expect(await ask(queue, { status: 'QUEUED' })).toEqual({
      queue: { position: 3, expectedWaitMs: { p50: 400, p90: 900 } },
    })
    expect(await ask(queue, { status: 'RUNNING' })).toEqual({ queue: null })
  })

  it('tells its cost in the server’s currency and in credits', async () => {
    const money = '{ amount currency credits }'
    const cost = `cost { estimated { min ${money} max { amount } } held { amount } charged { amount } providerReported { amount } ownKey }`
    expect(await ask(cost, { estimateMaxMicros: 80_000, chargedMicros: 0, providerReportedMicros: 1 })).toEqual({
      cost: {
        estimated: {
          min: { amount: '0.040000', currency: 'EUR', credits: '40.000000' },
          max: { amount: '0.080000' },
        },
        held: { amount: '0.040000' },
        charged: { amount: '0.000000' },
        providerReported: { amount: '0.000001' },
        ownKey: false,
      },
    })
  })

  it('has no estimate where the price was unknown, and no charge until it is settled', async () => {
    const unknown = { estimateMinMicros: null, estimateMaxMicros: null }
    expect(await ask('cost { estimated { min { amount } } charged { amount } }', unknown)).toEqual({
      cost: { estimated: null, charged: null },
    })
  })

  it('tells problems, error and the tries that led to them', async () => {
    const world = createFakeWorld()
    world.generations.push(generation({ status: 'FAILED', problems: [PROBLEM], error: PROBLEM }))
    world.attempts.push(attempt({ number: 2, id: 'att_2', outcome: 'FAILED', problem: PROBLEM }), attempt())
    const problem = '{ code stage retryable providerBilled }'
    const query = `{ generation(id: "gen_1") { problems ${problem} error ${problem} attempts { id problem ${problem} } } }`
    const shown = { code: 'REFUSED', stage: 'PROVIDER', retryable: false, providerBilled: null }
    expect(await run(query, world.context())).toEqual({
      generation: {
        problems: [shown],
        error: shown,
        attempts: [
          { id: 'att_1', problem: null },
          { id: 'att_2', problem: shown },
        ],
      },
    })
  })

  it('still has a model after that left the catalogue', async () => {
    const gone = { provider: 'acme', model: 'acme/old' }
    const fields = 'model { id name available lifecycle { state } prices { unit } provider { id configured } }'
    expect(await ask(fields, gone)).toEqual({
      model: {
        id: 'acme/old',
        name: 'acme/old',
        available: false,
        lifecycle: { state: 'RETIRED' },
        prices: [],
        provider: { id: 'acme', configured: false },
      },
    })
  })

  it('links to its parent, and to none when that was deleted', async () => {
    expect(await ask('parent { id }', { parentId: 'gen_0' }, { id: 'gen_0' })).toEqual({ parent: { id: 'gen_0' } })
    expect(await ask('parent { id }', { parentId: 'gen_0' })).toEqual({ parent: null })
  })

  it('tells its stored events, all of them or those after a cursor', async () => {
    const world = createFakeWorld()
    world.generations.push(generation())
    world.events.push(storedEvent(), storedEvent({ sequence: 2, kind: 'STARTED', status: 'RUNNING', position: 9 }))
    const query = `query ($after: String) { generation(id: "gen_1") { events(after: $after) { cursor sequence kind status } } }`
    const cursor = (sequence: number) => formatCursor({ generationId: 'gen_1' }, sequence)
    const started = { cursor: cursor(2), sequence: 2, kind: 'STARTED', status: 'RUNNING' }
    expect(await run(query, world.context())).toEqual({
      generation: { events: [{ cursor: cursor(1), sequence: 1, kind: 'QUEUED', status: 'QUEUED' }, started] },
    })
    expect(await run(query, world.context(), { after: cursor(1) })).toEqual({ generation: { events: [started] } })
    expect(await runToErrors(query, world.context(), { after: 'garbage' })).toMatchObject([
      { extensions: { code: 'BAD_USER_INPUT' } },
    ])
  })
})

describe('a page of generations', () => {
  it('loads images and tries in one call each, and puts images by index', async () => {
    const world = createFakeWorld()
    world.generations.push(generation({ id: 'gen_2' }), generation({ id: 'gen_1' }))
    world.history = { items: world.generations, hasNextPage: false, hasPreviousPage: false }
    world.images.push(image({ id: 'img_2', imageIndex: 1 }), image(), image({ id: 'img_3', generationId: 'gen_2' }))
    const query = '{ history { nodes { id images { id index generation { id } } attempts { id } } } }'
    expect(await run(query, world.context())).toEqual({
      history: {
        nodes: [
          { id: 'gen_2', images: [{ id: 'img_3', index: 0, generation: { id: 'gen_2' } }], attempts: [] },
          {
            id: 'gen_1',
            images: [
              { id: 'img_1', index: 0, generation: { id: 'gen_1' } },
              { id: 'img_2', index: 1, generation: { id: 'gen_1' } },
            ],
            attempts: [],
          },
        ],
      },
    })
    expect(world.calls.slice(1)).toEqual([
      ['imagesOf', ['gen_2', 'gen_1']],
      ['attemptsOf', ['gen_2', 'gen_1']],
      ['findMany', ['gen_2', 'gen_1']],
    ])
  })
})

describe('an image', () => {
  it('has an address as it is stored, or of a variant', async () => {
    const world = createFakeWorld()
    world.generations.push(generation())
    world.images.push(image())
    const query = `{ node(id: "img_1") { ... on Image {
      url small: url(width: 64, height: 32, fit: COVER, format: WEBP, quality: 80, expiresInSeconds: 60) base64 sha256
    } } }`
    expect(await run(query, world.context())).toEqual({
      node: {
        url: 'https://pictor.test/images/img_1',
        small: 'https://pictor.test/images/img_1',
        base64: 'base64 of img_1',
        sha256: 'ab'.repeat(32),
      },
    })
    const asStored = { width: null, height: null, fit: 'INSIDE', format: null, quality: null }
    expect(world.calls.filter(([name]) => name === 'imageUrl')).toEqual([
      ['imageUrl', asStored, null],
      ['imageUrl', { width: 64, height: 32, fit: 'COVER', format: 'WEBP', quality: 80 }, 60],
    ])
  })
})
