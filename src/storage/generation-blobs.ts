import { generationPrefix } from './blob-keys.ts'
import type { BlobStorage } from './blob-storage.ts'
import type { VariantCache } from './image-variants.ts'
import type { PreviewStore } from './preview-store.ts'

export type GenerationBlobs = {
  readonly storage: BlobStorage
  readonly variants: VariantCache
  readonly previews: PreviewStore
}

/** Deletes every byte of a generation, or of another owner such as an upload. In this order: a variant that is being rendered looks for its image afterwards. */
export async function deleteGenerationBlobs(blobs: GenerationBlobs, generationId: string): Promise<void> {
  await blobs.storage.deletePrefix(generationPrefix(generationId))
  await blobs.variants.deleteGeneration(generationId)
  blobs.previews.deleteGeneration(generationId)
}
