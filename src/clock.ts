import { setTimeout as delay } from 'node:timers/promises'

/** Time as an argument, so that a lease running out is a unit test of one millisecond. */
export type Clock = {
  /** Milliseconds since 1970 in UTC. */
  now(): number
  /** Resolves after `ms`, or as soon as `signal` aborts; never rejects, so a loop just looks at its signal again. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export function createSystemClock(): Clock {
  return {
    now: () => Date.now(),
    sleep: (ms, signal) => delay(ms, undefined, signal ? { signal } : {}).catch(() => undefined),
  }
}
