import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.ts'

/** How often a subject came in its current minute. */
export type Window = { readonly count: number; readonly endsAt: number }

/** Counters by name. In memory, or shared by processes behind the same port. A minute begins with the first count in it. */
export type WindowCounters = {
  /** Counts one, and tells how many there are now. */
  add(subject: string): Promise<Window>
  /** undefined: no minute runs. */
  read(subject: string): Promise<Window | undefined>
}

export const WINDOW_MS = 60_000
const MAX_SUBJECTS = 50_000

/**
 * For one process, in bounded memory: past `maxSubjects`, whoever has not been counted for the longest time begins anew.
 * Callers make one of these for each kind of subject, so that a flood of one kind pushes out none of another.
 */
export function createMemoryCounters(deps: { readonly clock: Clock; readonly maxSubjects?: number }): WindowCounters {
  const { clock, maxSubjects = MAX_SUBJECTS } = deps
  const windows = new LRUCache<string, { count: number; readonly endsAt: number }>({ max: maxSubjects })

  function findRunning(subject: string): { count: number; readonly endsAt: number } | undefined {
    const window = windows.get(subject)
    if (!window) return undefined
    const leftMs = window.endsAt - clock.now()
    // Both ways, or a clock that is set back would make a minute last for as long.
    return leftMs > 0 && leftMs <= WINDOW_MS ? window : undefined
  }

  return {
    async add(subject) {
      const running = findRunning(subject)
      if (running) {
        running.count += 1
        return { ...running }
      }
      const begun = { count: 1, endsAt: clock.now() + WINDOW_MS }
      windows.set(subject, begun)
      return { ...begun }
    },
    async read(subject) {
      const running = findRunning(subject)
      return running && { ...running }
    },
  }
}
