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
  readonly storage: BlobStorage
  readonly logger: Logger
}

/** As long as a caller's own, of which a vendor makes another. */
const MAX_PROMPT_LENGTH = 32_000

/** What did not become an image of the generation, and why. */
export type Unkept =
  | { readonly kind: 'broken'; readonly failure: ProviderOutput['failures'][number] }
  | { readonly kind: 'unstored'; readonly imageIndex: number }

/**
 * Looks at the bytes, stores them in the format that was asked for, records them. A picture that is none, or that cannot be stored, is the failure of its
 * index alone: the others go on, and the vendor is not made to fail for it. Throws LeaseLostError only.
 */
export async function keepImage(
  deps: KeepImageDeps,
  attempt: RunningAttempt,
  image: ProviderImage,
): Promise<Unkept | undefined> {
  try {
    const inspected = await inspectImage(image.bytes)
    const converted = await convert(attempt, image.bytes)
    if (converted === undefined) await store(deps, attempt, image, inspected)
    else await store(deps, attempt, { ...image, bytes: converted }, await inspectImage(converted))
    return undefined
  } catch (cause) {
    if (cause instanceof LeaseLostError) throw cause
    if (cause instanceof BrokenImageError) return broken(image, cause)
    const { generationId: generation } = attempt.job
    deps.logger.error({ generation, imageIndex: image.index, err: cause }, 'A picture could not be stored')
    return { kind: 'unstored', imageIndex: image.index }
  }
}

/** undefined: nothing is to be changed. */
async function convert(attempt: RunningAttempt, bytes: Uint8Array): Promise<Uint8Array | undefined> {
  const { format, compression } = attempt.deliveredFormat
  return format === null ? undefined : convertImage(bytes, { format, compression })
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
