import type { Clock } from '../clock.ts'

/** Something to be done again and again, at the latest every so often, and at once when nudged. */
export type Loop = {
  start(): void
  /** Run soon. While it runs already: once more behind it, so that nothing that just came is overlooked. */
  nudge(): void
  /** Resolves when the run that is under way has ended. */
  stop(): Promise<void>
}

export function createLoop(deps: {
  clock: Clock
  everyMs: number
  /** Before the first run; at once where it is left out. */
  firstAfterMs?: number
  /** What takes long looks at the signal: `stop` waits for it. */
  run: (stopping: AbortSignal) => Promise<void>
  /** A run that throws is told of and the loop goes on at its next turn. */
  onError: (error: unknown) => void
}): Loop {
  const { clock, everyMs, firstAfterMs = 0, run, onError } = deps
  const stopping = new AbortController()
  let waking = new AbortController()
  let running: Promise<void> = Promise.resolve()

  const turn = async () => {
    if (firstAfterMs > 0) await clock.sleep(firstAfterMs, stopping.signal)
    while (!stopping.signal.aborted) {
      waking = new AbortController()
      try {
        await run(stopping.signal)
      } catch (error) {
        onError(error)
      }
      await clock.sleep(everyMs, AbortSignal.any([waking.signal, stopping.signal]))
    }
  }

  return {
    start() {
      running = turn()
    },
    nudge: () => waking.abort(),
    stop() {
      stopping.abort()
      return running
    },
  }
}
