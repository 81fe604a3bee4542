import type { BlobStorage } from '../../src/storage/blob-storage.ts'
import type { Database } from '../../src/store/database.ts'

/**
 * A database and a storage as a process sees them that may be killed. After `kill` nothing is written and nothing comes
 * back, also of what was under way, which may have been carried out or not.
 */
export type Mortal = {
  readonly database: Database
  readonly storage: BlobStorage
  kill(): void
  /** Resolves when nothing is being written, nor begun by what was. */
  quiet(): Promise<void>
}

export function createMortal(database: Database, storage: BlobStorage): Mortal {
  let dead = false
  const running = new Set<Promise<unknown>>()
  const never = <T>() => new Promise<T>(() => {})

  async function outlive<T>(work: () => Promise<T>): Promise<T> {
    if (dead) return never()
    const working = work()
    running.add(working)
    try {
      const value = await working
      return dead ? await never<T>() : value
    } catch (error) {
      if (dead) return never()
      throw error
    } finally {
      running.delete(working)
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
    async quiet() {
      do {
        await Promise.allSettled(running)
        await new Promise<void>((resolve) => setImmediate(resolve))
      } while (running.size > 0)
    },
  }
}
