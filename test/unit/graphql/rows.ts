import type { StoredEvent } from '../../../src/events/generation-event.ts'
import type { Attempt, Generation, Image, Problem } from '../../../src/generation/generation-types.ts'
import type { Estimate } from '../../../src/generation/services.ts'
import type { Account, ApiKey } from '../../../src/identity/account-types.ts'
import { type GenerationParameters, type Model, NO_CAPABILITIES } from '../../../src/providers/model.ts'
import type { Upload } from '../../../src/references/uploads.ts'
import type { Viewer } from '../../../src/viewer.ts'

/** Rows as the services give them out; a test changes what it is about. */

const START = Date.UTC(2026, 0, 1)

export const VIEWER: Viewer = {
  accountId: 'acc_1',
  apiKeyId: 'key_1',
  tokenId: null,
  endUser: null,
  scopes: ['generate', 'read', 'admin'],
  models: null,
  tokenMaxSpendMicros: null,
  keyDailySpendMicros: null,
  expiresAt: null,
}

export const ACCOUNT: Account = {
  id: 'acc_1',
  name: 'Fox & Sons',
  billing: 'PREPAID',
  balanceMicros: 2_500_000,
  heldMicros: 40_000,
  requestsPerMinute: 60,
  concurrentGenerations: 4,
  subscriptions: 10,
  dailySpendMicros: null,
}

export const MODEL: Model = {
  id: 'sandbox/painter',
  provider: 'sandbox',
  providerModel: 'painter',
  name: 'Painter',
  description: 'Paints.',
  aliases: [{ name: 'painter-wide', parameters: { aspectRatio: '16:9' } }],
  lifecycle: { state: 'ACTIVE', retiresAt: null, replacement: null, note: null },
  capabilities: { ...NO_CAPABILITIES, maxCount: 10, outputFormats: ['PNG'] },
  nativeFormats: ['PNG'],
  wire: {},
  prices: [{ unit: 'IMAGE', size: null, quality: null, usd: '0.04', asOf: START, source: 'A price list.' }],
  tokenEstimates: [],
}

export const PARAMETERS: GenerationParameters = {
  width: 1024,
  height: 1024,
  aspectRatio: null,
  quality: null,
  style: null,
  background: null,
  outputFormat: 'PNG',
  outputCompression: null,
  seed: 9_007_199_254_740_991,
  guidanceScale: null,
  enhancePrompt: null,
  watermark: null,
  referenceImages: 0,
  providerOptions: null,
}

export function generation(given: Partial<Generation> = {}): Generation {
  return {
    id: 'gen_1',
    accountId: 'acc_1',
    endUser: null,
    status: 'QUEUED',
    sequence: 1,
    priority: 1,
    provider: 'sandbox',
    model: 'sandbox/painter',
    keySource: 'SERVER',
    requestedModel: 'painter',
    prompt: 'a red fox in snow',
    negativePrompt: null,
    count: 1,
    parameters: PARAMETERS,
    problems: [],
    error: null,
    warnings: [],
    tags: ['fox'],
    metadata: { order: 17 },
    estimateMinMicros: 40_000,
    estimateMaxMicros: 40_000,
    heldMicros: 40_000,
    chargedMicros: null,
    providerReportedMicros: null,
    tokens: null,
    parentId: null,
    createdAt: START,
    startedAt: null,
    finishedAt: null,
    deadlineAt: null,
    ...given,
  }
}

export function image(given: Partial<Image> = {}): Image {
  return {
    id: 'img_1',
    generationId: 'gen_1',
    accountId: 'acc_1',
    imageIndex: 0,
    blobKey: 'aa/bb',
    mimeType: 'image/png',
    width: 1024,
    height: 1024,
    sizeBytes: 1234,
    sha256: 'ab'.repeat(32),
    thumbhash: 'AAAA',
    revisedPrompt: null,
    seed: 7,
    createdAt: START,
    ...given,
  }
}

export function attempt(given: Partial<Attempt> = {}): Attempt {
  return {
    id: 'att_1',
    generationId: 'gen_1',
    number: 1,
    provider: 'sandbox',
    model: 'sandbox/painter',
    phase: 'DONE',
    outcome: 'SUCCEEDED',
    problem: null,
    providerRequestId: null,
    providerJobId: null,
    startedAt: START,
    finishedAt: START + 5,
    ...given,
  }
}

export function apiKey(given: Partial<ApiKey> = {}): ApiKey {
  return {
    id: 'key_1',
    accountId: 'acc_1',
    name: 'web shop',
    prefix: 'pk_ab12',
    scopes: ['generate', 'read'],
    dailySpendMicros: null,
    createdAt: START,
    lastUsedAt: null,
    expiresAt: null,
    revokedAt: null,
    ...given,
  }
}

export function upload(given: Partial<Upload> = {}): Upload {
  return {
    id: 'upl_1',
    accountId: 'acc_1',
    endUser: null,
    blobKey: 'uploads/upl_1/abc.png',
    mimeType: 'image/png',
    width: 640,
    height: 480,
    sizeBytes: 1_000,
    sha256: 'abc',
    createdAt: START,
    expiresAt: START + 86_400_000,
    ...given,
  }
}

export function storedEvent(given: Partial<StoredEvent> = {}): StoredEvent {
  return {
    generationId: 'gen_1',
    accountId: 'acc_1',
    endUser: null,
    position: 100,
    sequence: 1,
    kind: 'QUEUED',
    status: 'QUEUED',
    previousStatus: null,
    imageId: null,
    message: null,
    problem: null,
    at: START,
    ...given,
  }
}

export const PROBLEM: Problem = {
  code: 'REFUSED',
  message: 'The provider declined the content.',
  stage: 'PROVIDER',
  retryable: false,
  billed: false,
  providerBilled: null,
  imageIndex: null,
  providerCode: 'content_policy',
  providerRequestId: 'req-9',
}

export const ESTIMATE: Estimate = {
  model: MODEL,
  total: { minMicros: 40_000, maxMicros: 80_000 },
  perImage: { minMicros: 40_000, maxMicros: 80_000 },
  lines: [{ label: 'Images', quantity: '1', unit: 'IMAGE', unitPriceMicros: 80_000, totalMicros: 80_000 }],
  parameters: PARAMETERS,
  warnings: [],
  ownKey: false,
  providerPrice: null,
  balanceMicros: 2_460_000,
  affordable: true,
  priceAsOf: START,
  priceSource: 'A price list.',
}
