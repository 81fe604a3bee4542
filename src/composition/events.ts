import type { EventBus } from '../events/event-bus.ts'
import { createMemoryEventBus } from '../events/memory-event-bus.ts'
import { createRedisEventBus } from '../events/redis-event-bus.ts'
import { toStoredEvent } from '../generation/records.ts'
import { redisName } from '../redis/redis-names.ts'
import { listEventsAfter, listLatestEvents } from '../store/event-store.ts'
import { createLoop, type Loop } from '../worker/loop.ts'
import type { Foundations } from './foundations.ts'

/** How often the log is read where no bell rings: less than two seconds, reading included. */
const LOOK_EVERY_MS = 1_500

export type Events = { readonly bus: EventBus } & Pick<Loop, 'start' | 'stop'>

/** How watchers learn of what was committed: here, and in other processes where there is a Redis to tell them. */
export function createEvents(foundations: Foundations, { lookMs = LOOK_EVERY_MS }: { lookMs?: number }): Events {
  const { clock, ids, logger, metrics, secret, redis, database } = foundations
  const local = createMemoryEventBus({ logger })
  if (redis === null) return { bus: local, start: () => undefined, stop: async () => undefined }
  const bus = createRedisEventBus({
    local,
    link: redis,
    channel: redisName(secret, 'events'),
    nodeId: ids.token(),
    log: {
      latest: async (limit) => (await listLatestEvents(database.read, limit)).map(toStoredEvent),
      after: async (position, holes, limit) =>
        (await listEventsAfter(database.read, { position, holes, limit })).map(toStoredEvent),
    },
    clock,
    metrics,
    onRing: () => loop.nudge(),
  })
  const loop = createLoop({
    clock,
    everyMs: lookMs,
    run: () => bus.look(),
    onError: (error) => logger.warn({ error }, 'The log of events could not be read for watchers.'),
  })
  return { bus, start: loop.start, stop: loop.stop }
}
