import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { RequestError } from '../../../src/errors.ts'
import type { BlobStorage } from '../../../src/storage/blob-storage.ts'
import { deleteGenerationBlobs } from '../../../src/storage/generation-blobs.ts'
import { createVariantCache } from '../../../src/storage/image-variants.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import { createPreviewStore } from '../../../src/storage/preview-store.ts'
import { renderVariant } from '../../../src/storage/variant-rendering.ts'
import { resolveVariant, type VariantRequest, type VariantSpec } from '../../../src/storage/variant-spec.ts'
import { paintColour, paintImage } from './image-fixtures.ts'

const SOURCE = { generationId: 'gen_a', blobKey: 'gen_a/11.png', sha256: '11' }
const MEBIBYTE = 1024 * 1024

function specOf(request: VariantRequest): VariantSpec {
  const spec = resolveVariant(request, 'image/png')
  if (!spec) throw new Error('This is no variant.')
  return spec
}

async function renderedSize(bytes: Uint8Array, request: VariantRequest) {
  const { format, width, height } = await sharp(await renderVariant(bytes, specOf(request))).metadata()
  return `${format} ${width}x${height}`
}

describe('renderVariant', () => {
  it('fits inside a box and never enlarges', async () => {
    const image = await paintImage({ width: 300, height: 200, format: 'png' })
    expect(await renderedSize(image, { width: 150, height: 150 })).toBe('png 150x100')
    expect(await renderedSize(image, { height: 50 })).toBe('png 75x50')
    expect(await renderedSize(image, { width: 4096, height: 4096 })).toBe('png 300x200')
  })

  it('covers and contains to exactly the box', async () => {
    const image = await paintImage({ width: 300, height: 200, format: 'png' })
    expect(await renderedSize(image, { width: 100, height: 100, fit: 'COVER', format: 'WEBP' })).toBe('webp 100x100')
    expect(await renderedSize(image, { width: 100, height: 400, fit: 'CONTAIN', format: 'JPEG' })).toBe('jpeg 100x400')
  })

  it('fills the rest of a contained picture with nothing, or with white where nothing cannot be said', async () => {
    const image = await paintColour(20, 10, '#0000ff')
    const cornerOf = async (format: 'PNG' | 'JPEG') => {
      const bytes = await renderVariant(image, specOf({ width: 20, height: 20, fit: 'CONTAIN', format }))
      const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true })
      return [...data.subarray(0, info.channels)]
    }
    expect((await cornerOf('PNG'))[3]).toBe(0)
    for (const channel of await cornerOf('JPEG')) expect(channel).toBeGreaterThan(250)
  })

  it('turns a picture upright and drops its metadata', async () => {
    const turned = await sharp(await paintColour(40, 20, '#123456'))
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer()
    const metadata = await sharp(await renderVariant(turned, specOf({ width: 10, format: 'JPEG' }))).metadata()
    expect(metadata).toMatchObject({ width: 10, height: 20 })
    expect(metadata.exif).toBeUndefined()
    expect(metadata.orientation).toBeUndefined()
  })

  it('makes fewer bytes at a lower quality', async () => {
    const image = await paintImage({ width: 300, height: 200, format: 'png' })
    const low = await renderVariant(image, specOf({ format: 'JPEG', quality: 10 }))
    const high = await renderVariant(image, specOf({ format: 'JPEG', quality: 95 }))
    expect(low.byteLength).toBeLessThan(high.byteLength / 2)
  })
})

/** Storage whose reads of the source wait until they are let go, and are counted. */
async function openScene(limits: { maxBytes?: number; maxConcurrent?: number; maxQueued?: number } = {}) {
  let nowMs = 1000
  const clock = { now: () => nowMs++ }
  const memory = createMemoryStorage({ clock })
  await memory.put(SOURCE.blobKey, await paintImage({ width: 60, height: 40, format: 'png' }))
  const gate = { open: Promise.resolve(), reads: 0, puts: 0 }
  const storage: BlobStorage = {
    ...memory,
    get: async (key) => {
      gate.reads += 1
      await gate.open
      return memory.get(key)
    },
    put: async (key, bytes) => {
      gate.puts += 1
      await memory.put(key, bytes)
    },
  }
  const openCache = () => createVariantCache({ storage, maxBytes: MEBIBYTE, maxConcurrent: 2, ...limits })
  const previews = createPreviewStore({ clock, ids: { token: () => 'token' }, ttlMs: 1000, maxBytes: MEBIBYTE })
  const listVariants = async () => {
    const found = []
    for await (const blob of memory.list('variants/')) found.push(blob)
    return found
  }
  return { storage, memory, gate, variants: openCache(), openCache, previews, listVariants }
}

describe('the variant cache', () => {
  it('keeps what it has rendered, also for the next process', async () => {
    const { variants, openCache, gate, storage } = await openScene()
    const first = await variants.render(SOURCE, specOf({ width: 20 }))
    expect(first?.key).toMatch(/^variants\/gen_a\/11\/w20-inside-[0-9a-f]{8}\.png$/)
    expect(await variants.render(SOURCE, specOf({ width: 20 }))).toEqual(first)
    expect(await openCache().render(SOURCE, specOf({ width: 20 }))).toEqual(first)
    expect(gate).toMatchObject({ reads: 1, puts: 1 })
    expect(await storage.has(first?.key ?? '')).toBe(true)
  })

  it('renders a variant once for all who ask for it at the same time', async () => {
    const { variants, gate } = await openScene()
    const held = Promise.withResolvers<void>()
    gate.open = held.promise
    const asked = Array.from({ length: 20 }, () => variants.render(SOURCE, specOf({ width: 20 })))
    held.resolve()
    expect(new Set((await Promise.all(asked)).map((blob) => blob?.key)).size).toBe(1)
    expect(gate).toMatchObject({ reads: 1, puts: 1 })
  })

  it('refuses what would wait behind a full queue and goes on afterwards', async () => {
    const { variants, gate } = await openScene({ maxConcurrent: 1, maxQueued: 1 })
    const held = Promise.withResolvers<void>()
    gate.open = held.promise
    const asked = [1, 2, 3].map((width) => variants.render(SOURCE, specOf({ width })))
    const outcomes = Promise.allSettled(asked)
    await expect(asked[2]).rejects.toThrow(RequestError)
    await expect(asked[2]).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(gate.reads).toBe(1)
    held.resolve()
    expect((await outcomes).map((outcome) => outcome.status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
    expect(await variants.render(SOURCE, specOf({ width: 3 }))).toBeDefined()
  })

  it('lets the least recently used go when it is full', async () => {
    const roomy = await openScene()
    const sizes: number[] = []
    for (const width of [20, 21, 22])
      sizes.push((await roomy.variants.render(SOURCE, specOf({ width })))?.sizeBytes ?? 0)
    const roomForAnyTwo = sizes.reduce((sum, size) => sum + size, 0) - Math.min(...sizes)
    const { variants, openCache, listVariants } = await openScene({ maxBytes: roomForAnyTwo })
    const widthsKept = async () => (await listVariants()).map((blob) => /w\d+/.exec(blob.key)?.[0]).sort()
    for (const width of [20, 21, 20, 22]) await variants.render(SOURCE, specOf({ width }))
    expect(await widthsKept()).toEqual(['w20', 'w22'])
    await openCache().render(SOURCE, specOf({ width: 21 }))
    expect(await widthsKept()).toEqual(['w21', 'w22'])
  })

  it('renders anew what was deleted behind its back', async () => {
    const { variants, memory, gate } = await openScene()
    const blob = await variants.render(SOURCE, specOf({ width: 20 }))
    await memory.delete(blob?.key ?? '')
    expect(await variants.render(SOURCE, specOf({ width: 20 }))).toMatchObject({ key: blob?.key })
    expect(gate.puts).toBe(2)
  })

  it('has no variant of an image that is gone', async () => {
    const { variants, memory } = await openScene()
    await memory.delete(SOURCE.blobKey)
    expect(await variants.render(SOURCE, specOf({ width: 20 }))).toBeUndefined()
  })

  it('deletes a generation with its variants and nobody else’s', async () => {
    const scene = await openScene()
    await scene.variants.render(SOURCE, specOf({ width: 20 }))
    await scene.memory.put('variants/gen_ab/22/w20-inside.png', Buffer.from('kept'))
    await deleteGenerationBlobs(scene, 'gen_a')
    expect((await scene.listVariants()).map((blob) => blob.key)).toEqual(['variants/gen_ab/22/w20-inside.png'])
    expect(await scene.memory.has(SOURCE.blobKey)).toBe(false)
  })

  it('leaves no variant behind when the generation is deleted while it is rendered', async () => {
    const scene = await openScene()
    const write = Promise.withResolvers<void>()
    const writing = Promise.withResolvers<void>()
    const storage: BlobStorage = {
      ...scene.storage,
      put: async (key, bytes) => {
        writing.resolve()
        await write.promise
        await scene.memory.put(key, bytes)
      },
    }
    const variants = createVariantCache({ storage, maxBytes: MEBIBYTE, maxConcurrent: 1 })
    const rendering = variants.render(SOURCE, specOf({ width: 20 }))
    await writing.promise
    await deleteGenerationBlobs({ storage, variants, previews: scene.previews }, 'gen_a')
    write.resolve()
    expect(await rendering).toBeUndefined()
    expect(await scene.listVariants()).toEqual([])
  })

  it('gives each variant of each image a validator of its own', async () => {
    const { variants } = await openScene()
    const etags = [
      variants.etagOf(SOURCE, specOf({ width: 20 })),
      variants.etagOf(SOURCE, specOf({ width: 21 })),
      variants.etagOf(SOURCE, specOf({ width: 20, format: 'WEBP' })),
      variants.etagOf({ ...SOURCE, sha256: '22' }, specOf({ width: 20 })),
    ]
    expect(new Set(etags).size).toBe(4)
    expect(variants.etagOf(SOURCE, specOf({ width: 20 }))).toBe(etags[0])
  })
})
