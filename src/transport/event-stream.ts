import type { ServerResponse } from 'node:http'
import type { ExecutionResult } from 'graphql'
import type { Cancel, Scheduler } from './scheduler.ts'

export type StreamEnd = 'completed' | 'disconnected' | 'stalled' | 'ended'

export type EventStreamOptions = {
  readonly response: ServerResponse
  readonly events: AsyncIterator<ExecutionResult>
  /** Of the event whose result was handed out last: results are pulled one at a time, so it is the one being written. */
  cursor(): string | null
  /** Makes a result fit to be seen. */
  present(result: ExecutionResult): ExecutionResult
  mask(error: unknown): ExecutionResult
  readonly scheduler: Scheduler
  readonly pingMs: number
  readonly stallMs: number
}

export type EventStream = {
  /** Resolves when nothing more will be written and the source has been told. */
  readonly done: Promise<StreamEnd>
  /** Ends the answer without `complete`, so that clients come back with the last id that they saw. */
  end(): void
}

/** A line that starts with a colon is a comment: it keeps proxies from closing, and makes fetch hand out the headers. */
const KEEP_ALIVE = ':\n\n'

/**
 * Writes results as server-sent events: the source is asked for the next one only when the last one has left for the
 * kernel, so pressure reaches the source, and a reader that takes nothing is cut off with its source returned.
 * Headers must be set already.
 */
export function openEventStream(options: EventStreamOptions): EventStream {
  const { response, events, scheduler } = options
  const { promise: done, resolve } = Promise.withResolvers<StreamEnd>()
  let open = true
  let cancelPing: Cancel = ping()
  response.on('error', () => undefined)
  response.once('close', () => close('disconnected'))
  response.write(KEEP_ALIVE)

  function ping(): Cancel {
    return scheduler.after(options.pingMs, () => {
      if (!response.writableNeedDrain) response.write(KEEP_ALIVE)
      cancelPing = ping()
    })
  }

  function close(how: StreamEnd): void {
    if (!open) return
    open = false
    cancelPing()
    if (how === 'stalled') response.destroy()
    else response.end()
    // A source that waits for its next event settles that wait by being returned; a failure of it concerns nobody now.
    events.return?.().catch(() => undefined)
    resolve(how)
  }

  async function write(): Promise<void> {
    while (open) {
      const { text, last } = await pull(options)
      if (!open) return
      const drained = response.write(text)
      if (last) close('completed')
      else if (!drained) await untilDrained(options, () => close('stalled'))
    }
  }

  void write()
  return { done, end: () => close('ended') }
}

const COMPLETE = 'event: complete\ndata:\n\n'

async function pull(options: EventStreamOptions): Promise<{ text: string; last: boolean }> {
  try {
    const next = await options.events.next()
    if (next.done) return { text: COMPLETE, last: true }
    return { text: formatEvent(options.present(next.value), options.cursor()), last: false }
  } catch (error) {
    return { text: formatEvent(options.mask(error), null) + COMPLETE, last: true }
  }
}

function formatEvent(result: ExecutionResult, cursor: string | null): string {
  const id = cursor === null || /[\n\r\0]/.test(cursor) ? '' : `id: ${cursor}\n`
  return `${id}event: next\ndata: ${JSON.stringify(result)}\n\n`
}

function untilDrained({ response, scheduler, stallMs }: EventStreamOptions, onStall: () => void): Promise<void> {
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
