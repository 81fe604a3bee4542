import type { Ids } from '../ids.ts'
import type { Logger } from '../logger.ts'

export type FaultReportDeps = {
  readonly logger: Logger
  readonly ids: Pick<Ids, 'token'>
  /** Whether it is a fault that passes. Missing: none is. */
  readonly isPassingFault?: (error: unknown) => boolean
}

/** What callers are told of a failure that is none of theirs. */
export type Fault = {
  readonly code: 'UNAVAILABLE' | 'INTERNAL'
  readonly message: string
  readonly details: { readonly errorId: string; readonly retryAfterMs?: number }
}

const RETRY_AFTER_MS = 1_000

/**
 * Where the place of the data fails for now, the caller is told to come again; all else is a bug. Both are logged under an
 * id, and that id is all that leaves the house.
 */
export function createFaultReport(deps: FaultReportDeps): (error: unknown) => Fault {
  return (error) => {
    const errorId = deps.ids.token()
    if (deps.isPassingFault?.(error)) {
      deps.logger.error({ error, errorId }, 'A request failed because data could not be read or written.')
      const message = 'The server cannot get at its data right now. Try again in a moment.'
      return { code: 'UNAVAILABLE', message, details: { errorId, retryAfterMs: RETRY_AFTER_MS } }
    }
    deps.logger.error({ error, errorId }, 'An unexpected error was masked.')
    return { code: 'INTERNAL', message: 'Unexpected error.', details: { errorId } }
  }
}
