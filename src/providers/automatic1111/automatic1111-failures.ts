import { ProviderError } from '../provider-error.ts'
import { toEngineFailure } from '../wire/engine-http.ts'
import type { VendorAnswer } from '../wire/vendor-http.ts'
import { readRejection } from './automatic1111-wire.ts'

export function toAnswerFailure(vendor: string, answer: VendorAnswer, now: number): ProviderError {
  return toEngineFailure(vendor, answer, { ...readRejection(answer.json()), now })
}

/** It answers with pictures all the same, half painted, and nothing tells which of them are whole. */
export function createInterruption(vendor: string): ProviderError {
  const message = `${vendor} was told by somebody else to stop this job.`
  return new ProviderError({ kind: 'UNAVAILABLE', delivery: 'ANSWERED', message, providerCode: 'interrupted' })
}
