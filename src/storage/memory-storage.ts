import { Readable } from 'node:stream'
import type { Clock } from '../clock.ts'
import { assertBlobKey, assertBlobPrefix, type BlobStorage } from './blob-storage.ts'

type Blob = { readonly bytes: Uint8Array; readonly modifiedAt: number }

/** For tests and for trying things out: nothing outlives the process, nothing is bounded. */
export function createMemoryStorage(deps: { clock: Pick<Clock, 'now'> }): BlobStorage {
  const blobs = new Map<string, Blob>()
  const infoOf = (key: string, { bytes, modifiedAt }: Blob) => ({ key, sizeBytes: bytes.byteLength, modifiedAt })
  const findBlob = (key: string): Blob | undefined => {
    assertBlobKey(key)
    return blobs.get(key)
  }
  return {
    put: async (key, bytes) => {
      assertBlobKey(key)
      blobs.set(key, { bytes: Uint8Array.from(bytes), modifiedAt: deps.clock.now() })
    },
    get: async (key) => findBlob(key)?.bytes.slice(),
    open: async (key, range) => {
      const blob = findBlob(key)
      if (!blob) return undefined
      const part = range ? blob.bytes.subarray(range.start, range.end + 1) : blob.bytes
      return { sizeBytes: blob.bytes.byteLength, stream: Readable.from([Buffer.from(part)], { objectMode: false }) }
    },
    find: async (key) => {
      const blob = findBlob(key)
      return blob && infoOf(key, blob)
    },
    has: async (key) => findBlob(key) !== undefined,
    delete: async (key) => {
      assertBlobKey(key)
      blobs.delete(key)
    },
    deletePrefix: async (prefix) => {
      assertBlobPrefix(prefix)
      for (const key of [...blobs.keys()]) if (key.startsWith(prefix)) blobs.delete(key)
    },
    list: async function* (prefix) {
      if (prefix !== '') assertBlobPrefix(prefix)
      for (const [key, blob] of [...blobs]) if (key.startsWith(prefix)) yield infoOf(key, blob)
    },
    removeLeftovers: async () => 0,
    check: async () => undefined,
  }
}
