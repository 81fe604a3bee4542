import { createHash } from 'node:crypto'
import { VARIANTS_PREFIX, variantsPrefix } from './blob-keys.ts'
import type { BlobInfo, BlobStorage, ByteRange, OpenBlob } from './blob-storage.ts'
import { type BoundedLimiter, createBoundedLimiter } from './bounded-limiter.ts'
import { imageEngineVersion } from './image-engine.ts'
import { createRecencyIndex, type RecencyIndex } from './recency-index.ts'
import { renderVariant } from './variant-rendering.ts'
import { formatVariant, type VariantSpec, variantExtension } from './variant-spec.ts'

/** The stored image that a variant is made of. */
export type VariantSource = { readonly generationId: string; readonly blobKey: string; readonly sha256: string }

/**
 * Variants are made when they are first asked for and kept as blobs, up to a bound; the least recently used go first. The
 * bound is held by each process for what it has seen: several processes on one storage may together keep that many times as
 * much until one of them starts anew.
 */
export type VariantCache = {
  /** Known before anything is rendered, so that a client which has the variant costs nothing. */
  etagOf(source: VariantSource, spec: VariantSpec): string
  /** The blob of the variant; undefined: the source is gone. Rejects with RequestError UNAVAILABLE when too much is asked. */
  render(source: VariantSource, spec: VariantSpec): Promise<BlobInfo | undefined>
  open(variant: BlobInfo, range?: ByteRange): Promise<OpenBlob | undefined>
  /** Call it once the generation's own blobs are deleted, not before. */
  deleteGeneration(generationId: string): Promise<void>
}

export type VariantCacheDeps = {
  /** Of the images. */
  readonly storage: BlobStorage
  /** Of the variants. Default: beside the images. */
  readonly cache?: BlobStorage
  readonly maxBytes: number
  readonly maxConcurrent: number
  /** Renderings that wait for their turn before more are refused. Default 64. */
  readonly maxQueued?: number
}

export function createVariantCache(deps: VariantCacheDeps): VariantCache {
  const { storage, cache = storage, maxBytes, maxConcurrent, maxQueued = 64 } = deps
  const index = createRecencyIndex()
  const refusal = 'Too many images are being resized right now. Try again in a moment.'
  const limiter = createBoundedLimiter({ maxConcurrent, maxQueued, refusal })
  const inFlight = new Map<string, Promise<BlobInfo | undefined>>()
  let loading: Promise<void> | undefined
  const load = () => {
    loading ??= loadIndex(cache, index).catch((error: unknown) => {
      loading = undefined
      throw error
    })
    return loading
  }
  const produce = async (source: VariantSource, spec: VariantSpec): Promise<BlobInfo | undefined> => {
    const key = variantBlobKey(source, spec)
    await load()
    const variant = (await cache.find(key)) ?? (await renderInto({ storage, cache, limiter, key, source, spec }))
    if (!variant) return undefined
    index.touch(key, variant.sizeBytes)
    for (const excess of index.takeExcess(maxBytes)) await cache.delete(excess)
    return variant
  }
  return {
    etagOf: (source, spec) => createHash('sha256').update(variantBlobKey(source, spec)).digest('hex'),
    render: (source, spec) => {
      const key = variantBlobKey(source, spec)
      const running = inFlight.get(key) ?? produce(source, spec).finally(() => inFlight.delete(key))
      inFlight.set(key, running)
      return running
    },
    open: ({ key }, range) => cache.open(key, range),
    deleteGeneration: async (generationId) => {
      await cache.deletePrefix(variantsPrefix(generationId))
      index.forgetPrefix(variantsPrefix(generationId))
    },
  }
}

/**
 * The digest of the source and the version of the encoders are part of the key, so a key stands for the same bytes for
 * ever: that is what makes its hash a strong validator.
 */
function variantBlobKey(source: VariantSource, spec: VariantSpec): string {
  const engine = createHash('sha256').update(imageEngineVersion()).digest('hex').slice(0, 8)
  const name = `${formatVariant(spec)}-${engine}.${variantExtension(spec)}`
  return `${variantsPrefix(source.generationId)}${source.sha256}/${name}`
}

async function loadIndex(cache: BlobStorage, index: RecencyIndex): Promise<void> {
  const found: BlobInfo[] = []
  for await (const blob of cache.list(VARIANTS_PREFIX)) found.push(blob)
  found.sort((a, b) => a.modifiedAt - b.modifiedAt)
  for (const blob of found) index.touch(blob.key, blob.sizeBytes)
}

type Rendering = {
  readonly storage: BlobStorage
  readonly cache: BlobStorage
  readonly limiter: BoundedLimiter
  readonly key: string
  readonly source: VariantSource
  readonly spec: VariantSpec
}

async function renderInto({ storage, cache, limiter, key, source, spec }: Rendering): Promise<BlobInfo | undefined> {
  return limiter.run(async () => {
    const original = await storage.get(source.blobKey)
    if (!original) return undefined
    await cache.put(key, await renderVariant(original, spec))
    // The image may have been deleted while it was rendered, and its variants with it. Whoever deletes takes the image
    // first: if it is still there now, the deletion of the variants is yet to come and takes this one too.
    if (await storage.has(source.blobKey)) return cache.find(key)
    await cache.delete(key)
    return undefined
  })
}
