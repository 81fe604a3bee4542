import type { BlobStorage } from '../../src/storage/blob-storage.ts'
import type { Database } from '../../src/store/database.ts'

/**
 * A database and a storage as a process sees them that may be killed. After `kill` nothing is written and nothing comes
 * back, also of what was under way, which may have been carried out or not.
 */
export type Mortal = { readonly database: Database; readonly storage: BlobStorage; kill(): void }

export function createMortal(database: Database, storage: BlobStorage): Mortal {
  let dead = false
  const never = <T>() => new Promise<T>(() => {})

  async function outlive<T>(work: () => Promise<T>): Promise<T> {
    if (dead) return never()
    try {
      const value = await work()
      return dead ? await never<T>() : value
    } catch (error) {
      if (dead) return never()
      throw error
    }
  }

  return {
    database: { ...database, transact: (work) => outlive(() => database.transact(work)) },
    storage: {
      ...storage,
      put: (key, bytes) => outlive(() => storage.put(key, bytes)),
      delete: (key) => outlive(() => storage.delete(key)),
      deletePrefix: (prefix) => outlive(() => storage.deletePrefix(prefix)),
    },
    kill: () => {
      dead = true
    },
  }
}
