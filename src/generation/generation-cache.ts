import { LRUCache } from 'lru-cache'
import type { Generation } from './generation-types.ts'

/**
 * The newest state of the generations that are being watched, shared by all their watchers: one event costs one read
 * however many look on. A hint like the bus: whoever needs a sequence that is not here yet reads the database.
 */
export type GenerationCache = {
  /** Keeps the newer one. */
  put(generation: Generation): void
  findAtLeast(id: string, sequence: number): Generation | undefined
  drop(id: string): void
}

const MAX_GENERATIONS = 5_000

export function createGenerationCache(): GenerationCache {
  const newest = new LRUCache<string, Generation>({ max: MAX_GENERATIONS })
  return {
    put(generation) {
      const known = newest.get(generation.id)
      if (known === undefined || known.sequence <= generation.sequence) newest.set(generation.id, generation)
    },
    findAtLeast(id, sequence) {
      const known = newest.get(id)
      return known !== undefined && known.sequence >= sequence ? known : undefined
    },
    drop: (id) => {
      newest.delete(id)
    },
  }
}
