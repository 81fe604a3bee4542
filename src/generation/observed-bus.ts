import type { EventBus } from '../events/event-bus.ts'
import { isStored } from '../events/generation-event.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import type { GenerationStatus } from '../store/tables.ts'

const COUNTED = {
  QUEUED: 'queued',
  RUNNING: 'running',
  COMPLETED: 'completed',
  FAILED: 'failed',
  CANCELED: 'canceled',
} as const satisfies Record<GenerationStatus, string>

/** The bus with an eye on it: one log line a transition, and the counts. Prompts and pictures are not in it. */
export function observeBus(bus: EventBus, { logger, metrics }: { logger: Logger; metrics: Metrics }): EventBus {
  return {
    subscribe: (topic, listener) => bus.subscribe(topic, listener),
    publish(event) {
      metrics.eventPublished(event.kind)
      if (isStored(event)) {
        const { generationId: generation, accountId: account, sequence, kind, status, previousStatus } = event
        logger.info({ generation, account, sequence, kind, status }, 'Generation event')
        if (status !== previousStatus) metrics.generation(COUNTED[status])
      }
      bus.publish(event)
    },
  }
}
