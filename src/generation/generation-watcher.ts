import type { Clock } from '../clock.ts'
import { RequestError } from '../errors.ts'
import { formatCursor, parseCursor } from '../events/cursor.ts'
import type { EventBus } from '../events/event-bus.ts'
import { createEventStream, type StreamedEvent } from '../events/event-stream.ts'
import type { StoredEvent } from '../events/generation-event.ts'
import { isStored } from '../events/generation-event.ts'
import type { StreamRefresher } from '../events/stream-refresher.ts'
import type { Database } from '../store/database.ts'
import { findLatestPosition, listEventsOfAccount, listEventsOfGeneration } from '../store/event-store.ts'
import { findGeneration } from '../store/generation-store.ts'
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
      if (generation === undefined) throw noSuchGeneration()
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
        read: (afterSequence, limit) => readEvents(generationId, afterSequence, limit),
      })
      return new WatchedStream(stream, (event) => {
        const at = isLogged(event) ? event.sequence : stream.delivered
        return describe(event, formatCursor(owner, at), generationId)
      })
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
        const position = isLogged(event) ? event.position : stream.delivered
        return describe(event, formatCursor(owner, position), lastGenerationId)
      })
    },
  }

  /** A log that shows nothing new may have gone with its generation, and then nobody will ever write its end. */
  async function readEvents(generationId: string, afterSequence: number, limit: number): Promise<StoredEvent[]> {
    const rows = await listEventsOfGeneration(db.read, { generationId, afterSequence, limit })
    if (rows.length === 0) {
      const generation = await findGeneration(db.read, generationId)
      if (generation === undefined || generation.deletedAt !== null) throw noSuchGeneration()
    }
    return rows.map(toStoredEvent)
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

/** Its own place in the log is the cursor: whoever asked for several events at once may be ahead of this one already. */
function isLogged(event: StreamedEvent): event is StoredEvent {
  return event.kind !== 'LAGGED' && isStored(event)
}

function noSuchGeneration(): RequestError {
  return new RequestError('NOT_FOUND', 'No such generation.')
}
