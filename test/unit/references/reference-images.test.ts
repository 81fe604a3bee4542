import { describe, expect, it } from 'vitest'
import type { EarlyBytes } from '../../../src/references/early-bytes.ts'
import type { PictureSource } from '../../../src/references/picture-sources.ts'
import { createReferenceImages } from '../../../src/references/reference-images.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import { createFakeClock } from '../../support/fake-clock.ts'

const IMAGE = {
  bytes: new Uint8Array([1]),
  mimeType: 'image/png',
  extension: 'png',
  width: 1,
  height: 1,
  sizeBytes: 1,
  sha256: '0'.repeat(64),
  hasAlpha: false,
} as const

function open(loadMs: number) {
  const clock = createFakeClock()
  const loaded: number[] = []
  const dropped: string[] = []
  const earlyBytes: EarlyBytes = {
    doom: async () => undefined,
    pardon: async () => undefined,
    drop: async (owner) => void dropped.push(owner),
  }
  const sources = Array.from({ length: 6 }, (_, index): PictureSource => {
    const load = async () => {
      loaded.push(index)
      await clock.sleep(loadMs)
      return IMAGE
    }
    return { role: 'reference', path: `referenceImages.${index}`, size: null, load }
  })
  const storage = createMemoryStorage({ clock })
  const images = createReferenceImages({ storage, earlyBytes, clock })
  return { clock, storage, images, sources, loaded, dropped }
}

describe('the pictures of a request', () => {
  it('are kept where they are read in the time that an operation has', async () => {
    const { clock, images, sources, dropped } = open(12_000)
    const kept = images.keep('gen_1', sources)
    await clock.advance(24_000)
    expect(await kept).toHaveLength(6)
    expect(dropped).toEqual([])
  })

  it('that wait too long for their turn begin nothing of which nobody is told any more', async () => {
    const { clock, storage, images, sources, loaded, dropped } = open(26_000)
    const kept = images.keep('gen_1', sources)
    kept.catch(() => undefined)
    await clock.advance(60_000)
    await expect(kept).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(loaded).toEqual([0, 1, 2])
    for await (const { key } of storage.list('')) expect.unreachable(key)
    expect(dropped).toEqual(['gen_1'])
  })
})
