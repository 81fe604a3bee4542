import type { Clock } from '../clock.ts'
import { RequestError } from '../errors.ts'
import { formatCursor, parseCursor } from '../events/cursor.ts'
import type { EventBus } from '../events/event-bus.ts'
import { createEventStream, type StreamedEvent } from '../events/event-stream.ts'
import type { StreamRefresher } from '../events/stream-refresher.ts'
import type { Database } from '../store/database.ts'
import { findLatestPosition, listEventsOfAccount, listEventsOfGeneration } from '../store/event-store.ts'
import { isTerminal } from './generation-state.ts'
import { toStoredEvent } from './records.ts'
import type { GenerationReader, GenerationWatcher, WatchedEvent } from './services.ts'
import { WatchedStream } from './watched-stream.ts'

export type GenerationWatcherDeps = {
  readonly db: Database
  readonly bus: EventBus
  readonly reader: GenerationReader
  readonly refresher: StreamRefresher
  readonly clock: Clock
  /** A watcher that takes nothing for so long while events wait is ended. */
  readonly stallMs: number
  readonly onLagged: () => void
}

export function createGenerationWatcher(deps: GenerationWatcherDeps): GenerationWatcher {
  const { db, bus, reader } = deps
  const common = { refresher: deps.refresher, clock: deps.clock, stallMs: deps.stallMs, onLagged: deps.onLagged }

  return {
    async watch(viewer, generationId, after) {
      const generation = await reader.find(viewer, generationId)
      if (generation === undefined) throw new RequestError('NOT_FOUND', 'No such generation.')
      const owner = { generationId }
      const sequence = after === null ? 0 : parseCursor(after, owner)
      // A cursor that nobody was given: watching from it would wait for what never comes.
      if (sequence > generation.sequence) {
        throw new RequestError('BAD_USER_INPUT', "The cursor is past the generation's latest event.")
      }
      const stream = createEventStream({
        ...common,
        after: sequence,
        gapless: true,
        orderOf: (event) => event.sequence,
        subscribe: (listener) => bus.subscribe(owner, listener),
        endsAfter: (event) => isTerminal(event.status),
        read: async (afterSequence, limit) =>
          (await listEventsOfGeneration(db.read, { generationId, afterSequence, limit })).map(toStoredEvent),
      })
      return new WatchedStream(stream, (event) => describe(event, formatCursor(owner, stream.delivered), generationId))
    },

    async watchAll(viewer, after) {
      const { accountId, endUser } = viewer
      const owner = { accountId }
      const from = after === null ? await findLatestPosition(db.read, accountId) : parseCursor(after, owner)
      let lastGenerationId: string | undefined
      const stream = createEventStream({
        ...common,
        after: from,
        gapless: false,
        orderOf: (event) => event.position,
        subscribe: (listener) => bus.subscribe({ accountId, endUser }, listener),
        endsAfter: () => false,
        read: async (afterPosition, limit) =>
          (await listEventsOfAccount(db.read, { accountId, endUser, afterPosition, limit })).map(toStoredEvent),
      })
      return new WatchedStream(stream, (event) => {
        if (event.kind !== 'LAGGED') lastGenerationId = event.generationId
        return describe(event, formatCursor(owner, stream.delivered), lastGenerationId)
      })
    },
  }

  /** undefined: its generation has been deleted meanwhile, and there is nothing left to tell. */
  async function describe(
    event: StreamedEvent,
    cursor: string,
    generationId: string | undefined,
  ): Promise<WatchedEvent | undefined> {
    if (generationId === undefined) return undefined
    const sequence = event.kind === 'LAGGED' ? 0 : event.sequence
    const generation = await reader.findAtLeast(generationId, sequence)
    return generation && { event, cursor, generation }
  }
}
