import type { Secret } from '../secret.ts'
import type { CallbackLine, ProviderCallbacks } from './callback.ts'
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
  /** Do its calls need a key, the server's or the caller's own? */
  readonly keyed: boolean
  /** Has the server what it needs (a key, an address)? Otherwise only callers with a key of their own can use it. */
  readonly configured: boolean
  /** What the vendor lets one key do at a time; missing: the server's own limit alone. */
  readonly limits?: ProviderLimits
  generate(request: ProviderRequest, call: ProviderCall): Promise<ProviderOutput>
  /** Submit-and-poll vendors: goes on from a persisted reference after a crash. Must not submit again. */
  resume?(reference: ProviderReference, request: ProviderRequest, call: ProviderCall): Promise<ProviderOutput>
  /** Asks the vendor to stop. Best effort: the generation is canceled whatever the vendor answers. */
  cancel?(reference: ProviderReference, ending: VendorAccess): Promise<void>
  /** The names of the image models that the vendor lists, where it has such a list. Free. */
  listModels?(access: VendorAccess): Promise<readonly ListedModel[]>
  /** Submit-and-poll vendors that can call back when a job has ended. */
  readonly callbacks?: ProviderCallbacks
}

export type ProviderLimits = { readonly concurrency?: number; readonly requestsPerMinute?: number }

/** What a call that makes nothing needs. `apiKey` null: the server's. */
export type VendorAccess = { readonly apiKey: Secret | null; readonly signal: AbortSignal }

/** As the vendor names it; `shutsDownAt` in milliseconds since 1970, null where it says nothing. */
export type ListedModel = { readonly name: string; readonly shutsDownAt: number | null }

export type ProviderRequest = {
  /** The provider's own name of the model. */
  readonly modelName: string
  /** Facts of the model that only its adapter reads, as the catalogue states them. */
  readonly wire: Readonly<Record<string, unknown>>
  readonly prompt: string
  readonly negativePrompt: string | null
  readonly count: number
  /** Resolved: what the model declares and nothing else. */
  readonly parameters: GenerationParameters
  /** Pictures to start from, whole and in one of our formats, in the order of the request. */
  readonly referenceImages: readonly ReferenceImage[]
  /** Of the size of the first reference image; what is transparent is to be painted anew. */
  readonly mask: ReferenceImage | null
  /** How many provisional pictures to show; 0 where the model has none. */
  readonly previews: number
}

export type ReferenceImage = {
  readonly bytes: Uint8Array
  readonly mimeType: 'image/png' | 'image/jpeg' | 'image/webp'
  readonly width: number
  readonly height: number
}

/** The vendor's own job id and whatever else `resume` needs (a polling URL, …). Persisted as JSON. */
export type ProviderReference = { readonly jobId: string; readonly [key: string]: unknown }

export type ProviderCall = {
  /** Idempotency key for vendors that take one. */
  readonly attemptId: string
  /** 1 for the first try of a generation, and one more for each further one. A resumed attempt keeps its number. */
  readonly attemptNumber: number
  /** The caller's own key; null: the server's. One that is refused is never replaced by the other. */
  readonly apiKey: Secret | null
  /** Indexes that are stored already, from before a crash: `resume` need not fetch them again. */
  readonly delivered: ReadonlySet<number>
  /** Why `resume` may send nothing more, e.g. pictures that are gone. What the vendor has already is followed all the same. */
  readonly unsendable?: ProviderError
  /** Where the vendor may call back; missing: it is asked alone. */
  readonly callbacks?: CallbackLine
  readonly signal: AbortSignal
  /**
   * Await it right before the first byte of each billable call leaves: from then on the outcome is unknown until told.
   * Where it rejects, that call must not be sent: a ProviderError concerns that call alone, anything else ends all of them.
   */
  onSending(): Promise<void>
  /**
   * Await it before any wait for the result: the reference is then on disk, and a crash resumes and never pays again.
   * Called again, it replaces the reference: a request of several jobs tells of each as it is taken. It rejects as
   * `onSending` does.
   */
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
  /** Text tokens in; where the vendor does not tell them apart, all of them. */
  readonly inputTokens: number | null
  readonly imageInputTokens: number | null
  /** Text tokens out. */
  readonly outputTokens: number | null
  readonly imageOutputTokens: number | null
  readonly totalTokens: number | null
}
