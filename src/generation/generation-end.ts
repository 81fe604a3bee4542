import type { Viewer } from '../viewer.ts'
import { isTerminal } from './generation-state.ts'
import type { Generation } from './generation-types.ts'
import type { GenerationWatcher, WatchedEvent } from './services.ts'

export type EndWatch = {
  /** Ends the watching, and nothing else: the generation goes on. */
  readonly signal: AbortSignal
  /** Every event before the last one. The next waits for it. */
  onEvent?(watched: WatchedEvent): Promise<void> | void
}

/**
 * The generation when it has ended; null where the signal came first. Whoever is too slow for the stream is taken up again
 * where it was left. Throws as `watch` does: NOT_FOUND also for what is deleted meanwhile.
 */
export async function watchToEnd(
  watcher: Pick<GenerationWatcher, 'watch'>,
  viewer: Viewer,
  generationId: string,
  { signal, onEvent }: EndWatch,
): Promise<Generation | null> {
  let after: string | null = null
  while (!signal.aborted) {
    const stream = await watcher.watch(viewer, generationId, after)
    const stop = () => void stream.return?.()
    signal.addEventListener('abort', stop, { once: true })
    try {
      for await (const watched of stream) {
        if (signal.aborted) return null
        if (isEnd(watched)) return watched.generation
        after = watched.cursor
        await onEvent?.(watched)
      }
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }
  return null
}

function isEnd({ event }: WatchedEvent): boolean {
  return 'status' in event && isTerminal(event.status)
}
