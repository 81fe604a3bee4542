import type { Metrics } from '../metrics.ts'
import type { BlobStorage } from './blob-storage.ts'

/** The storage with its uses and bytes counted; a use counts once it has succeeded. */
export function observeStorage(storage: BlobStorage, metrics: Pick<Metrics, 'storage'>): BlobStorage {
  return {
    ...storage,
    async put(key, bytes) {
      await storage.put(key, bytes)
      metrics.storage('write', bytes.byteLength)
    },
    async get(key) {
      const bytes = await storage.get(key)
      if (bytes !== undefined) metrics.storage('read', bytes.byteLength)
      return bytes
    },
    async open(key, range) {
      const blob = await storage.open(key, range)
      const sizeBytes = range === undefined ? (blob?.sizeBytes ?? 0) : range.end - range.start + 1
      if (blob !== undefined) metrics.storage('read', sizeBytes)
      return blob
    },
    async delete(key) {
      await storage.delete(key)
      metrics.storage('delete', 0)
    },
    async deletePrefix(prefix) {
      await storage.deletePrefix(prefix)
      metrics.storage('delete', 0)
    },
  }
}
