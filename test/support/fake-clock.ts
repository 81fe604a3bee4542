import type { Clock } from '../../src/clock.ts'

export type FakeClock = Clock & {
  /** Moves time on and wakes the sleepers whose time comes, in order, each at its own moment and with what it starts. */
  advance(ms: number): Promise<void>
  /** How many wait in `sleep`. */
  sleepers(): number
}

type Sleeper = { readonly wakeAt: number; wake(): void }

/** 2026-01-01T00:00:00Z: a day's beginning, so that tests of UTC days can count from it. */
export const FAKE_START = Date.UTC(2026, 0, 1)

export function createFakeClock(start: number = FAKE_START): FakeClock {
  let now = start
  const sleepers = new Set<Sleeper>()

  function nextDue(until: number): Sleeper | undefined {
    let next: Sleeper | undefined
    for (const sleeper of sleepers) {
      if (sleeper.wakeAt <= until && (!next || sleeper.wakeAt < next.wakeAt)) next = sleeper
    }
    return next
  }

  return {
    now: () => now,
    sleep(ms, signal) {
      if (signal?.aborted) return Promise.resolve()
      return new Promise<void>((resolve) => {
        const wake = () => {
          sleepers.delete(sleeper)
          signal?.removeEventListener('abort', wake)
          resolve()
        }
        const sleeper: Sleeper = { wakeAt: now + Math.max(0, ms), wake }
        sleepers.add(sleeper)
        signal?.addEventListener('abort', wake, { once: true })
      })
    },
    async advance(ms) {
      const until = now + ms
      await settle()
      for (let due = nextDue(until); due; due = nextDue(until)) {
        now = due.wakeAt
        due.wake()
        await settle()
      }
      now = until
    },
    sleepers: () => sleepers.size,
  }
}

/** Two turns of the event loop: microtasks, and work that was put off with `setImmediate`, are through after it. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
}
