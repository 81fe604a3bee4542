import type { GenerationStatus } from '../store/tables.ts'

/** In the order in which a generation may come to them. */
export const GENERATION_STATUSES = [
  'QUEUED',
  'RUNNING',
  'COMPLETED',
  'FAILED',
  'CANCELED',
] as const satisfies readonly GenerationStatus[]

/** RUNNING goes back to QUEUED for another attempt; terminal states never change. */
export const NEXT_STATUSES = {
  QUEUED: ['RUNNING', 'COMPLETED', 'FAILED', 'CANCELED'],
  RUNNING: ['QUEUED', 'COMPLETED', 'FAILED', 'CANCELED'],
  COMPLETED: [],
  FAILED: [],
  CANCELED: [],
} as const satisfies Record<GenerationStatus, readonly GenerationStatus[]>

export function isTerminal(status: GenerationStatus): boolean {
  return NEXT_STATUSES[status].length === 0
}

/** Throws on a transition that the state machine does not know: a bug in the caller, never the client's fault. */
export function assertTransition(from: GenerationStatus, to: GenerationStatus): void {
  const next: readonly GenerationStatus[] = NEXT_STATUSES[from]
  if (!next.includes(to)) throw new Error(`A generation cannot go from ${from} to ${to}.`)
}
