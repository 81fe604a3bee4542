import type { Breaches } from '../store/invariant-store.ts'

/** Counts all, and keeps the first few. */
export type FoundIds = { add(id: string): void; found(): Breaches }

export function createFoundIds(maxIds: number): FoundIds {
  const ids: string[] = []
  let count = 0
  return {
    add(id) {
      count += 1
      if (ids.length < maxIds) ids.push(id)
    },
    found: () => ({ count, ids }),
  }
}
