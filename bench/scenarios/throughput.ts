import { setTimeout as delay } from 'node:timers/promises'
import { GENERATE, post } from '../load.ts'
import { type ServerProcess, startPictor } from '../server-process.ts'
import type { Figure } from '../table.ts'

const SECONDS = 10
const BODY = {
  query: GENERATE,
  variables: { input: { prompt: '[[sandbox delay=0]] dots', size: '64x64', quality: 'draft' } },
}

/** From mutation to stored picture and settled ledger, with a sandbox that paints at once and small. */
export async function throughput(): Promise<Figure[]> {
  const server = await startPictor({ PICTOR_CONCURRENCY: '32', PICTOR_PROVIDER_CONCURRENCY: '32' })
  try {
    await post(server.url, BODY, { connections: 4, seconds: 2 })
    await drained(server)
    const before = await countCompleted(server)
    const startedAt = performance.now()
    const { requests } = await post(server.url, BODY, { connections: 4, seconds: SECONDS })
    await drained(server)
    const seconds = (performance.now() - startedAt) / 1000
    const completed = (await countCompleted(server)) - before
    return [
      { name: 'whole generations', value: completed / seconds, unit: '/s' },
      { name: 'of them accepted while they ran', value: requests.average, unit: '/s' },
    ]
  } finally {
    await server.stop()
  }
}

async function drained(server: ServerProcess): Promise<void> {
  while ((await readMetric(server, 'pictor_queue_depth')) > 0) await delay(100)
}

function countCompleted(server: ServerProcess): Promise<number> {
  return readMetric(server, 'pictor_generations_total{status="completed"}')
}

async function readMetric({ url }: ServerProcess, name: string): Promise<number> {
  const text = await (await fetch(new URL('/metrics', url))).text()
  const line = text.split('\n').find((each) => each.startsWith(`${name} `))
  return line === undefined ? 0 : Number(line.split(' ').at(-1))
}
