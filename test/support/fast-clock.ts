import { type Clock, createSystemClock } from '../../src/clock.ts'

/**
 * A clock that runs `factor` times as fast as time: what would wait a second waits some milliseconds, and nothing has to
 * be told so. Give long leases beside it, since a lease runs as fast.
 */
export function createFastClock(factor: number): Clock {
  const system = createSystemClock()
  const start = system.now()
  return {
    now: () => Math.round(start + (system.now() - start) * factor),
    sleep: (ms, signal) => system.sleep(ms / factor, signal),
  }
}
