import { createHash } from 'node:crypto'
import type { GenerationInput } from './generation-types.ts'
import type { PricedPlan } from './model-choice.ts'

/** What the column `request` holds: enough to retry as asked and to go on with the next model. */
export type StoredRequest = {
  readonly input: GenerationInput
  /** Of the plan that runs. */
  readonly previews: number
  /** Models that have not been asked yet, planned and priced when the generation was admitted. */
  readonly fallbacks: readonly PricedPlan[]
}

export function readStoredRequest(text: string): StoredRequest {
  return JSON.parse(text)
}

/** Of what was asked, whatever order its fields came in: the same hash under one idempotency key is the same request. */
export function hashRequest(input: GenerationInput, parentId: string | null): string {
  const { idempotencyKey: _, ...asked } = input
  return createHash('sha256')
    .update(canonicalJson({ ...asked, parentId }))
    .digest('hex')
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([left], [right]) => (left < right ? -1 : 1)))
      : inner,
  )
}
