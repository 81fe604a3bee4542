import type { ServerResponse } from 'node:http'
import type { Scheduler } from './scheduler.ts'

export type ReadingPace = {
  readonly response: ServerResponse
  readonly scheduler: Scheduler
  /** How long a reader may take nothing while something waits for it. */
  readonly stallMs: number
}

/** Resolves when what was written has left, the reader has gone, or it has taken nothing for too long. */
export function untilDrained({ response, scheduler, stallMs }: ReadingPace, onStall: () => void): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      cancel()
      response.off('drain', settle).off('close', settle)
      resolve()
    }
    const cancel = scheduler.after(stallMs, () => {
      onStall()
      settle()
    })
    response.once('drain', settle).once('close', settle)
    if (response.destroyed) settle()
  })
}
