import type { Clock } from '../clock.ts'
import type { Logger } from '../logger.ts'

/** Cancels; harmless when it has run or been canceled before. */
export type Cancel = () => void

/**
 * Coarse timers: one sleeping loop for the pings, time limits and expiries of all connections, where a timer of its own
 * for each would be memory and work that ten thousand idle watchers do not deserve.
 */
export type Scheduler = {
  /** Runs once, at most one tick late and never early. */
  after(ms: number, run: () => void): Cancel
  start(): void
  stop(): void
}

export function createScheduler(deps: { clock: Clock; logger: Logger; tickMs?: number }): Scheduler {
  const { clock, logger, tickMs = 500 } = deps
  const ticks = new Map<number, Set<() => void>>()
  const stopped = new AbortController()
  let latest = clock.now()
  let setBackMs = 0

  /** Goes on where the system's clock is set back: by that one, pings would stay away for as long. */
  function elapsed(): number {
    const now = clock.now()
    if (now < latest) setBackMs += latest - now
    latest = now
    return now + setBackMs
  }

  function fire(now: number): void {
    for (const [tick, due] of ticks) {
      if (tick * tickMs > now) continue
      ticks.delete(tick)
      for (const run of due) {
        try {
          run()
        } catch (error) {
          logger.error({ error }, 'A timer of the transport failed.')
        }
      }
    }
  }

  async function loop(): Promise<void> {
    while (!stopped.signal.aborted) {
      await clock.sleep(tickMs, stopped.signal)
      if (!stopped.signal.aborted) fire(elapsed())
    }
  }

  return {
    after(ms, run) {
      const tick = Math.ceil((elapsed() + ms) / tickMs)
      const due = ticks.get(tick) ?? new Set()
      ticks.set(tick, due.add(run))
      return () => void due.delete(run)
    },
    start: () => void loop(),
    stop: () => stopped.abort(),
  }
}
