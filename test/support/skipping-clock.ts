import { type Clock, createSystemClock } from '../../src/clock.ts'

/** Real time that can be moved on: what sleeps goes on sleeping, and wakes in another hour. */
export type SkippingClock = Clock & { moveOn(ms: number): void }

export function createSkippingClock(): SkippingClock {
  const system = createSystemClock()
  let skipped = 0
  return {
    now: () => system.now() + skipped,
    sleep: system.sleep,
    moveOn: (ms) => {
      skipped += ms
    },
  }
}
