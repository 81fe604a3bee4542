import type { Clock } from '../clock.ts'

export type Refreshable = {
  /** Reads the log again, or notices that nobody reads. Does not throw. */
  refresh(): void
}

/** Calls every stream once in each `everyMs`, so that a lost publish delays a watcher by that much at most. */
export type StreamRefresher = {
  /** The answer takes the stream off again. */
  add(stream: Refreshable): () => void
  /** Streams that are on. */
  size(): number
  stop(): void
}

/**
 * One timer for all streams, running only while there are any. They are spread over `turns` groups that take turns, so
 * that ten thousand watchers do not read the log in the same millisecond.
 */
export function createStreamRefresher(deps: {
  readonly clock: Clock
  readonly everyMs: number
  readonly turns?: number
}): StreamRefresher {
  const { clock, everyMs, turns = 50 } = deps
  const groups = Array.from({ length: turns }, () => new Set<Refreshable>())
  const stopping = new AbortController()
  let streams = 0
  let added = 0
  let running = false

  async function run(): Promise<void> {
    for (let turn = 0; streams > 0; turn = (turn + 1) % turns) {
      await clock.sleep(everyMs / turns, stopping.signal)
      if (stopping.signal.aborted) return
      for (const stream of groups[turn] ?? []) stream.refresh()
    }
    running = false
  }

  return {
    add(stream) {
      const group = groups[added++ % turns]
      group?.add(stream)
      streams += 1
      if (!running && !stopping.signal.aborted) {
        running = true
        void run()
      }
      return () => {
        if (group?.delete(stream)) streams -= 1
      }
    },
    size: () => streams,
    stop: () => stopping.abort(),
  }
}
