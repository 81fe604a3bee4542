import { type Delivery, ProviderError, type ProviderErrorKind } from '../provider-error.ts'

export const STAGES = ['before-send', 'submit', 'running', 'output'] as const
/**
 * Where a call ends: before anything is sent, at the vendor's answer to it, while the job runs, or when the finished
 * pictures are fetched.
 */
export type Stage = (typeof STAGES)[number]

const MESSAGES: Record<ProviderErrorKind, string> = {
  REFUSED: 'The sandbox declines the content of this prompt, as it was told to.',
  RATE_LIMITED: 'The sandbox takes no more requests for now, as it was told to say.',
  UNAVAILABLE: 'The sandbox is down, as it was told to be.',
  TIMEOUT: 'The sandbox took too long, as it was told to.',
  INVALID_REQUEST: 'The sandbox does not understand this request, as it was told to say.',
  UNAUTHORIZED: 'The sandbox does not accept the key, as it was told to say.',
  QUOTA_EXHAUSTED: 'The quota at the sandbox is used up, as it was told to say.',
  MODEL_RETIRED: 'The sandbox has retired this model, as it was told to say.',
  BAD_OUTPUT: 'The sandbox handed back what is no picture, as it was told to.',
}

export const FAILURE_KINDS = Object.keys(MESSAGES) as readonly ProviderErrorKind[]

/** Turned away at the door; everything else is an answer to a request that was read. */
const NOT_TAKEN: ReadonlySet<ProviderErrorKind> = new Set([
  'RATE_LIMITED',
  'UNAVAILABLE',
  'UNAUTHORIZED',
  'QUOTA_EXHAUSTED',
  'MODEL_RETIRED',
])

export function stageOf(kind: ProviderErrorKind): Stage {
  if (kind === 'BAD_OUTPUT') return 'output'
  return kind === 'TIMEOUT' ? 'running' : 'submit'
}

export function createStagedFailure(details: {
  readonly kind: ProviderErrorKind
  readonly stage: Stage
  readonly retryAfterMs: number | null
  readonly requestId: string
}): ProviderError {
  const { kind, stage, retryAfterMs, requestId } = details
  const delivery = deliveryOf(kind, stage)
  return new ProviderError({
    kind,
    delivery,
    message: MESSAGES[kind],
    retryAfterMs,
    providerCode: `sandbox_${kind.toLowerCase()}`,
    providerRequestId: stage === 'before-send' ? null : requestId,
    ...(stage === 'output' && { providerBilled: true }),
  })
}

function deliveryOf(kind: ProviderErrorKind, stage: Stage): Delivery {
  if (stage === 'before-send') return 'NOT_SENT'
  if (stage !== 'submit') return 'ANSWERED'
  if (kind === 'TIMEOUT') return 'UNKNOWN'
  return NOT_TAKEN.has(kind) ? 'NOT_ACCEPTED' : 'ANSWERED'
}

/** Refused by the adapter itself: nothing was sent. */
export function createInvalidRequest(message: string): ProviderError {
  return new ProviderError({ kind: 'INVALID_REQUEST', delivery: 'NOT_SENT', message })
}

export function createConnectionLoss(): ProviderError {
  const message = 'The connection was lost after the request was sent, as the sandbox was told to lose it.'
  return new ProviderError({ kind: 'UNAVAILABLE', delivery: 'UNKNOWN', message, providerCode: 'sandbox_unknown' })
}

export function createAbortion(delivery: Delivery): ProviderError {
  return new ProviderError({
    kind: 'TIMEOUT',
    delivery,
    message: 'The call was ended before the sandbox had answered.',
  })
}

export function createCancellation(requestId: string): ProviderError {
  const message = 'The job was canceled at the sandbox.'
  const code = { providerCode: 'sandbox_canceled', providerRequestId: requestId }
  return new ProviderError({ kind: 'UNAVAILABLE', delivery: 'ANSWERED', message, ...code })
}
