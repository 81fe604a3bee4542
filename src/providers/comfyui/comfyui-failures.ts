import { ProviderError } from '../provider-error.ts'
import { toEngineFailure } from '../wire/engine-http.ts'
import type { VendorAnswer } from '../wire/vendor-http.ts'
import { quoteVendor } from '../wire/vendor-words.ts'
import { type RunFailure, readRejection } from './comfyui-wire.ts'

export function toAnswerFailure(vendor: string, answer: VendorAnswer, now: number): ProviderError {
  return toEngineFailure(vendor, answer, { ...readRejection(answer.json()), now })
}

export function toRunFailure(vendor: string, { what, code, words }: RunFailure, promptId: string): ProviderError {
  const message =
    what === 'INTERRUPTED'
      ? `${vendor} was told by somebody else to stop this job.`
      : `${vendor} took the job and failed at it.${quoteVendor(words)}`
  return ended({ kind: 'UNAVAILABLE', message, providerCode: code, providerRequestId: promptId })
}

/**
 * Neither in its queue nor in its history, both of which are in memory. The job was asked for by its id, so its outcome
 * is known: nothing runs any more, and nothing will come of it. What it may have left on disk is told to nobody.
 */
export function createForgotten(vendor: string, promptId: string): ProviderError {
  const message = `${vendor} no longer knows the job: it was started anew, or somebody removed the job.`
  return ended({ kind: 'UNAVAILABLE', message, providerRequestId: promptId })
}

export function createLostPicture(vendor: string, promptId: string): ProviderError {
  const message = `${vendor} made a picture that could not be fetched from it.`
  return ended({ kind: 'BAD_OUTPUT', message, providerRequestId: promptId })
}

function ended(details: {
  readonly kind: 'UNAVAILABLE' | 'BAD_OUTPUT'
  readonly message: string
  readonly providerCode?: string | null
  readonly providerRequestId: string
}): ProviderError {
  return new ProviderError({ delivery: 'ANSWERED', ...details })
}
