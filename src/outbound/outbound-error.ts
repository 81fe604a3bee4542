/**
 * FORBIDDEN: an address, scheme or redirect that is not fetched from here. UNREACHABLE: no connection, or it broke.
 * TIMEOUT, TOO_LARGE: our own bounds. STATUS: the server answered with another status than 200. ABORTED: by the caller.
 */
export type OutboundFault = 'FORBIDDEN' | 'UNREACHABLE' | 'TIMEOUT' | 'TOO_LARGE' | 'STATUS' | 'ABORTED'

/** The message names neither the address nor what was answered: it may be shown to whoever gave us the URL. */
export class OutboundError extends Error {
  override readonly name = 'OutboundError'
  readonly fault: OutboundFault
  /** With STATUS. */
  readonly status: number | null
  constructor(fault: OutboundFault, message: string, details: { status?: number; cause?: unknown } = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.fault = fault
    this.status = details.status ?? null
  }
}
