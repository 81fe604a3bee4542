import { utcDay } from '../ledger/ledger.ts'
import type { StoredInput } from '../references/reference-image.ts'
import type { GenerationRow } from '../store/tables.ts'
import type { Viewer } from '../viewer.ts'
import { GENERATION_PRIORITIES, type GenerationInput } from './generation-types.ts'
import type { ModelChoice } from './model-choice.ts'
import { toJson } from './records.ts'
import { type StoredRequest, writeStoredRequest } from './stored-request.ts'

/** What is the same in every generation that has only been asked for. */
const BEFORE_ANY_ATTEMPT = {
  status: 'QUEUED',
  sequence: 1,
  attemptToken: null,
  imageCount: 0,
  problems: '[]',
  error: null,
  chargedMicros: null,
  providerReportedMicros: null,
  tokens: null,
  startedAt: null,
  finishedAt: null,
  deletedAt: null,
} satisfies Partial<GenerationRow>

/** The row of a generation that is being asked for. A key that came with the request is no part of it. */
export function newGeneration(
  viewer: Viewer,
  { providerApiKey: _, ...input }: GenerationInput,
  { first, fallbacks, estimate, requestedModel, ownKey }: ModelChoice,
  inputs: readonly StoredInput[],
  { id, parentId, now }: { id: string; parentId: string | null; now: number },
): GenerationRow {
  const request: StoredRequest = { input, previews: first.previews, usesMask: first.usesMask, fallbacks, ownKey }
  return {
    ...BEFORE_ANY_ATTEMPT,
    id,
    accountId: viewer.accountId,
    endUser: viewer.endUser ?? input.endUser,
    apiKeyId: viewer.apiKeyId,
    tokenId: viewer.tokenId,
    priority: GENERATION_PRIORITIES.indexOf(input.priority),
    provider: first.provider,
    model: first.modelId,
    keySource: first.keySource,
    requestedModel,
    prompt: input.prompt,
    negativePrompt: first.negativePrompt,
    count: first.count,
    parameters: JSON.stringify(first.parameters),
    request: writeStoredRequest(request),
    inputs: JSON.stringify(inputs),
    price: toJson(first.price),
    warnings: JSON.stringify(first.warnings),
    tags: JSON.stringify(input.tags),
    metadata: toJson(input.metadata),
    estimateMinMicros: estimate?.minMicros ?? null,
    estimateMaxMicros: estimate?.maxMicros ?? null,
    heldMicros: estimate?.maxMicros ?? 0,
    spendDay: utcDay(now),
    parentId,
    webhookUrl: input.webhookUrl,
    createdAt: now,
    deadlineAt: input.deadlineSeconds === null ? null : now + input.deadlineSeconds * 1000,
  }
}
