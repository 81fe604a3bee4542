import type { Clock } from '../../clock.ts'
import { ProviderError } from '../provider-error.ts'
import { createAbortion } from './call-failures.ts'

export type Polling = {
  readonly vendor: string
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Between two looks. After a look that failed the pause doubles, up to `maxPauseMs`. */
  readonly pauseMs: number
  readonly maxPauseMs?: number
  /** How long a job may take before it is given up. */
  readonly limitMs: number
  /** Missing: by the clock alone. Where the vendor may end a pause by calling, pauses grow. */
  readonly pause?: ((ms: number, signal: AbortSignal) => Promise<void>) | undefined
}

const MAX_PAUSE_MS = 10_000
/** With a call to be expected; one that never comes delays the end by no more than this. */
const MAX_EXPECTANT_PAUSE_MS = 3_000
const EXPECTANT_GROWTH = 1.5
/** How often in a row a failure that should not pass is heard before it is believed: a page of some proxy is none. */
const HEARINGS = 3

/**
 * Asks until there is an answer. Asking is free and the job is paid for, so a look that fails in a way that may pass (no
 * connection, 429, 5xx) says nothing of the job, and one that fails in another way has to do so again and again. `look`
 * answers undefined while the job runs, and a ProviderError where the job has failed; what it throws is a failure of the
 * look alone. Throws ProviderError.
 */
export async function pollUntilDone<Value>(
  polling: Polling,
  look: () => Promise<Value | ProviderError | undefined>,
): Promise<Value> {
  const { vendor, clock, signal, pauseMs, maxPauseMs = MAX_PAUSE_MS } = polling
  const sleep = polling.pause ?? ((ms: number) => clock.sleep(ms, signal))
  const watch = createStopwatch(clock)
  let pause = pauseMs
  let hearings = 0
  for (;;) {
    if (signal.aborted) throw createAbortion(true)
    const seen = await look().catch((error: unknown) => new FailedLook(error))
    if (signal.aborted) throw createAbortion(true)
    if (seen instanceof ProviderError) throw seen
    if (seen instanceof FailedLook) {
      hearings = seen.mayPass ? hearings : hearings + 1
      if (hearings === HEARINGS || !(seen.error instanceof ProviderError)) throw outOfSight(vendor, seen.error)
      pause = Math.min(Math.max(pause * 2, seen.retryAfterMs), maxPauseMs)
    } else if (seen !== undefined) {
      return seen
    } else {
      pause = polling.pause ? expectant(pause, pauseMs) : pauseMs
      hearings = 0
    }
    if (watch.passedMs() + pause > polling.limitMs) throw tooLong(vendor)
    await sleep(pause, signal)
  }
}

/** Of the time between two readings no more than this is believed: the job is paid for, and the clock may be set anew. */
const MAX_TURN_MS = 120_000

function createStopwatch(clock: Clock) {
  let sumMs = 0
  let latest = clock.now()
  return {
    passedMs(): number {
      const now = clock.now()
      sumMs += Math.min(Math.max(now - latest, 0), MAX_TURN_MS)
      latest = now
      return sumMs
    },
  }
}

function expectant(pause: number, pauseMs: number): number {
  return Math.max(pauseMs, Math.min(pause * EXPECTANT_GROWTH, MAX_EXPECTANT_PAUSE_MS))
}

class FailedLook {
  readonly error: unknown
  readonly mayPass: boolean
  readonly retryAfterMs: number
  constructor(error: unknown) {
    this.error = error
    const isKnown = error instanceof ProviderError
    this.mayPass = isKnown && ['UNAVAILABLE', 'TIMEOUT', 'RATE_LIMITED'].includes(error.kind)
    this.retryAfterMs = isKnown ? (error.retryAfterMs ?? 0) : 0
  }
}

function tooLong(vendor: string): ProviderError {
  const message = `${vendor} took the job and did not finish it in time.`
  return new ProviderError({ kind: 'TIMEOUT', delivery: 'UNKNOWN', message })
}

/** The key was taken back, the job is gone, or it is no longer understood: the job may be done and billed all the same. */
function outOfSight(vendor: string, error: unknown): unknown {
  if (!(error instanceof ProviderError)) return error
  const { kind, providerCode, providerRequestId } = error
  const message = `${vendor} took the job and no longer says what became of it. ${error.message}`
  return new ProviderError({ kind, delivery: 'UNKNOWN', message, providerCode, providerRequestId, cause: error })
}
