import { beforeEach, describe, expect, it } from 'vitest'
import { createPreviewStore } from '../../../src/storage/preview-store.ts'
import { paintImage } from './image-fixtures.ts'

describe('the preview store', () => {
  let png: Buffer
  let jpeg: Buffer
  beforeEach(async () => {
    png = await paintImage({ width: 8, height: 8, format: 'png' })
    jpeg = await paintImage({ width: 8, height: 8, format: 'jpeg' })
  })
  const openStore = (maxBytes = 1_000_000) => {
    const clock = { nowMs: 0, now: () => clock.nowMs }
    let made = 0
    const ids = {
      token: () => {
        made += 1
        return `token-${made}`
      },
    }
    return { clock, previews: createPreviewStore({ clock, ids, ttlMs: 1000, maxBytes }) }
  }

  it('gives back the picture and what it is', () => {
    const { previews } = openStore()
    const id = previews.put({ generationId: 'gen_a', index: 0, bytes: jpeg }) ?? ''
    const preview = previews.get(id)
    expect(preview).toMatchObject({ generationId: 'gen_a', mimeType: 'image/jpeg' })
    expect(jpeg.equals(preview?.bytes ?? Buffer.alloc(0))).toBe(true)
  })

  it('has a new id for each picture, and answers an older one with the latest', () => {
    const { previews } = openStore()
    const first = previews.put({ generationId: 'gen_a', index: 0, bytes: png }) ?? ''
    const second = previews.put({ generationId: 'gen_a', index: 0, bytes: jpeg }) ?? ''
    expect(second).not.toBe(first)
    expect(previews.get(first)?.mimeType).toBe('image/jpeg')
    expect(previews.get(second)?.mimeType).toBe('image/jpeg')
    expect(previews.totalBytes()).toBe(jpeg.length)
  })

  it('keeps indexes and generations apart', () => {
    const { previews } = openStore()
    const slots = [
      { generationId: 'gen_a', index: 0 },
      { generationId: 'gen_a', index: 1 },
      { generationId: 'gen_b', index: 0 },
    ]
    const ids = slots.map((slot) => previews.put({ ...slot, bytes: png }) ?? '')
    previews.deleteGeneration('gen_a')
    expect(ids.map((id) => previews.get(id)?.generationId)).toEqual([undefined, undefined, 'gen_b'])
    expect(previews.totalBytes()).toBe(png.length)
  })

  it('forgets a picture after its time and frees its bytes with the next', () => {
    const { previews, clock } = openStore()
    const id = previews.put({ generationId: 'gen_a', index: 0, bytes: png }) ?? ''
    clock.nowMs = 999
    expect(previews.get(id)).toBeDefined()
    clock.nowMs = 1000
    expect(previews.get(id)).toBeUndefined()
    previews.put({ generationId: 'gen_b', index: 0, bytes: jpeg })
    expect(previews.totalBytes()).toBe(jpeg.length)
  })

  it('lets the oldest go when it is full', () => {
    const { previews } = openStore(png.length * 2)
    const ids = [0, 1, 2].map((index) => previews.put({ generationId: 'gen_a', index, bytes: png }) ?? '')
    expect(ids.map((id) => previews.get(id) !== undefined)).toEqual([false, true, true])
    expect(previews.totalBytes()).toBe(png.length * 2)
  })

  it('keeps neither what is no picture nor what is larger than itself', () => {
    const { previews } = openStore(png.length - 1)
    expect(previews.put({ generationId: 'gen_a', index: 0, bytes: Buffer.from('<html>') })).toBeUndefined()
    expect(previews.put({ generationId: 'gen_a', index: 0, bytes: png })).toBeUndefined()
    expect(previews.totalBytes()).toBe(0)
  })

  it.each(['', '.', 'token-1', 'token-9.1', '__proto__.1'])('knows nothing of %j', (id) => {
    expect(openStore().previews.get(id)).toBeUndefined()
  })
})
