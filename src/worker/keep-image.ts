import type { Clock } from '../clock.ts'
import type { RunningAttempt } from '../generation/attempt-beginning.ts'
import { type Attempts, LeaseLostError } from '../generation/attempts.ts'
import type { Logger } from '../logger.ts'
import type { ProviderImage, ProviderOutput } from '../providers/provider.ts'
import { ProviderError } from '../providers/provider-error.ts'
import { imageBlobKey } from '../storage/blob-keys.ts'
import type { BlobStorage } from '../storage/blob-storage.ts'
import { convertImage } from '../storage/image-conversion.ts'
import { type InspectedImage, inspectImage } from '../storage/image-inspection.ts'
import { BrokenImageError } from '../storage/image-probe.ts'
import { wholeNumber } from './vendor-numbers.ts'
import { storableText } from './vendor-text.ts'

export type KeepImageDeps = {
  readonly attempts: Attempts
  readonly clock: Clock
  readonly storage: BlobStorage
  readonly logger: Logger
}

/** As long as a caller's own, of which a vendor makes another. */
const MAX_PROMPT_LENGTH = 32_000

/** In all a quarter of a minute: the picture lies in memory meanwhile, and its watchers wait. Who is told to stop tries once more. */
const STORING_PAUSES_MS = [250, 1_000, 4_000, 10_000]

/** What did not become an image of the generation, and why. */
export type Unkept =
  | { readonly kind: 'broken'; readonly failure: ProviderOutput['failures'][number] }
  | { readonly kind: 'unstored'; readonly imageIndex: number }

/**
 * Looks at the bytes, stores them in the format that was asked for, records them. A picture that is none, or that cannot
 * be stored, is the failure of its index alone: the others go on, and the vendor is not made to fail for it. Throws
 * LeaseLostError only.
 */
export async function keepImage(
  deps: KeepImageDeps,
  attempt: RunningAttempt,
  image: ProviderImage,
  signal: AbortSignal,
): Promise<Unkept | undefined> {
  const about = { generation: attempt.job.generationId, imageIndex: image.index }
  try {
    const inspected = await inspectImage(image.bytes)
    const converted = await convert(deps, attempt, image.bytes)
    const kept = converted === undefined ? { bytes: image.bytes, inspected } : converted
    const whole = { ...image, bytes: kept.bytes }
    await insist(deps, about, signal, () => store(deps, attempt, whole, kept.inspected))
    return undefined
  } catch (cause) {
    if (cause instanceof LeaseLostError) throw cause
    if (cause instanceof BrokenImageError) return broken(image, cause)
    deps.logger.error({ ...about, err: cause }, 'A picture could not be stored')
    return { kind: 'unstored', imageIndex: image.index }
  }
}

type Converted = { readonly bytes: Uint8Array; readonly inspected: InspectedImage }

/** undefined: nothing is to be changed, or it cannot be: a picture of another format is better than none. */
async function convert(
  { logger }: KeepImageDeps,
  { job, deliveredFormat }: RunningAttempt,
  whole: Uint8Array,
): Promise<Converted | undefined> {
  const { format, compression } = deliveredFormat
  if (format === null) return undefined
  try {
    const bytes = await convertImage(whole, { format, compression })
    return bytes && { bytes, inspected: await inspectImage(bytes) }
  } catch (cause) {
    if (!(cause instanceof BrokenImageError)) throw cause
    logger.warn({ generation: job.generationId, format, err: cause }, 'A picture is kept in the format it came in')
    return undefined
  }
}

/** Paid for and in no other place: a storage that is full or away for a moment must not lose it. Both steps may be done again. */
async function insist(
  { clock, logger }: KeepImageDeps,
  about: object,
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<void> {
  for (const pauseMs of STORING_PAUSES_MS) {
    if (signal.aborted) break
    try {
      return await work()
    } catch (error) {
      if (error instanceof LeaseLostError) throw error
      logger.warn({ ...about, err: error }, 'A picture waits for its storage')
    }
    await clock.sleep(pauseMs, signal)
  }
  await work()
}

async function store(
  { attempts, storage }: KeepImageDeps,
  attempt: RunningAttempt,
  { index: imageIndex, bytes, seed, revisedPrompt }: ProviderImage,
  inspected: InspectedImage,
): Promise<void> {
  const { generationId } = attempt.job
  const { sha256, extension, ...facts } = inspected
  const blobKey = imageBlobKey({ generationId, sha256, extension })
  await storage.put(blobKey, bytes)
  const said = { seed: wholeNumber(seed), revisedPrompt: storableText(revisedPrompt, MAX_PROMPT_LENGTH) }
  const image = { ...facts, ...said, imageIndex, blobKey, sha256 }
  await attempts.recordImage(attempt, image)
}

function broken({ index: imageIndex }: ProviderImage, cause: BrokenImageError): Unkept {
  const message = 'The provider handed back bytes that are no complete picture.'
  const details = { kind: 'BAD_OUTPUT', delivery: 'ANSWERED', message, providerBilled: true, cause } as const
  return { kind: 'broken', failure: { imageIndex, error: new ProviderError(details) } }
}
