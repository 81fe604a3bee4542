import type { Logger } from '../logger.ts'
import type { EventBus, EventListener, EventTopic } from './event-bus.ts'
import type { BusEvent } from './generation-event.ts'

/** Within one process: delivers while `publish` runs, in the order of subscribing. */
export function createMemoryEventBus(deps: { readonly logger: Pick<Logger, 'error'> }): EventBus {
  const { logger } = deps
  const topics = new Map<string, Set<Subscription>>()

  function deliver(key: string, event: BusEvent): void {
    const subscriptions = topics.get(key)
    if (!subscriptions) return
    for (const subscription of subscriptions) {
      try {
        subscription.listener(event)
      } catch (error) {
        logger.error({ error, kind: event.kind, generationId: event.generationId }, 'An event listener failed.')
      }
    }
  }

  return {
    publish(event) {
      deliver(generationKey(event.generationId), event)
      deliver(accountKey(event.accountId, null), event)
      if (event.endUser !== null) deliver(accountKey(event.accountId, event.endUser), event)
    },
    subscribe(topic, listener) {
      const key = topicKey(topic)
      // An object of its own, so that one function may listen twice and each subscription ends alone.
      const subscription: Subscription = { listener }
      const subscriptions = topics.get(key) ?? new Set()
      topics.set(key, subscriptions.add(subscription))
      return () => {
        const removed = subscriptions.delete(subscription)
        if (removed && subscriptions.size === 0) topics.delete(key)
      }
    },
  }
}

type Subscription = { readonly listener: EventListener }

function topicKey(topic: EventTopic): string {
  return 'generationId' in topic ? generationKey(topic.generationId) : accountKey(topic.accountId, topic.endUser)
}

function generationKey(generationId: string): string {
  return `g ${generationId}`
}

/** Our ids hold no space, so whatever an end user is called, two topics never share a key. */
function accountKey(accountId: string, endUser: string | null): string {
  return endUser === null ? `a ${accountId}` : `a ${accountId} ${endUser}`
}
