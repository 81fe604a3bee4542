import type { Clock } from '../clock.ts'

/** Ctrl-C and its like. */
export type Interruptions = {
  /** The first one calls `onFirst`, a later one ends the process. Returns what ends the listening. */
  listen(signals: readonly StopSignal[], onFirst: () => void): () => void
}

export type StopSignal = 'SIGINT' | 'SIGTERM'

export type SignalSource = {
  on(signal: StopSignal, listener: () => void): unknown
  off(signal: StopSignal, listener: () => void): unknown
}

/** npm hands on to its script the Ctrl-C that the terminal has sent to both: one key press arrives twice. */
const ECHO_MS = 400

export function createInterruptions(deps: {
  readonly source: SignalSource
  readonly clock: Pick<Clock, 'now'>
  /** Ends the process now. */
  exit(): void
}): Interruptions {
  const { source, clock, exit } = deps
  return {
    listen(signals, onFirst) {
      let firstAt: number | undefined
      const onSignal = () => {
        const now = clock.now()
        if (firstAt === undefined) {
          firstAt = now
          onFirst()
        } else if (now - firstAt >= ECHO_MS) exit()
      }
      for (const signal of signals) source.on(signal, onSignal)
      return () => {
        for (const signal of signals) source.off(signal, onSignal)
      }
    },
  }
}
