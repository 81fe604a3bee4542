import type { Clock } from '../clock.ts'
import type { ProviderHealth } from '../generation/services.ts'
import type { ProviderError } from '../providers/provider-error.ts'
import { createRateWindow, type RateWindow } from './rate-window.ts'

/**
 * What keeps a provider from being asked too much: a bound on attempts at a time and in a minute, a pause when it says
 * that it has had enough, and a circuit that opens when it fails again and again and lets one attempt through now and
 * then to see whether it is back.
 */
export type ProviderGate = {
  /** Providers that take no further attempt now. */
  busy(): readonly string[]
  enter(providerId: string): void
  leave(providerId: string): void
  succeeded(providerId: string): void
  failed(providerId: string, error: ProviderError): void
  health(providerId: string): ProviderHealth
}

export type GateLimits = {
  readonly concurrency: number
  /** Attempts that begin within a minute; null: as many as come. */
  readonly requestsPerMinute: number | null
}

/** In a row, and of the kinds that are the provider's own fault. */
const FAILURES_TO_DEGRADE = 3
const FAILURES_TO_OPEN = 6
const OPEN_MS = 30_000
/** How long a provider that is asked too much is left alone where it does not say, and at most where it does. */
const PAUSE_MS = 2_000
const MAX_PAUSE_MS = 60_000

type Circuit = {
  readonly limits: GateLimits
  readonly rate: RateWindow | null
  running: number
  failures: number
  since: number | null
  openUntil: number
  pausedUntil: number
  message: string | null
  seen: boolean
}

export function createProviderGate(deps: {
  clock: Clock
  /** By provider id. */
  limits: ReadonlyMap<string, GateLimits>
}): ProviderGate {
  const { clock } = deps
  const circuits = new Map([...deps.limits].map(([id, limits]) => [id, createCircuit(limits, clock)]))

  const circuitOf = (providerId: string): Circuit => {
    const known = circuits.get(providerId)
    if (known) return known
    // A job of a provider that was taken out of the configuration: it ends at once.
    const circuit = createCircuit({ concurrency: 1, requestsPerMinute: null }, clock)
    circuits.set(providerId, circuit)
    return circuit
  }

  return {
    busy: () => [...circuits].filter(([, circuit]) => !mayEnter(circuit)).map(([id]) => id),
    enter(providerId) {
      const circuit = circuitOf(providerId)
      circuit.running += 1
      circuit.rate?.take()
    },
    leave(providerId) {
      circuitOf(providerId).running -= 1
    },
    succeeded: reset,
    failed(providerId, error) {
      const circuit = circuitOf(providerId)
      if (error.kind === 'RATE_LIMITED') return pause(circuit, error)
      // A refusal or a bad request says nothing against the provider: it answered.
      if (isAnswer(error)) return reset(providerId)
      circuit.seen = true
      if (!isProvidersFault(error)) return
      circuit.failures += 1
      circuit.message = ownWordsOf(error)
      if (circuit.failures === FAILURES_TO_DEGRADE) circuit.since = clock.now()
      if (circuit.failures >= FAILURES_TO_OPEN) circuit.openUntil = clock.now() + OPEN_MS
    },
    health(providerId) {
      const circuit = circuitOf(providerId)
      const state = stateOf(circuit)
      const isTroubled = state === 'DEGRADED' || state === 'DOWN'
      return { state, since: isTroubled ? circuit.since : null, message: isTroubled ? circuit.message : null }
    },
  }

  function reset(providerId: string): void {
    const circuit = circuitOf(providerId)
    Object.assign(circuit, { failures: 0, since: null, openUntil: 0, message: null, seen: true })
  }

  /** Every other job would be told the same. */
  function pause(circuit: Circuit, error: ProviderError): void {
    const now = clock.now()
    const until = now + Math.min(error.retryAfterMs ?? PAUSE_MS, MAX_PAUSE_MS)
    if (now >= circuit.pausedUntil && circuit.failures < FAILURES_TO_DEGRADE) circuit.since = now
    circuit.pausedUntil = Math.max(circuit.pausedUntil, until)
    circuit.message = ownWordsOf(error)
    circuit.seen = true
  }

  /** Open: nothing until the time is over; then one attempt at a time until one succeeds. */
  function mayEnter(circuit: Circuit): boolean {
    if (clock.now() < circuit.pausedUntil || circuit.rate?.isFull()) return false
    if (circuit.failures < FAILURES_TO_OPEN) return circuit.running < circuit.limits.concurrency
    return circuit.running === 0 && clock.now() >= circuit.openUntil
  }

  /** DOWN only while the circuit is open: the attempt that looks whether it is back must be let in. */
  function stateOf(circuit: Circuit): ProviderHealth['state'] {
    if (!circuit.seen) return 'UNKNOWN'
    if (circuit.failures >= FAILURES_TO_OPEN && clock.now() < circuit.openUntil) return 'DOWN'
    return circuit.failures >= FAILURES_TO_DEGRADE || clock.now() < circuit.pausedUntil ? 'DEGRADED' : 'UP'
  }
}

/** Everybody sees how a provider does. What it says may quote the request of whoever it was said to. */
function ownWordsOf({ message }: ProviderError): string {
  return message.replace(/ It says: .*$/s, '')
}

function isAnswer({ kind, delivery }: ProviderError): boolean {
  return delivery === 'ANSWERED' && (kind === 'REFUSED' || kind === 'INVALID_REQUEST')
}

function isProvidersFault({ kind }: ProviderError): boolean {
  return kind === 'UNAVAILABLE' || kind === 'TIMEOUT' || kind === 'UNAUTHORIZED' || kind === 'QUOTA_EXHAUSTED'
}

function createCircuit(limits: GateLimits, clock: Clock): Circuit {
  const { requestsPerMinute } = limits
  const rate = requestsPerMinute === null ? null : createRateWindow(clock, requestsPerMinute)
  const untroubled = { failures: 0, since: null, openUntil: 0, pausedUntil: 0, message: null, seen: false }
  return { ...untroubled, limits, rate, running: 0 }
}
