import { buffer } from 'node:stream/consumers'
import { finished } from 'node:stream/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type BlobStorage, InvalidBlobKeyError } from '../../src/storage/blob-storage.ts'

export type StorageUnderTest = { readonly storage: BlobStorage; close(): Promise<void> }

const KEY = 'gen_a/11.png'
const bytesOf = (text: string) => new TextEncoder().encode(text)

const HOSTILE_KEYS = [
  '',
  '.',
  '..',
  '../x',
  'gen_a/../../x',
  'gen_a/./x',
  '/etc/passwd',
  'gen_a//x',
  'gen_a/',
  '.tmp/x',
  'gen_a/.hidden',
  'gen_a\\..\\x',
  'gen_a/%2e%2e/x',
  'gen_a/x\0.png',
  'gen_a/x\n',
  'Gen_A/x',
  'gen_a/ä',
  'a'.repeat(201),
  'a/'.repeat(300).concat('a'),
]

/** What every adapter of the port must do. */
export function describeBlobStorage(name: string, openStorage: () => Promise<StorageUnderTest>): void {
  describe(name, () => {
    let underTest: StorageUnderTest
    let storage: BlobStorage
    beforeEach(async () => {
      underTest = await openStorage()
      storage = underTest.storage
    })
    afterEach(() => underTest.close())
    const keysBelow = async (prefix: string) => {
      const keys: string[] = []
      for await (const blob of storage.list(prefix)) keys.push(blob.key)
      return keys.sort()
    }

    it('gives back what was put', async () => {
      await storage.put(KEY, bytesOf('one'))
      expect(Buffer.from((await storage.get(KEY)) ?? []).toString()).toBe('one')
      expect(await storage.has(KEY)).toBe(true)
      expect(await storage.find(KEY)).toEqual({ key: KEY, sizeBytes: 3, modifiedAt: expect.any(Number) })
    })

    it('keeps its own copy of the bytes', async () => {
      const bytes = bytesOf('one')
      await storage.put(KEY, bytes)
      bytes.fill(0)
      expect(Buffer.from((await storage.get(KEY)) ?? []).toString()).toBe('one')
    })

    it('replaces the bytes of a key that is put again', async () => {
      await storage.put(KEY, bytesOf('a longer first'))
      await storage.put(KEY, bytesOf('second'))
      expect(Buffer.from((await storage.get(KEY)) ?? []).toString()).toBe('second')
      expect(await keysBelow('')).toEqual([KEY])
    })

    it('takes an empty blob', async () => {
      await storage.put(KEY, new Uint8Array())
      expect(await storage.get(KEY)).toHaveLength(0)
      expect((await storage.find(KEY))?.sizeBytes).toBe(0)
    })

    it('answers undefined for what is not there, also where a folder of that name is', async () => {
      await storage.put(KEY, bytesOf('one'))
      for (const missing of ['gen_b/11.png', 'gen_a', 'gen_a/11.png/x']) {
        expect(await storage.get(missing)).toBeUndefined()
        expect(await storage.open(missing)).toBeUndefined()
        expect(await storage.find(missing)).toBeUndefined()
        expect(await storage.has(missing)).toBe(false)
      }
    })

    it('streams the whole blob and any part of it', async () => {
      await storage.put(KEY, bytesOf('0123456789'))
      const read = async (range?: { start: number; end: number }) => {
        const blob = await storage.open(KEY, range)
        if (!blob) throw new Error('The blob is not there.')
        return { sizeBytes: blob.sizeBytes, text: (await buffer(blob.stream)).toString() }
      }
      expect(await read()).toEqual({ sizeBytes: 10, text: '0123456789' })
      expect(await read({ start: 0, end: 0 })).toEqual({ sizeBytes: 10, text: '0' })
      expect(await read({ start: 3, end: 6 })).toEqual({ sizeBytes: 10, text: '3456' })
      expect(await read({ start: 9, end: 9 })).toEqual({ sizeBytes: 10, text: '9' })
      expect(await read({ start: 8, end: 20 })).toEqual({ sizeBytes: 10, text: '89' })
      expect(await read({ start: 10, end: 20 })).toEqual({ sizeBytes: 10, text: '' })
    })

    it('lets go of what was opened and is not read', async () => {
      await storage.put(KEY, bytesOf('0123456789'))
      for (let turn = 0; turn < 12; turn += 1) {
        const blob = await storage.open(KEY)
        if (!blob) throw new Error('The blob is not there.')
        blob.stream.destroy()
        await finished(blob.stream).catch(() => undefined)
      }
      expect(await storage.get(KEY)).toHaveLength(10)
    })

    it('carries large blobs through unchanged', async () => {
      const large = Buffer.alloc(9 * 1024 * 1024 + 7)
      for (let at = 0; at < large.length; at += 4093) large[at] = at % 251
      await storage.put(KEY, large)
      expect(large.equals((await storage.get(KEY)) ?? Buffer.alloc(0))).toBe(true)
      const blob = await storage.open(KEY)
      expect(blob && large.equals(await buffer(blob.stream))).toBe(true)
    })

    it('reads an opened blob to its end although it is deleted meanwhile', async () => {
      await storage.put(KEY, bytesOf('still here'))
      const blob = await storage.open(KEY)
      await storage.delete(KEY)
      expect(blob && (await buffer(blob.stream)).toString()).toBe('still here')
    })

    it('never shows a reader half of a write', async () => {
      const versions = ['a', 'b'].map((letter) => Buffer.alloc(512 * 1024, letter))
      const [first = Buffer.alloc(0)] = versions
      await storage.put(KEY, first)
      let writing = true
      const readWhileWriting = async () => {
        let reads = 0
        for (; writing; reads += 1) {
          const bytes = Buffer.from((await storage.get(KEY)) ?? [])
          expect(versions.some((version) => version.equals(bytes))).toBe(true)
          expect(await keysBelow('')).toEqual([KEY])
        }
        return reads
      }
      const readers = [readWhileWriting(), readWhileWriting()]
      for (let turn = 0; turn < 10; turn += 1) {
        const version = versions[turn % 2] ?? first
        await Promise.all([storage.put(KEY, version), storage.put(KEY, version)])
      }
      writing = false
      for (const reads of await Promise.all(readers)) expect(reads).toBeGreaterThan(0)
    })

    it('puts while the same folder is being deleted, and neither fails', async () => {
      await Promise.all(
        Array.from({ length: 20 }, async (_, index) => {
          await storage.put(`gen_a/${index}.png`, bytesOf('x'))
          await (index % 2 ? storage.delete(`gen_a/${index}.png`) : storage.deletePrefix('gen_a/'))
        }),
      )
      expect(await keysBelow('')).toEqual([])
    })

    it('deletes one blob and is content when it is gone already', async () => {
      await storage.put(KEY, bytesOf('one'))
      await storage.put('gen_a/22.png', bytesOf('two'))
      await storage.delete(KEY)
      await storage.delete(KEY)
      await storage.delete('gen_none/1.png')
      expect(await keysBelow('')).toEqual(['gen_a/22.png'])
    })

    it('deletes everything below a prefix and nothing beside it', async () => {
      const kept = ['gen_10/1.png', 'variants/gen_1/aa/w1.png']
      for (const key of ['gen_1/1.png', 'gen_1/deep/2.png', ...kept]) await storage.put(key, bytesOf(key))
      await storage.deletePrefix('gen_1/')
      await storage.deletePrefix('gen_1/')
      await storage.deletePrefix('gen_10/1.png/')
      expect(await keysBelow('')).toEqual(kept)
    })

    it('lists what is below a folder', async () => {
      for (const key of ['gen_1/1.png', 'gen_1/deep/2.png', 'gen_10/1.png']) await storage.put(key, bytesOf(key))
      expect(await keysBelow('gen_1/')).toEqual(['gen_1/1.png', 'gen_1/deep/2.png'])
      expect(await keysBelow('gen_2/')).toEqual([])
      expect(await keysBelow('')).toHaveLength(3)
      for await (const blob of storage.list('gen_10/')) expect(blob).toMatchObject({ sizeBytes: 12 })
    })

    it('says that it can be written to and leaves nothing behind', async () => {
      await storage.check()
      expect(await keysBelow('')).toEqual([])
    })

    it.each(HOSTILE_KEYS)('refuses the key %j everywhere', async (key) => {
      await expect(storage.put(key, bytesOf('x'))).rejects.toThrow(InvalidBlobKeyError)
      await expect(storage.get(key)).rejects.toThrow(InvalidBlobKeyError)
      await expect(storage.open(key)).rejects.toThrow(InvalidBlobKeyError)
      await expect(storage.find(key)).rejects.toThrow(InvalidBlobKeyError)
      await expect(storage.has(key)).rejects.toThrow(InvalidBlobKeyError)
      await expect(storage.delete(key)).rejects.toThrow(InvalidBlobKeyError)
    })

    it.each(['', '/', '../', 'gen_a/../', '.tmp/', 'gen_a', '/gen_a/', 'gen_a//'])(
      'refuses to delete the prefix %j',
      async (prefix) => {
        await expect(storage.deletePrefix(prefix)).rejects.toThrow(InvalidBlobKeyError)
        if (prefix !== '') await expect(keysBelow(prefix)).rejects.toThrow(InvalidBlobKeyError)
      },
    )
  })
}
