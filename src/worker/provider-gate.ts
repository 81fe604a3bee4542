import type { Clock } from '../clock.ts'
import type { ProviderHealth } from '../generation/services.ts'
import type { ProviderError } from '../providers/provider-error.ts'

/**
 * What keeps a provider from being asked too much: a bound on calls at a time, and a circuit that opens when it fails
 * again and again and lets one call through now and then to see whether it is back.
 */
export type ProviderGate = {
  /** Providers that take no further call now. */
  busy(): readonly string[]
  enter(providerId: string): void
  leave(providerId: string): void
  succeeded(providerId: string): void
  failed(providerId: string, error: ProviderError): void
  health(providerId: string): ProviderHealth
}

/** In a row, and of the kinds that are the provider's own fault. */
const FAILURES_TO_DEGRADE = 3
const FAILURES_TO_OPEN = 6
const OPEN_MS = 30_000

type Circuit = {
  running: number
  failures: number
  since: number | null
  openUntil: number
  message: string | null
  seen: boolean
}

export function createProviderGate(deps: {
  clock: Clock
  concurrency: number
  providerIds: readonly string[]
}): ProviderGate {
  const { clock, concurrency } = deps
  const circuits = new Map<string, Circuit>(deps.providerIds.map((id) => [id, newCircuit()]))

  const circuitOf = (providerId: string): Circuit => {
    const known = circuits.get(providerId)
    if (known) return known
    const circuit = newCircuit()
    circuits.set(providerId, circuit)
    return circuit
  }

  return {
    busy: () => [...circuits].filter(([, circuit]) => !mayEnter(circuit)).map(([id]) => id),
    enter(providerId) {
      circuitOf(providerId).running += 1
    },
    leave(providerId) {
      circuitOf(providerId).running -= 1
    },
    succeeded: reset,
    failed(providerId, error) {
      // A refusal or a bad request says nothing against the provider: it answered.
      if (isAnswer(error)) return reset(providerId)
      const circuit = circuitOf(providerId)
      circuit.seen = true
      if (!isProvidersFault(error)) return
      circuit.failures += 1
      circuit.message = error.message
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
    Object.assign(circuit, { ...newCircuit(), running: circuit.running, seen: true })
  }

  /** Open: nothing until the time is over; then one call at a time until one succeeds. */
  function mayEnter(circuit: Circuit): boolean {
    if (circuit.failures < FAILURES_TO_OPEN) return circuit.running < concurrency
    return circuit.running === 0 && clock.now() >= circuit.openUntil
  }

  /** DOWN only while the circuit is open: the call that looks whether it is back must be let in. */
  function stateOf(circuit: Circuit): ProviderHealth['state'] {
    if (!circuit.seen) return 'UNKNOWN'
    if (circuit.failures >= FAILURES_TO_OPEN && clock.now() < circuit.openUntil) return 'DOWN'
    return circuit.failures >= FAILURES_TO_DEGRADE ? 'DEGRADED' : 'UP'
  }
}

function isAnswer({ kind, delivery }: ProviderError): boolean {
  return delivery === 'ANSWERED' && (kind === 'REFUSED' || kind === 'INVALID_REQUEST')
}

function isProvidersFault({ kind }: ProviderError): boolean {
  return kind === 'UNAVAILABLE' || kind === 'TIMEOUT' || kind === 'UNAUTHORIZED' || kind === 'QUOTA_EXHAUSTED'
}

function newCircuit(): Circuit {
  return { running: 0, failures: 0, since: null, openUntil: 0, message: null, seen: false }
}
