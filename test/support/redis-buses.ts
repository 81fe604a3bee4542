import { randomUUID } from 'node:crypto'
import { onTestFinished } from 'vitest'
import { createSystemClock } from '../../src/clock.ts'
import type { StoredEvent } from '../../src/events/generation-event.ts'
import type { LogReader } from '../../src/events/log-tail.ts'
import { createMemoryEventBus } from '../../src/events/memory-event-bus.ts'
import { createRedisEventBus, type RedisEventBus } from '../../src/events/redis-event-bus.ts'
import { createMetrics, type Metrics } from '../../src/metrics.ts'
import { openRedisLink, type RedisLink } from '../../src/redis/redis-link.ts'
import { Secret } from '../../src/secret.ts'
import { createRecordingLogger, type RecordingLogger } from './recording-logger.ts'

/** What the processes of an installation share: a Redis, a channel on it, and a log in the place of the database. */
export type RedisPlace = { readonly url: string; readonly channel: string; readonly log: StoredEvent[] }

export type RedisMember = {
  readonly bus: RedisEventBus
  readonly link: RedisLink
  readonly logger: RecordingLogger
  readonly metrics: Metrics
  /** As a transaction and what follows it: into the log, then on the bus. */
  commit(event: StoredEvent): void
}

export const UP = 'Redis answers: events cross processes at once.'
export const AWAY = 'Redis is away: until it is back, processes read the log of events instead.'

export function openRedisPlace(url: string): RedisPlace {
  return { url, channel: `test:${randomUUID()}`, log: [] }
}

/** One process more, connected; gone after the test. */
export async function joinRedis(place: RedisPlace): Promise<RedisMember> {
  const [clock, logger, metrics] = [createSystemClock(), createRecordingLogger(), createMetrics({ process: false })]
  const link = await openRedisLink(new Secret(place.url), { clock, logger, metrics })
  onTestFinished(() => link.close())
  const bus = createRedisEventBus({
    local: createMemoryEventBus({ logger }),
    link,
    channel: place.channel,
    nodeId: randomUUID(),
    log: readerOf(place.log),
    clock,
    metrics,
    onRing: () => void bus.look(),
  })
  await logger.said(UP)
  const commit = (event: StoredEvent) => {
    place.log.push(event)
    bus.publish(event)
  }
  return { bus, link, logger, metrics, commit }
}

export function readerOf(log: readonly StoredEvent[]): LogReader {
  const inOrder = () => log.toSorted((one, other) => one.position - other.position)
  return {
    latest: async (limit) => inOrder().slice(-limit),
    after: async (position, holes, limit) =>
      inOrder()
        .filter((event) => event.position > position || holes.includes(event.position))
        .slice(0, limit),
  }
}
