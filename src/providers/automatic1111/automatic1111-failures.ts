import { ProviderError } from '../provider-error.ts'
import { toStatusFailure } from '../wire/status-failure.ts'
import type { VendorAnswer } from '../wire/vendor-http.ts'
import { readRejection } from './automatic1111-wire.ts'

/** 404 and 405: it was started without `--api`, or is something else, and took nothing. */
export function toAnswerFailure(vendor: string, { status, headers, json }: VendorAnswer, now: number): ProviderError {
  const { code, words } = readRejection(json())
  const isElsewhere = status === 404 || status === 405
  const refusal = { status, headers, code, message: words, now }
  return toStatusFailure(vendor, isElsewhere ? { ...refusal, kind: 'UNAVAILABLE', delivery: 'NOT_ACCEPTED' } : refusal)
}

/** It answers with pictures all the same, half painted, and nothing tells which of them are whole. */
export function createInterruption(vendor: string): ProviderError {
  const message = `${vendor} was told by somebody else to stop this job.`
  return new ProviderError({ kind: 'UNAVAILABLE', delivery: 'ANSWERED', message, providerCode: 'interrupted' })
}
