import type { BusEvent } from './generation-event.ts'

/** One generation's events, or those of an account; `endUser` null: of all its end users and of none. */
export type EventTopic =
  | { readonly generationId: string }
  | { readonly accountId: string; readonly endUser: string | null }

export type EventListener = (event: BusEvent) => void

/**
 * Tells watchers that something was committed. A hint, never the record: an event that is lost, repeated or overtaken on
 * its way delays a watcher until it reads the log again, and nothing worse.
 */
export type EventBus = {
  /** To be called after the commit, never inside the transaction. Never throws. */
  publish(event: BusEvent): void
  /**
   * Attached when this returns: what is published afterwards reaches the listener. The answer takes it off again, at
   * once, and may be called more than once. A listener that throws is logged and stays.
   */
  subscribe(topic: EventTopic, listener: EventListener): () => void
}
