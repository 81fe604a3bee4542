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

export type TimeLimit = {
  /** Aborts when the time is over, or with the outer signal. */
  readonly signal: AbortSignal
  /** Is it the time that is over? */
  isOver(): boolean
  /** Call it when the work has ended, or a timer stays behind. */
  close(): void
}

/** A signal that aborts after `ms` by the given clock, so that a test of a time-out need not wait for one. */
export function openTimeLimit(clock: Clock, ms: number, outer?: AbortSignal): TimeLimit {
  const ended = new AbortController()
  const limit = new AbortController()
  let over = false
  void clock.sleep(ms, ended.signal).then(() => {
    if (ended.signal.aborted) return
    over = true
    limit.abort(new DOMException('The time is over.', 'TimeoutError'))
  })
  return {
    signal: outer ? AbortSignal.any([outer, limit.signal]) : limit.signal,
    isOver: () => over,
    close: () => ended.abort(),
  }
}
