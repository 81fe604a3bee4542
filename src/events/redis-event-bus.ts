import type { Clock } from '../clock.ts'
import type { Metrics } from '../metrics.ts'
import type { RedisLink } from '../redis/redis-link.ts'
import { readBusMessage, writeProgress, writeRing } from './bus-message.ts'
import type { EventBus } from './event-bus.ts'
import { isStored, type StoredEvent } from './generation-event.ts'
import { createLogTail, type LogReader } from './log-tail.ts'
import { RecentPositions } from './recent-positions.ts'

export type RedisEventBus = EventBus & {
  /** Tells the watchers here what other processes have committed. To be run now and then, and whenever `onRing` is called. */
  look(): Promise<void>
}

export type RedisEventBusDeps = {
  /** Watchers of this process. */
  readonly local: EventBus
  readonly link: RedisLink
  readonly channel: string
  /** Of this process alone. */
  readonly nodeId: string
  readonly log: LogReader
  readonly clock: Pick<Clock, 'now'>
  readonly metrics: Pick<Metrics, 'redisMessage'>
  /** A look is worth while now. */
  readonly onRing: () => void
}

/**
 * Between processes. Redis is a bell and never the record: a commit rings it, and whoever hears it reads the log. So a
 * message that is lost, late, repeated or forged shows nobody anything that was not committed; while Redis is away, the
 * looks that are made anyhow do without the bell.
 */
export function createRedisEventBus(deps: RedisEventBusDeps): RedisEventBus {
  const { local, link, channel, nodeId, metrics, onRing } = deps
  const seen = new RecentPositions()
  const tail = createLogTail({ ...deps, deliver })
  const ring = createBell(() => link.publish(channel, writeRing(nodeId)))
  let subscriptions = 0

  function deliver(event: StoredEvent): void {
    if (seen.add(event.position)) local.publish(event)
  }

  function hear(text: string): void {
    const message = readBusMessage(text)
    if (message?.from === nodeId) return
    metrics.redisMessage(message === undefined ? 'refused' : 'received')
    if (message === undefined) return
    if (message.kind === 'RING') {
      onRing()
    } else {
      const { from: _, ...event } = message
      local.publish({ ...event, message: null, preview: null })
    }
  }

  link.subscribe(channel, { hear, onReturn: onRing })
  return {
    publish(event) {
      if (isStored(event)) {
        deliver(event)
        ring()
      } else {
        local.publish(event)
        if (event.kind === 'PROGRESS') void link.publish(channel, writeProgress(nodeId, event))
      }
    },
    subscribe(topic, listener) {
      const leave = local.subscribe(topic, listener)
      let isOn = true
      if (subscriptions++ === 0) onRing()
      return () => {
        leave()
        if (isOn) subscriptions -= 1
        isOn = false
      }
    },
    async look() {
      if (subscriptions === 0) tail.rest()
      else await tail.look()
    },
  }
}

/** One ring at a time: whatever is committed while one is on its way is told of by one more behind it. */
function createBell(strike: () => Promise<boolean>): () => void {
  let isRinging = false
  let again = false
  async function ring(): Promise<void> {
    isRinging = true
    do {
      again = false
      await strike()
    } while (again)
    isRinging = false
  }
  return () => {
    if (isRinging) again = true
    else void ring()
  }
}
