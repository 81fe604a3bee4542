import { createHash } from 'node:crypto'
import { Secret } from '../secret.ts'
import type { GenerationInput } from './generation-types.ts'
import type { PricedPlan } from './model-choice.ts'

/** A key that came with the request is not kept with it. */
export type StoredInput = Omit<GenerationInput, 'providerApiKey'>

/** What the column `request` holds: enough to retry as asked and to go on with the next model. */
export type StoredRequest = {
  readonly input: StoredInput
  /** Of the plan that runs. */
  readonly previews: number
  readonly usesMask: boolean
  /** Models that have not been asked yet, planned and priced when the generation was admitted. */
  readonly fallbacks: readonly PricedPlan[]
  /** A key of the caller's own was to pay: what is made of this request must not cost credits. */
  readonly ownKey: boolean
}

type Optional = {
  [Field in keyof StoredInput]: null extends StoredInput[Field] ? Field : never
}[keyof StoredInput]

/** What was not asked is not written: half of every row would be nulls. */
const NOTHING_ASKED: { readonly [Field in Optional]: null } = {
  model: null,
  provider: null,
  negativePrompt: null,
  width: null,
  height: null,
  size: null,
  aspectRatio: null,
  quality: null,
  style: null,
  background: null,
  outputFormat: null,
  outputCompression: null,
  seed: null,
  guidanceScale: null,
  enhancePrompt: null,
  watermark: null,
  referenceImages: null,
  mask: null,
  maxCost: null,
  deadlineSeconds: null,
  idempotencyKey: null,
  providerOptions: null,
  webhookUrl: null,
  metadata: null,
  endUser: null,
}

export function writeStoredRequest(request: StoredRequest): string {
  const { input, ownKey, ...rest } = request
  return JSON.stringify({ ...rest, input: asked(input), ...(ownKey && { ownKey }) })
}

export function readStoredRequest(text: string): StoredRequest {
  const request: Omit<StoredRequest, 'usesMask' | 'ownKey'> & Partial<StoredRequest> = JSON.parse(text)
  return { usesMask: false, ownKey: false, ...request, input: { ...NOTHING_ASKED, ...request.input } }
}

function asked(input: StoredInput): object {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== null && !(value instanceof Secret)))
}

/**
 * Of what was asked, whatever order its fields came in: the same hash under one idempotency key is the same request. A
 * key that came with it counts by its digest, which tells nothing to whoever has not the server's secret.
 */
export function hashRequest(input: StoredInput, parentId: string | null, keyDigest: string | null = null): string {
  // A field that a later version adds is null in today's requests, and must not make them other requests.
  return createHash('sha256')
    .update(canonicalJson({ ...asked({ ...input, idempotencyKey: null }), parentId, ...(keyDigest && { keyDigest }) }))
    .digest('hex')
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([left], [right]) => (left < right ? -1 : 1)))
      : inner,
  )
}
