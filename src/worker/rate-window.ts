import type { Clock } from '../clock.ts'

/** Counts what begins within any minute. */
export type RateWindow = { isFull(): boolean; take(): void }

const WINDOW_MS = 60_000

export function createRateWindow(clock: Clock, limit: number): RateWindow {
  // Beginnings of the last minute, oldest first: never more than the limit, since nothing is taken from a full one.
  const begun: number[] = []
  const forget = () => {
    while (begun[0] !== undefined && begun[0] <= clock.now() - WINDOW_MS) begun.shift()
  }
  return {
    isFull() {
      forget()
      return begun.length >= limit
    },
    take() {
      forget()
      begun.push(clock.now())
    },
  }
}
