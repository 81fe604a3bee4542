import { ProviderError } from '../provider-error.ts'

/** Failures that mean the same whoever is called. */

/** The request is none that this vendor or this model can be sent. */
export function createUnsendable(message: string, cause?: unknown): ProviderError {
  return new ProviderError({ kind: 'INVALID_REQUEST', delivery: 'NOT_SENT', message, cause })
}

/** The call was ended from our side. `sent`: something billable has left already. */
export function createAbortion(sent: boolean): ProviderError {
  const delivery = sent ? 'UNKNOWN' : 'NOT_SENT'
  return new ProviderError({ kind: 'UNAVAILABLE', delivery, message: 'The call was ended before it was over.' })
}

/** Throws where the caller no longer wants it. */
export function assertWanted(signal: AbortSignal, sent: boolean): void {
  if (signal.aborted) throw createAbortion(sent)
}

/** A successful answer that is not what the vendor promises: made and paid for, as far as one can tell, and lost. */
export function createMisunderstanding(vendor: string, requestId: string | null): ProviderError {
  const message = `${vendor} answered with something that is not what it promises to answer.`
  return new ProviderError({
    kind: 'BAD_OUTPUT',
    delivery: 'ANSWERED',
    message,
    providerRequestId: requestId,
    providerBilled: null,
  })
}
