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
 * The generation when it has ended; null where the signal came first. Throws as `watch` does: NOT_FOUND also for what is
 * deleted meanwhile.
 */
export async function watchToEnd(
  watcher: Pick<GenerationWatcher, 'watch'>,
  viewer: Viewer,
  generationId: string,
  { signal, onEvent }: EndWatch,
): Promise<Generation | null> {
  for await (const watched of followToEnd(watcher, viewer, generationId, signal)) {
    if (isEnd(watched)) return watched.generation
    await onEvent?.(watched)
  }
  return null
}

/**
 * Every event up to the last one, or to the signal. Who is too slow for the stream is taken up again where it was left.
 * The signal must abort when nobody reads any more: a generator that waits is not ended by `return()` alone.
 */
export async function* followToEnd(
  watcher: Pick<GenerationWatcher, 'watch'>,
  viewer: Viewer,
  generationId: string,
  signal: AbortSignal,
): AsyncGenerator<WatchedEvent, void> {
  let after: string | null = null
  while (!signal.aborted) {
    const stream = await watcher.watch(viewer, generationId, after)
    const stop = () => void stream.return?.()
    signal.addEventListener('abort', stop, { once: true })
    try {
      for await (const watched of stream) {
        if (signal.aborted) return
        after = watched.cursor
        yield watched
        if (isEnd(watched)) return
      }
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }
}

export function isEnd({ event }: WatchedEvent): boolean {
  return 'status' in event && isTerminal(event.status)
}
