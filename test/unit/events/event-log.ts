import { createEventStream, type EventStream, type EventStreamOptions } from '../../../src/events/event-stream.ts'
import type { BusEvent, PassingEvent, StoredEvent } from '../../../src/events/generation-event.ts'
import type { Refreshable } from '../../../src/events/stream-refresher.ts'
import { createFakeClock, FAKE_START, type FakeClock } from '../../support/fake-clock.ts'

type Read = { readonly answer: () => readonly StoredEvent[] } & PromiseWithResolvers<readonly StoredEvent[]>

/** One generation's log, a bus and a refresher, each moved by hand. */
export type EventLog = {
  readonly clock: FakeClock
  readonly stored: StoredEvent[]
  /** Reads that have not been answered. */
  readonly reads: Read[]
  readonly listeners: Set<(event: BusEvent) => void>
  readonly refreshables: Set<Refreshable>
  publish(event: BusEvent): void
  /** Appends without publishing. */
  commit(details?: Partial<StoredEvent>): StoredEvent
  /** Answers the oldest read with what the log holds now. */
  answerRead(): Promise<void>
  failRead(error: Error): Promise<void>
  refresh(): Promise<void>
  open(options?: Partial<EventStreamOptions>): EventStream
}

export function createEventLog(): EventLog {
  const clock = createFakeClock()
  const stored: StoredEvent[] = []
  const reads: Read[] = []
  const listeners = new Set<(event: BusEvent) => void>()
  const refreshables = new Set<Refreshable>()
  let orderOf = (event: StoredEvent) => event.sequence

  function read(after: number, limit: number): Promise<readonly StoredEvent[]> {
    const answer = () => stored.filter((event) => orderOf(event) > after).slice(0, limit)
    const pending: Read = { ...Promise.withResolvers<readonly StoredEvent[]>(), answer }
    reads.push(pending)
    return pending.promise
  }

  return {
    clock,
    stored,
    reads,
    listeners,
    refreshables,
    publish: (event) => {
      for (const listener of listeners) listener(event)
    },
    commit(details = {}) {
      const event = storedEvent({ sequence: stored.length + 1, position: stored.length * 3 + 1, ...details })
      stored.push(event)
      return event
    },
    async answerRead() {
      const pending = reads.shift()
      pending?.resolve(pending.answer())
      await settle()
    },
    async failRead(error) {
      reads.shift()?.reject(error)
      await settle()
    },
    async refresh() {
      for (const stream of refreshables) stream.refresh()
      await settle()
    },
    open(options = {}) {
      orderOf = options.orderOf ?? orderOf
      return createEventStream({
        read,
        orderOf,
        gapless: true,
        subscribe: (listener) => {
          listeners.add(listener)
          return () => listeners.delete(listener)
        },
        after: 0,
        endsAfter: (event) => event.kind === 'COMPLETED',
        refresher: {
          add: (stream) => {
            refreshables.add(stream)
            return () => refreshables.delete(stream)
          },
        },
        clock,
        stallMs: 1_000,
        ...options,
      })
    },
  }
}

export function storedEvent(details: Partial<StoredEvent> = {}): StoredEvent {
  return {
    generationId: 'gen_1',
    accountId: 'acc_1',
    endUser: null,
    position: 1,
    sequence: 1,
    kind: 'IMAGE_READY',
    status: 'RUNNING',
    previousStatus: null,
    imageId: null,
    message: null,
    problem: null,
    at: FAKE_START,
    ...details,
  }
}

export function passingEvent(details: Partial<PassingEvent> = {}): PassingEvent {
  return {
    kind: 'PROGRESS',
    generationId: 'gen_1',
    accountId: 'acc_1',
    endUser: null,
    sequence: 1,
    progress: 0.5,
    message: null,
    preview: null,
    at: FAKE_START,
    ...details,
  }
}

export function previewEvent(sequence: number, index: number, previewId: string): PassingEvent {
  const preview = { previewId, index, width: null, height: null }
  return passingEvent({ kind: 'PREVIEW', sequence, progress: null, preview })
}

/** Every promise that can settle by itself has settled after it. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
