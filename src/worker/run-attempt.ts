import type { Clock } from '../clock.ts'
import type { RunningAttempt } from '../generation/attempt-beginning.ts'
import type { AttemptEnding, EndedAttempt } from '../generation/attempt-ending.ts'
import type { AttemptResult } from '../generation/attempt-result.ts'
import { LeaseLostError } from '../generation/attempts.ts'
import type { CallKeys } from '../generation/call-keys.ts'
import type { ProgressBoard } from '../generation/progress-board.ts'
import type {
  ImageProvider,
  ProviderCall,
  ProviderImage,
  ProviderOutput,
  ProviderReference,
  ProviderRequest,
} from '../providers/provider.ts'
import { type Delivery, ProviderError } from '../providers/provider-error.ts'
import type { Secret } from '../secret.ts'
import type { PreviewStore } from '../storage/preview-store.ts'
import type { CallbackDesk, OpenLine } from './callback-desk.ts'
import { type KeepImageDeps, keepImage, type Unkept } from './keep-image.ts'
import { describeFault, referenceWithoutKeys, textWithoutKeys, withoutKeys } from './key-redaction.ts'
import { loadInputs } from './load-inputs.ts'
import { readNumbers, share } from './vendor-numbers.ts'
import { storableText } from './vendor-text.ts'

export type RunAttemptDeps = KeepImageDeps & {
  readonly ending: AttemptEnding
  readonly callKeys: CallKeys
  readonly progress: ProgressBoard
  readonly previews: PreviewStore
  readonly callbacks: CallbackDesk
  readonly clock: Clock
  /** The server's own, of all providers: nobody is to read one of them in what a provider says. */
  readonly serverKeys: readonly Secret[]
}

/** `dropped`: canceled, stopped, or the fence is somebody else's; whoever decided that has written what there is to say. */
export type RunOutcome =
  | { readonly kind: 'ended'; readonly ended: EndedAttempt; readonly result: AttemptResult }
  | { readonly kind: 'dropped' }

/** Reason of an abort: the generation has ended, so the vendor may stop. Any other leaves the vendor's job to be resumed. */
export const NO_LONGER_WANTED = Symbol('no longer wanted')

const CANCEL_LIMIT_MS = 5_000
/** Of all of the calls of an attempt. */
const MAX_REQUEST_ID_LENGTH = 2_000
/** Of a word on the way, which is shown and forgotten. */
const MAX_MESSAGE_LENGTH = 500

/** What goes into a call beside the request. `lost`: why nothing more of it may be sent; null: nothing is missing. */
type OurSide = {
  readonly attempt: RunningAttempt
  readonly apiKey: Secret | null
  /** All that may have been sent, and are not to be read in what is said. */
  readonly keys: readonly Secret[]
  readonly lost: ProviderError | null
  /** Where the vendor may call back. With a key of the caller's own it is asked alone: its signatures are not ours to know. */
  readonly line: OpenLine | undefined
}

/** One lease: calls the provider once, keeps each picture as it comes, settles. */
export async function runAttempt(
  deps: RunAttemptDeps,
  provider: ImageProvider | undefined,
  attempt: RunningAttempt,
  signal: AbortSignal,
): Promise<RunOutcome> {
  const result = await tryProvider(deps, provider, attempt, signal)
  if (result === 'dropped') return { kind: 'dropped' }
  try {
    return { kind: 'ended', ended: await deps.ending.settle(attempt, result), result }
  } catch (error) {
    if (error instanceof LeaseLostError) return { kind: 'dropped' }
    throw error
  }
}

async function tryProvider(
  deps: RunAttemptDeps,
  provider: ImageProvider | undefined,
  attempt: RunningAttempt,
  signal: AbortSignal,
): Promise<AttemptResult | 'dropped'> {
  const { request } = attempt
  if (provider === undefined || request === null) {
    return { kind: 'failed', error: createVanished(attempt), unstored: [] }
  }
  const inputs = await loadInputs(deps, attempt)
  if (inputs instanceof ProviderError) return { kind: 'failed', error: inputs, stage: 'INPUT', unstored: [] }
  const { lost: lostPictures, ...pictures } = inputs
  const lost = lostPictures ?? (attempt.isOffered ? null : createVanished(attempt))
  return callWithKey(deps, provider, { ...request, ...pictures }, { attempt, lost }, signal)
}

async function callWithKey(
  deps: RunAttemptDeps,
  provider: ImageProvider,
  request: ProviderRequest,
  { attempt, lost }: Pick<OurSide, 'attempt' | 'lost'>,
  signal: AbortSignal,
): Promise<AttemptResult | 'dropped'> {
  let apiKey: Secret | null
  try {
    apiKey = await deps.callKeys.open(attempt)
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    return { kind: 'failed', error, unstored: [] }
  }
  const keys = apiKey === null ? deps.serverKeys : [apiKey, ...deps.serverKeys]
  const line = apiKey === null ? deps.callbacks.open(provider.id, attempt.attemptId) : undefined
  try {
    return await callProvider(deps, provider, request, { attempt, apiKey, keys, lost, line }, signal)
  } finally {
    line?.close()
  }
}

async function callProvider(
  deps: RunAttemptDeps,
  provider: ImageProvider,
  request: ProviderRequest,
  ours: OurSide,
  signal: AbortSignal,
): Promise<AttemptResult | 'dropped'> {
  const { attempt, keys } = ours
  const conversation = createConversation(deps, request, ours, signal)
  const { call, unkept } = conversation
  const listUnstored = () => unkept.filter((each) => each.kind === 'unstored').map((each) => each.imageIndex)
  try {
    const output = await (attempt.reference !== null && provider.resume
      ? provider.resume(attempt.reference, request, call)
      : provider.generate(request, call))
    const requestId = storableText(textWithoutKeys(output.requestId, keys), MAX_REQUEST_ID_LENGTH)
    const read = { ...readNumbers(output), requestId }
    return { kind: 'answered', output: withCleanFailures(withBroken(read, unkept), keys), unstored: listUnstored() }
  } catch (error) {
    if (!conversation.hasLostLease() && !signal.aborted) {
      if (!(error instanceof ProviderError))
        deps.logger.error({ provider: provider.id, err: describeFault(error, keys) }, 'A provider failed')
      const failure = withoutKeys(toProviderError(error), keys)
      return {
        kind: 'failed',
        error: attempt.reference === null ? failure : asTaken(failure),
        unstored: listUnstored(),
      }
    }
    const reference = conversation.reference()
    if (reference !== null && (await isOver(deps, attempt, signal))) await askToStop(deps, provider, reference, ours)
    return 'dropped'
  }
}

/** Our side of a call, and what it heard. */
function createConversation(
  deps: RunAttemptDeps,
  request: ProviderRequest,
  { attempt, apiKey, keys, lost: unsendable, line: callbacks }: OurSide,
  signal: AbortSignal,
) {
  const { attempts, progress } = deps
  const unkept: Unkept[] = []
  let accepted = attempt.reference
  let lost = false
  // What our own side of the call throws passes through the adapter, which may wrap it; so it is remembered here.
  const own = async (work: Promise<void>): Promise<void> => {
    try {
      await work
    } catch (error) {
      lost ||= error instanceof LeaseLostError
      throw error
    }
  }
  /** A database that fails is no lost lease: what could not be written down concerns that step alone. */
  const note = async (delivery: Delivery, work: Promise<void>): Promise<void> => {
    try {
      await own(work)
    } catch (cause) {
      if (cause instanceof LeaseLostError) throw cause
      deps.logger.error({ attempt: attempt.attemptId, err: cause }, 'The step of an attempt could not be written down')
      throw createUnnoted(delivery, cause)
    }
  }
  const keep = async (image: ProviderImage): Promise<void> => {
    // More than was asked for is nobody's: it has no place and no price.
    if (!Number.isInteger(image.index) || image.index < 0 || image.index >= request.count) return
    const revisedPrompt = textWithoutKeys(image.revisedPrompt, keys)
    const left = await keepImage(deps, attempt, { ...image, revisedPrompt }, signal)
    if (left) unkept.push(left)
  }
  const call: ProviderCall = {
    attemptId: attempt.attemptId,
    attemptNumber: attempt.attemptNumber,
    apiKey,
    delivered: new Set(attempt.delivered),
    ...(unsendable && { unsendable }),
    ...(callbacks && { callbacks }),
    signal,
    onSending: () => note('NOT_SENT', attempts.markSending(attempt)),
    onAccepted(reference) {
      accepted = reference
      return note('UNKNOWN', attempts.markAccepted(attempt, referenceWithoutKeys(reference, keys)))
    },
    onProgress: (update) =>
      progress.progress(attempt, {
        progress: share(update.progress),
        message: storableText(textWithoutKeys(update.message ?? null, keys), MAX_MESSAGE_LENGTH),
      }),
    onPreview: ({ index, bytes }) => showPreview(deps, attempt, index, bytes),
    onImage: (image) => own(keep(image)),
  }
  return { call, unkept, hasLostLease: () => lost, reference: () => accepted }
}

function withBroken(output: ProviderOutput, unkept: readonly Unkept[]): ProviderOutput {
  const broken = unkept.filter((each) => each.kind === 'broken').map((each) => each.failure)
  return { ...output, failures: [...output.failures, ...broken] }
}

function withCleanFailures(output: ProviderOutput, keys: readonly Secret[]): ProviderOutput {
  const failures = output.failures.map(({ imageIndex, error }) => ({ imageIndex, error: withoutKeys(error, keys) }))
  return { ...output, failures }
}

/** A generation that another process has ended is noticed here by its lease alone. */
async function isOver({ attempts, logger }: RunAttemptDeps, attempt: RunningAttempt, signal: AbortSignal) {
  if (signal.reason === NO_LONGER_WANTED) return true
  try {
    return await attempts.isOver(attempt)
  } catch (error) {
    logger.warn({ attempt: attempt.attemptId, err: error }, 'Whether a generation has ended could not be read')
    return false
  }
}

/** Best effort, bounded: the generation has ended whatever the vendor answers. */
async function askToStop(
  { clock, logger }: RunAttemptDeps,
  provider: ImageProvider,
  reference: ProviderReference,
  { apiKey, keys }: Pick<OurSide, 'apiKey' | 'keys'>,
): Promise<void> {
  if (provider.cancel === undefined) return
  const limit = new AbortController()
  const asked = provider.cancel(reference, { apiKey, signal: limit.signal }).catch((error: unknown) => {
    logger.warn({ provider: provider.id, err: describeFault(error, keys) }, 'The provider could not be asked to stop')
  })
  const timer = new AbortController()
  await Promise.race([asked, clock.sleep(CANCEL_LIMIT_MS, timer.signal)])
  timer.abort()
  limit.abort()
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

/** It was there when the generation was admitted: the catalogue or the providers have changed since. */
function createVanished({ job }: RunningAttempt): ProviderError {
  const message = `${job.model} is no longer offered by this server.`
  return new ProviderError({ kind: 'MODEL_RETIRED', delivery: 'NOT_SENT', message })
}

function createUnnoted(delivery: Delivery, cause: unknown): ProviderError {
  const message =
    delivery === 'NOT_SENT'
      ? 'The server could not write down that it is about to send. Nothing was sent to the provider.'
      : 'The server could not write down that the provider has taken the job.'
  return new ProviderError({ kind: 'UNAVAILABLE', delivery, message, cause })
}

/** A job that is taken up again was taken by the vendor: whatever keeps us from it, its outcome is not that it was not. */
function asTaken(error: ProviderError): ProviderError {
  const { kind, delivery, message, providerCode, providerRequestId } = error
  if (delivery === 'ANSWERED' || delivery === 'UNKNOWN') return error
  return new ProviderError({ kind, delivery: 'UNKNOWN', message, providerCode, providerRequestId, cause: error })
}

/** Adapters throw ProviderErrors only; anything else is a bug in one, and nobody knows how far its call had come. */
function toProviderError(error: unknown): ProviderError {
  if (error instanceof ProviderError) return error
  const message = 'The integration of this provider failed in a way that it does not know.'
  return new ProviderError({ kind: 'UNAVAILABLE', delivery: 'UNKNOWN', message, cause: error })
}
