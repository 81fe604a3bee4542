/** Sizes of what is cached, the least recently used first. Knows nothing of the bytes. */
export type RecencyIndex = {
  /** Makes it the most recent, new or not. */
  touch(key: string, sizeBytes: number): void
  forget(key: string): void
  forgetPrefix(prefix: string): void
  /** Takes out and returns the least recent keys until the rest fits; the most recent one always stays. */
  takeExcess(maxBytes: number): readonly string[]
  totalBytes(): number
}

export function createRecencyIndex(): RecencyIndex {
  const sizes = new Map<string, number>()
  let totalBytes = 0
  const forget = (key: string) => {
    totalBytes -= sizes.get(key) ?? 0
    sizes.delete(key)
  }
  return {
    touch: (key, sizeBytes) => {
      forget(key)
      sizes.set(key, sizeBytes)
      totalBytes += sizeBytes
    },
    forget,
    forgetPrefix: (prefix) => {
      for (const key of [...sizes.keys()]) if (key.startsWith(prefix)) forget(key)
    },
    takeExcess: (maxBytes) => {
      const taken: string[] = []
      for (const key of sizes.keys()) {
        if (totalBytes <= maxBytes || sizes.size === 1) break
        forget(key)
        taken.push(key)
      }
      return taken
    },
    totalBytes: () => totalBytes,
  }
}
