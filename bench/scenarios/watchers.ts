import { setTimeout as delay } from 'node:timers/promises'
import { eachOf, query } from '../graphql.ts'
import { type ServerProcess, startPictor } from '../server-process.ts'
import { type Figure, quantile } from '../table.ts'
import { openWatcher, type Watcher } from '../watcher.ts'

const EVENTS = 1_000
const EVENTS_PER_SECOND = 100
const WARM_UP = 1_000

/**
 * From the time that stands in the event (taken inside the transaction, so before the commit) to its arrival at the
 * watcher, in milliseconds; both clocks are this machine's. Each watcher has a socket and a generation of its own, and
 * generations end one after the other at a steady rate. The queue is not worked off meanwhile.
 */
export async function watchers(): Promise<Figure[]> {
  return [...(await withWatchers(1_000, true)), ...(await withWatchers(10_000, false))]
}

async function withWatchers(count: number, hasGoal: boolean): Promise<Figure[]> {
  const server = await startPictor({ PICTOR_ROLES: 'api' })
  try {
    const ids = await createGenerations(server, count)
    // Opened and closed once before, so that the heap's first growth is not put down to the watchers.
    for (const watcher of await openWatchers(server, ids.slice(0, WARM_UP), [])) watcher.close()
    await delay(3_000)
    const emptyBytes = await server.memory()
    const latenciesMs: number[] = []
    const open = await openWatchers(server, ids, latenciesMs)
    await delay(5_000)
    const bytesEach = ((await server.memory()) - emptyBytes) / count
    await endAtSteadyRate(server, ids.slice(0, EVENTS))
    await delay(2_000)
    for (const watcher of open) watcher.close()
    const p50 = quantile(latenciesMs, 0.5)
    const name = `${count} watchers`
    return [
      { name: `${name}: p50`, value: p50, unit: 'ms', ...(hasGoal && { goal: 'at most 10', met: p50 <= 10 }) },
      { name: `${name}: p99`, value: quantile(latenciesMs, 0.99), unit: 'ms' },
      { name: `${name}: events that arrived`, value: latenciesMs.length, unit: `of ${EVENTS}` },
      {
        name: `${name}: memory of an idle one`,
        value: bytesEach / 1024,
        unit: 'KB',
        goal: 'at most 40',
        met: bytesEach <= 40 * 1024,
      },
    ]
  } finally {
    await server.stop()
  }
}

const GENERATE = `mutation ($input: GenerateImageInput!) {
  generateImage(input: $input) { ... on GenerateImageSuccess { generation { id } } }
}`
const CANCEL = 'mutation ($id: ID!) { cancelGeneration(id: $id) { __typename } }'

async function createGenerations({ url }: ServerProcess, count: number): Promise<string[]> {
  const ids: string[] = []
  const numbers = Array.from({ length: count }, (_, number) => number)
  await eachOf(numbers, 32, async () => {
    const variables = { input: { prompt: 'a red fox in snow', size: '64x64' } }
    const data = await query<{ generateImage: { generation: { id: string } } }>(url, GENERATE, variables)
    ids.push(data.generateImage.generation.id)
  })
  return ids
}

async function openWatchers({ url }: ServerProcess, ids: readonly string[], latenciesMs: number[]): Promise<Watcher[]> {
  const open: Watcher[] = []
  await eachOf(ids, 64, async (id) => {
    const watcher = await openWatcher(url, id, ({ kind, at }) => {
      if (kind === 'CANCELED') latenciesMs.push(performance.timeOrigin + performance.now() - Date.parse(at))
    })
    open.push(watcher)
  })
  return open
}

async function endAtSteadyRate({ url }: ServerProcess, ids: readonly string[]): Promise<void> {
  const startedAt = performance.now()
  const calls = ids.map(async (id, index) => {
    await delay(Math.max(0, startedAt + (index * 1000) / EVENTS_PER_SECOND - performance.now()))
    await query(url, CANCEL, { id })
  })
  await Promise.all(calls)
}
