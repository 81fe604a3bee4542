import type { GenerationParameters, ImageBackground, ImageFormat } from '../providers/model.ts'
import type { ReferenceImageInput } from '../references/reference-image.ts'
import type { Secret } from '../secret.ts'
import type { AttemptOutcome, AttemptPhase, GenerationStatus, KeySource } from '../store/tables.ts'

/** What a caller asks, after the transport's own parsing and before any model has been looked at. null: not given. */
export type GenerationInput = {
  readonly prompt: string
  readonly model: string | null
  readonly provider: string | null
  readonly negativePrompt: string | null
  readonly width: number | null
  readonly height: number | null
  readonly size: string | null
  readonly aspectRatio: string | null
  readonly count: number
  readonly quality: string | null
  readonly style: string | null
  readonly background: ImageBackground | null
  readonly outputFormat: ImageFormat | null
  readonly outputCompression: number | null
  readonly seed: number | null
  readonly guidanceScale: number | null
  readonly enhancePrompt: boolean | null
  readonly watermark: boolean | null
  /** null: none; never empty. */
  readonly referenceImages: readonly ReferenceImageInput[] | null
  readonly mask: ReferenceImageInput | null
  readonly previews: number
  readonly strict: boolean
  readonly fallbackModels: readonly string[]
  /** Decimal text in the ledger's currency. */
  readonly maxCost: string | null
  readonly deadlineSeconds: number | null
  readonly priority: GenerationPriority
  readonly idempotencyKey: string | null
  /** For the provider of the model that is asked for. */
  readonly providerApiKey: Secret | null
  readonly providerOptions: unknown
  /** Where to tell of this generation, beside the account's endpoints. */
  readonly webhookUrl: string | null
  readonly tags: readonly string[]
  readonly metadata: unknown
  readonly endUser: string | null
}

export const GENERATION_PRIORITIES = ['LOW', 'NORMAL', 'HIGH'] as const
export type GenerationPriority = (typeof GENERATION_PRIORITIES)[number]

/** One model that can take the job, with what would be sent to it. */
export type ModelPlan = {
  readonly modelId: string
  readonly parameters: GenerationParameters
  readonly count: number
  readonly negativePrompt: string | null
  /** Does the mask of the request go with it? */
  readonly usesMask: boolean
  /** No size was asked for, and what is made has the shape of the first reference image. */
  readonly followsPictures: boolean
  readonly previews: number
  readonly warnings: readonly Warning[]
}

export type Warning = {
  /** ADJUSTED, IGNORED, DEPRECATED_MODEL, UNKNOWN_PRICE, FALLBACK_USED, … */
  readonly code: string
  readonly field: string | null
  readonly requested: string | null
  readonly used: string | null
  readonly message: string
}

export type ProblemStage = 'INPUT' | 'QUEUE' | 'PROVIDER' | 'OUTPUT' | 'STORAGE'
export type ProblemCode =
  | 'REFUSED'
  | 'RATE_LIMITED'
  | 'UNAVAILABLE'
  | 'TIMEOUT'
  | 'UNKNOWN_OUTCOME'
  | 'INVALID_REQUEST'
  | 'UNAUTHORIZED'
  | 'QUOTA_EXHAUSTED'
  | 'MODEL_RETIRED'
  | 'BAD_OUTPUT'
  | 'TOO_FEW_IMAGES'
  | 'DEADLINE_EXCEEDED'
  | 'CANCELED'
  | 'INTERNAL'

export type Problem = {
  readonly code: ProblemCode
  readonly message: string
  readonly stage: ProblemStage
  readonly retryable: boolean
  readonly billed: boolean
  readonly providerBilled: boolean | null
  readonly imageIndex: number | null
  readonly providerCode: string | null
  readonly providerRequestId: string | null
}

export type TokenUsage = {
  readonly input: number | null
  readonly output: number | null
  readonly total: number | null
}

export type Generation = {
  readonly id: string
  readonly accountId: string
  readonly endUser: string | null
  readonly status: GenerationStatus
  readonly sequence: number
  readonly priority: number
  readonly provider: string
  readonly model: string
  readonly keySource: KeySource
  readonly requestedModel: string
  readonly prompt: string
  readonly negativePrompt: string | null
  readonly count: number
  readonly parameters: GenerationParameters
  readonly problems: readonly Problem[]
  readonly error: Problem | null
  readonly warnings: readonly Warning[]
  readonly tags: readonly string[]
  readonly metadata: unknown
  readonly estimateMinMicros: number | null
  readonly estimateMaxMicros: number | null
  readonly heldMicros: number
  readonly chargedMicros: number | null
  readonly providerReportedMicros: number | null
  readonly tokens: TokenUsage | null
  readonly parentId: string | null
  readonly createdAt: number
  readonly startedAt: number | null
  readonly finishedAt: number | null
  readonly deadlineAt: number | null
}

export type Image = {
  readonly id: string
  readonly generationId: string
  readonly accountId: string
  readonly imageIndex: number
  readonly blobKey: string
  readonly mimeType: string
  readonly width: number
  readonly height: number
  readonly sizeBytes: number
  readonly sha256: string
  readonly thumbhash: string
  readonly revisedPrompt: string | null
  readonly seed: number | null
  readonly createdAt: number
}

export type Attempt = {
  readonly id: string
  readonly generationId: string
  readonly number: number
  readonly provider: string
  readonly model: string
  readonly phase: AttemptPhase
  readonly outcome: AttemptOutcome | null
  readonly problem: Problem | null
  readonly providerRequestId: string | null
  readonly providerJobId: string | null
  readonly startedAt: number
  readonly finishedAt: number | null
}
