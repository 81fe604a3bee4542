import type { RunningAttempt } from '../generation/attempt-beginning.ts'
import type { Logger } from '../logger.ts'
import type { ProviderRequest, ReferenceImage } from '../providers/provider.ts'
import { ProviderError } from '../providers/provider-error.ts'
import type { StoredInput } from '../references/reference-image.ts'
import type { BlobStorage } from '../storage/blob-storage.ts'

export type LoadedInputs = Pick<ProviderRequest, 'referenceImages' | 'mask'> & {
  /** Some are missing: the job that the vendor has is followed, and without them nothing more may be sent. */
  readonly lost: ProviderError | null
}

/**
 * The pictures of an attempt, whole and in order, or why nothing can be sent: a storage that fails may be back in a moment,
 * bytes that are gone stay gone. A job that the vendor has already is followed with what is left of them, and nothing is sent with less.
 */
export async function loadInputs(
  { storage, logger }: { readonly storage: BlobStorage; readonly logger: Logger },
  { inputs, job, reference }: RunningAttempt,
): Promise<LoadedInputs | ProviderError> {
  const referenceImages: ReferenceImage[] = []
  let mask: ReferenceImage | null = null
  let lost: ProviderError | null = null
  for (const input of inputs) {
    const bytes = await read(storage, input)
    if (bytes instanceof ProviderError) {
      logger.error({ generation: job.generationId, err: bytes }, 'A reference image could not be read')
      if (reference === null) return bytes
      lost ??= bytes
    } else {
      const { mimeType, width, height, role } = input
      if (role === 'mask') mask = { bytes, mimeType, width, height }
      else referenceImages.push({ bytes, mimeType, width, height })
    }
  }
  return { referenceImages, mask, lost }
}

async function read(storage: BlobStorage, { blobKey, sizeBytes }: StoredInput): Promise<Uint8Array | ProviderError> {
  try {
    const bytes = await storage.get(blobKey)
    if (bytes?.byteLength === sizeBytes) return bytes
    const message = 'A reference image of this request is no longer in storage. Nothing was sent to the provider.'
    return new ProviderError({ kind: 'INVALID_REQUEST', delivery: 'NOT_SENT', message })
  } catch (cause) {
    const message = 'A reference image could not be read from storage. Nothing was sent to the provider.'
    return new ProviderError({ kind: 'UNAVAILABLE', delivery: 'NOT_SENT', message, cause })
  }
}
