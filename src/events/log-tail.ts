import type { Clock } from '../clock.ts'
import type { StoredEvent } from './generation-event.ts'

/** The event log over all accounts, in order of position. */
export type LogReader = {
  /** The last `limit` events. */
  latest(limit: number): Promise<readonly StoredEvent[]>
  /** At most `limit` events that stand behind `position`, or at one of `holes`. */
  after(position: number, holes: readonly number[], limit: number): Promise<readonly StoredEvent[]>
}

export type LogTail = {
  /** Hands on whatever is new in the log, in one query for however many watchers. Rejects when the log cannot be read. */
  look(): Promise<void>
  /** Nobody listens: what comes until the next look is of no interest. */
  rest(): void
}

const LIMIT = 500
/** More than are committed between a watcher's first look at the log and the tail's. */
const FIRST_LIMIT = 200
const MAX_HOLES = 500
/** Longer than a transaction may take. */
const HOLE_MS = 12_000

/**
 * Positions are given out before the commit, so on PostgreSQL a later one may be seen first. What is left out is looked for
 * until no transaction can fill it any more; what a rollback has left open never is.
 */
export function createLogTail(deps: {
  readonly log: LogReader
  readonly clock: Pick<Clock, 'now'>
  readonly deliver: (event: StoredEvent) => void
}): LogTail {
  const { log, clock, deliver } = deps
  /** Position of the last event that was seen; null: none yet. */
  let last: number | null = null
  /** By position, since when it is missing; the oldest come first. */
  const holes = new Map<number, number>()

  function take(events: readonly StoredEvent[]): void {
    for (const event of events) {
      holes.delete(event.position)
      if (last === null) last = event.position
      for (let hole = Math.max(last + 1, event.position - MAX_HOLES); hole < event.position; hole++) {
        holes.set(hole, clock.now())
      }
      last = Math.max(last, event.position)
      deliver(event)
    }
  }

  function forgetHoles(): void {
    for (const [position, since] of holes) {
      if (holes.size <= MAX_HOLES && clock.now() - since < HOLE_MS) return
      holes.delete(position)
    }
  }

  return {
    async look() {
      if (last === null) {
        take(await log.latest(FIRST_LIMIT))
        last ??= 0
        return
      }
      for (;;) {
        forgetHoles()
        const events = await log.after(last, [...holes.keys()], LIMIT)
        take(events)
        if (events.length < LIMIT) return
      }
    },
    rest() {
      last = null
      holes.clear()
    },
  }
}
