import type { ProviderCall } from '../provider.ts'

/** The progress of several jobs as that of one request: the mean of its parts, which never goes back. */
export type PartsProgress = {
  /** `progress` 0 to 1; null where the vendor tells nothing. */
  update(index: number, progress: number | null, message?: string): void
}

export function createPartsProgress(call: ProviderCall, parts: number): PartsProgress {
  const progressOf = Array.from({ length: parts }, (_, index): number => (call.delivered.has(index) ? 1 : 0))
  let told = 0
  return {
    update(index, progress, message) {
      if (progress !== null) progressOf[index] = Math.min(1, Math.max(progressOf[index] ?? 0, progress))
      const mean = progressOf.reduce((sum, each) => sum + each, 0) / parts
      if (progress !== null && mean > told) told = mean
      call.onProgress({ progress: told === 0 ? null : told, ...(message !== undefined && { message }) })
    },
  }
}
