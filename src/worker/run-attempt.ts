import type { AttemptEnding, AttemptResult, EndedAttempt } from '../generation/attempt-ending.ts'
import { type Attempts, LeaseLostError, type RunningAttempt } from '../generation/attempts.ts'
import type { ProgressBoard } from '../generation/progress-board.ts'
import type { ImageProvider, ProviderCall, ProviderImage, ProviderOutput } from '../providers/provider.ts'
import { ProviderError } from '../providers/provider-error.ts'
import { imageBlobKey } from '../storage/blob-keys.ts'
import type { BlobStorage } from '../storage/blob-storage.ts'
import { inspectImage } from '../storage/image-inspection.ts'
import { BrokenImageError } from '../storage/image-probe.ts'
import type { PreviewStore } from '../storage/preview-store.ts'

export type RunAttemptDeps = {
  readonly attempts: Attempts
  readonly ending: AttemptEnding
  readonly progress: ProgressBoard
  readonly storage: BlobStorage
  readonly previews: PreviewStore
}

/** The pictures are there and could not be kept: our own fault, not the provider's. */
class UnstoredError extends Error {
  override readonly name = 'UnstoredError'
}

/** `dropped`: canceled, stopped, or the fence is somebody else's; whoever decided that has written what there is to say. */
export type RunOutcome =
  | { readonly kind: 'ended'; readonly ended: EndedAttempt; readonly result: AttemptResult }
  | { readonly kind: 'dropped' }

/** One lease: calls the provider once, keeps each picture as it comes, settles. */
export async function runAttempt(
  deps: RunAttemptDeps,
  provider: ImageProvider,
  attempt: RunningAttempt,
  signal: AbortSignal,
): Promise<RunOutcome> {
  const result = await callProvider(deps, provider, attempt, signal)
  if (result === 'dropped') return { kind: 'dropped' }
  try {
    return { kind: 'ended', ended: await deps.ending.settle(attempt, result), result }
  } catch (error) {
    if (error instanceof LeaseLostError) return { kind: 'dropped' }
    throw error
  }
}

async function callProvider(
  deps: RunAttemptDeps,
  provider: ImageProvider,
  attempt: RunningAttempt,
  signal: AbortSignal,
): Promise<AttemptResult | 'dropped'> {
  const broken: ProviderOutput['failures'][number][] = []
  let lost: LeaseLostError | UnstoredError | undefined
  // What our own side of the call throws passes through the adapter, which may wrap it; so it is remembered here.
  const own = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      if (error instanceof LeaseLostError || error instanceof UnstoredError) lost ??= error
      throw error
    }
  }
  const call: ProviderCall = {
    attemptId: attempt.attemptId,
    attemptNumber: attempt.attemptNumber,
    apiKey: null,
    signal,
    onSending: () => own(() => deps.attempts.markSending(attempt)),
    onAccepted: (reference) => own(() => deps.attempts.markAccepted(attempt, reference)),
    onProgress: ({ progress, message }) => deps.progress.progress(attempt, { progress, message: message ?? null }),
    onPreview: ({ index, bytes }) => showPreview(deps, attempt, index, bytes),
    onImage: (image) =>
      own(async () => {
        const failure = await keepImage(deps, attempt, image)
        if (failure) broken.push(failure)
      }),
  }
  try {
    const output = await (attempt.reference !== null && provider.resume
      ? provider.resume(attempt.reference, attempt.request, call)
      : provider.generate(attempt.request, call))
    return { kind: 'answered', output: { ...output, failures: [...output.failures, ...broken] } }
  } catch (error) {
    if (lost instanceof UnstoredError) return { kind: 'unstored', message: lost.message }
    if (lost !== undefined || signal.aborted) return 'dropped'
    return { kind: 'failed', error: toProviderError(error) }
  }
}

/** undefined: kept. A picture that is none is the failure of its index alone; the others go on. */
async function keepImage(
  { attempts, storage }: RunAttemptDeps,
  attempt: RunningAttempt,
  image: ProviderImage,
): Promise<ProviderOutput['failures'][number] | undefined> {
  const { generationId } = attempt.job
  let inspected: Awaited<ReturnType<typeof inspectImage>>
  try {
    inspected = await inspectImage(image.bytes)
  } catch (cause) {
    if (!(cause instanceof BrokenImageError)) throw cause
    const message = 'The provider handed back bytes that are no complete picture.'
    const details = { kind: 'BAD_OUTPUT', delivery: 'ANSWERED', message, providerBilled: true, cause } as const
    return { imageIndex: image.index, error: new ProviderError(details) }
  }
  const { sha256, extension, ...facts } = inspected
  const blobKey = imageBlobKey({ generationId, sha256, extension })
  await storage.put(blobKey, image.bytes).catch((cause: unknown) => {
    throw new UnstoredError(
      'The picture was made and could not be stored. The server has run out of space or lost its storage.',
      { cause },
    )
  })
  const { index: imageIndex, seed, revisedPrompt } = image
  await attempts.recordImage(attempt, { ...facts, imageIndex, blobKey, sha256, seed, revisedPrompt })
  return undefined
}

function showPreview(
  { previews, progress }: RunAttemptDeps,
  attempt: RunningAttempt,
  index: number,
  bytes: Uint8Array,
): void {
  const previewId = previews.put({ generationId: attempt.job.generationId, index, bytes })
  if (previewId !== undefined) progress.preview(attempt, { previewId, index, width: null, height: null })
}

/** Adapters throw ProviderErrors only; anything else is a bug in one, and nobody knows how far its call had come. */
function toProviderError(error: unknown): ProviderError {
  if (error instanceof ProviderError) return error
  const message = 'The integration of this provider failed in a way that it does not know.'
  return new ProviderError({ kind: 'UNAVAILABLE', delivery: 'UNKNOWN', message, cause: error })
}
