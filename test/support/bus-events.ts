import type { PassingEvent, StoredEvent } from '../../src/events/generation-event.ts'

let position = 0

/** Each at a position of its own, as the log gives them out. */
export function makeStoredEvent(details: Partial<StoredEvent> = {}): StoredEvent {
  position += 1
  return {
    generationId: 'gen_1',
    accountId: 'acc_1',
    endUser: null,
    position,
    sequence: 1,
    kind: 'QUEUED',
    status: 'QUEUED',
    previousStatus: null,
    imageId: null,
    message: null,
    problem: null,
    at: 0,
    ...details,
  }
}

export function makePassingEvent(details: Partial<PassingEvent> = {}): PassingEvent {
  return {
    kind: 'PROGRESS',
    generationId: 'gen_1',
    accountId: 'acc_1',
    endUser: null,
    sequence: 2,
    progress: 0.5,
    message: null,
    preview: null,
    at: 0,
    ...details,
  }
}
