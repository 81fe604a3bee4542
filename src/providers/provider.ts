import type { Secret } from '../secret.ts'
import type { GenerationParameters } from './model.ts'
import type { ProviderError } from './provider-error.ts'

/**
 * The port that every vendor integration implements. An adapter makes one try and classifies what comes of it: it never
 * loops, never falls back and never decides about money. Rejections are always `ProviderError`.
 */
export type ImageProvider = {
  /** First half of a model id: `openai` in `openai/gpt-image-2`. */
  readonly id: string
  readonly name: string
  /** Is what it needs (a key, an address) configured? A provider that is not is listed and refused with that reason. */
  readonly configured: boolean
  generate(request: ProviderRequest, call: ProviderCall): Promise<ProviderOutput>
  /** Submit-and-poll vendors: goes on from a persisted reference after a crash. Must not submit again. */
  resume?(reference: ProviderReference, request: ProviderRequest, call: ProviderCall): Promise<ProviderOutput>
  /** Asks the vendor to stop. Best effort: the generation is canceled whatever the vendor answers. */
  cancel?(reference: ProviderReference, signal: AbortSignal): Promise<void>
}

export type ProviderRequest = {
  /** The provider's own name of the model. */
  readonly modelName: string
  readonly prompt: string
  readonly negativePrompt: string | null
  readonly count: number
  /** Resolved: what the model declares and nothing else. */
  readonly parameters: GenerationParameters
  /** How many provisional pictures to show; 0 where the model has none. */
  readonly previews: number
}

/** The vendor's own job id and whatever else `resume` needs (a polling URL, …). Persisted as JSON. */
export type ProviderReference = { readonly jobId: string; readonly [key: string]: unknown }

export type ProviderCall = {
  /** Idempotency key for vendors that take one. */
  readonly attemptId: string
  /** 1 for the first try of a generation, and one more for each further one. A resumed attempt keeps its number. */
  readonly attemptNumber: number
  /** The caller's own key; null: the server's. */
  readonly apiKey: Secret | null
  readonly signal: AbortSignal
  /** Await it right before the first byte of a billable call leaves: from then on the outcome is unknown until told. */
  onSending(): Promise<void>
  /** Await it before any wait for the result: the reference is then on disk, and a crash resumes and never pays again. */
  onAccepted(reference: ProviderReference): Promise<void>
  /** Best effort, coalesced. `progress` is 0 to 1, null where the vendor tells nothing. */
  onProgress(update: { readonly progress: number | null; readonly message?: string }): void
  /** Best effort, coalesced by index. */
  onPreview(preview: ProviderPreview): void
  /** Await it for each finished image, as soon as it is there. Stored at once: what came before a failure is kept. */
  onImage(image: ProviderImage): Promise<void>
}

export type ProviderPreview = { readonly index: number; readonly bytes: Uint8Array }

export type ProviderImage = {
  /** 0 to `count − 1`. */
  readonly index: number
  readonly bytes: Uint8Array
  readonly seed: number | null
  readonly revisedPrompt: string | null
}

export type ProviderOutput = {
  /** Images that the vendor did not make, each with its cause. An index that is neither here nor delivered is missing. */
  readonly failures: readonly { readonly imageIndex: number; readonly error: ProviderError }[]
  readonly usage: ProviderUsage | null
  /** What the vendor says that it cost, in micro-units of US dollars; null where it says nothing. */
  readonly reportedUsdMicros: number | null
  readonly requestId: string | null
}

export type ProviderUsage = {
  readonly inputTokens: number | null
  /** Text tokens out. */
  readonly outputTokens: number | null
  readonly imageOutputTokens: number | null
  readonly totalTokens: number | null
}
