import { buffer } from 'node:stream/consumers'
import { RequestError } from '../errors.ts'
import type { Image } from '../generation/generation-types.ts'
import { type ImageAccess, ORIGINAL } from '../services.ts'
import { createVariantCache } from '../storage/image-variants.ts'
import { createPreviewStore } from '../storage/preview-store.ts'
import { createUrlSigner } from '../storage/signed-url.ts'
import { resolveVariant } from '../storage/variant-spec.ts'
import type { Foundations } from './foundations.ts'

const PREVIEW_TTL_MS = 10 * 60_000
const PREVIEW_MAX_BYTES = 128 * 1024 * 1024
const VARIANTS_MAX_BYTES = 2 * 1024 * 1024 * 1024

/** Bytes of pictures and the addresses under which they are fetched. */
export function createPictures(foundations: Foundations, { publicUrl }: { publicUrl: () => string }) {
  const { clock, ids, secret, storage, variantStorage, delivery } = foundations
  const signer = createUrlSigner({ secret: Buffer.from(secret.reveal()), publicUrl, clock })
  const variants = createVariantCache({
    storage,
    cache: variantStorage,
    maxBytes: VARIANTS_MAX_BYTES,
    maxConcurrent: 2,
  })
  const previews = createPreviewStore({ clock, ids, ttlMs: PREVIEW_TTL_MS, maxBytes: PREVIEW_MAX_BYTES })
  async function readBytes(image: Image, spec: ReturnType<typeof resolveVariant>): Promise<Uint8Array | undefined> {
    if (!spec) return storage.get(image.blobKey)
    const rendered = await variants.render(image, spec)
    const opened = rendered && (await variants.open(rendered))
    return opened && buffer(opened.stream)
  }
  const images: ImageAccess = {
    url: (image, variant, expiresInSeconds) =>
      signer.signImage(image, { variant: resolveVariant(variant, image.mimeType), expiresInSeconds }),
    async base64(image: Image, variant = ORIGINAL) {
      const bytes = await readBytes(image, resolveVariant(variant, image.mimeType))
      if (bytes === undefined) throw new RequestError('NOT_FOUND', `The bytes of ${image.id} are gone from storage.`)
      return Buffer.from(bytes).toString('base64')
    },
    previewUrl: (preview) => signer.signPreview(preview.previewId),
    previewBase64({ previewId }) {
      const kept = previews.get(previewId)
      return kept === undefined ? null : Buffer.from(kept.bytes).toString('base64')
    },
  }
  return { signer, images, storage, delivery, previews, variants }
}
