import { DummyDriver, Kysely, type QueryExecutor, SqliteDialect } from 'kysely'
import type { BlobStorage } from '../../src/storage/blob-storage.ts'
import type { Database, Db } from '../../src/store/database.ts'

/**
 * A database and a storage as a process sees them that may be killed. After `kill` nothing is written and nothing comes
 * back, also of what was under way, which may have been carried out or not.
 */
export type Mortal = {
  readonly database: Database
  readonly storage: BlobStorage
  kill(): void
  /** Resolves when nothing is being read or written, nor begun by what was. */
  quiet(): Promise<void>
}

export function createMortal(database: Database, storage: BlobStorage): Mortal {
  let dead = false
  const running = new Set<Promise<unknown>>()
  const never = <T>() => new Promise<T>(() => {})

  async function outlive<T>(work: () => Promise<T>): Promise<T> {
    if (dead) return never()
    try {
      const value = await track(work())
      return dead ? await never<T>() : value
    } catch (error) {
      if (dead) return never()
      throw error
    }
  }

  function track<T>(working: Promise<T>): Promise<T> {
    running.add(working)
    const forget = () => running.delete(working)
    working.then(forget, forget)
    return working
  }

  return {
    database: {
      ...database,
      read: watchReads(database.read, (read) => void track(read)),
      snapshot: (look) => track(database.snapshot(look)),
      transact: (work) => outlive(() => database.transact(work)),
    },
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

/** The same handle, which tells of each statement that it begins. */
function watchReads(read: Db, onRead: (reading: Promise<unknown>) => void): Db {
  const inner = read.getExecutor()
  const dialect = new SqliteDialect({ database: async () => Promise.reject(new Error('Not to be opened.')) })
  const executor: QueryExecutor = {
    adapter: inner.adapter,
    plugins: inner.plugins,
    transformQuery: (...given) => inner.transformQuery(...given),
    compileQuery: (...given) => inner.compileQuery(...given),
    executeQuery(...given) {
      const reading = inner.executeQuery(...given)
      onRead(reading)
      return reading as never
    },
    stream: (...given) => inner.stream(...given),
    provideConnection: (consumer) => inner.provideConnection(consumer),
    withConnectionProvider: () => executor,
    withPlugin: () => executor,
    withPluginAtFront: () => executor,
    withPlugins: () => executor,
    withoutPlugins: () => executor,
  }
  return new Kysely({ config: { dialect }, dialect, driver: new DummyDriver(), executor })
}
