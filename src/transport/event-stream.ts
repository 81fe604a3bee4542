import type { ServerResponse } from 'node:http'
import { untilDrained } from './reading-pace.ts'
import type { Cancel, Scheduler } from './scheduler.ts'

export type StreamEnd = 'completed' | 'disconnected' | 'stalled' | 'ended'

/** Where the events come from, and how each is written. */
export type EventSource<Item> = {
  readonly events: AsyncIterator<Item>
  /** The text of one event, empty line included. */
  format(item: Item): string
  /** What the source has thrown, as its last event. */
  formatError(error: unknown): string
  /** Behind the last event; empty: the end of the answer is the end. */
  readonly farewell: string
}

export type EventStreamOptions<Item> = EventSource<Item> & {
  readonly response: ServerResponse
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

export const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
}

/**
 * Writes results as server-sent events: the source is asked for the next one only when the last one has left for the
 * kernel, so pressure reaches the source, and a reader that takes nothing is cut off with its source returned.
 * Headers must be set already.
 */
export function openEventStream<Item>(options: EventStreamOptions<Item>): EventStream {
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

async function pull<Item>(source: EventSource<Item>): Promise<{ text: string; last: boolean }> {
  try {
    const next = await source.events.next()
    return next.done ? { text: source.farewell, last: true } : { text: source.format(next.value), last: false }
  } catch (error) {
    return { text: source.formatError(error) + source.farewell, last: true }
  }
}

/** One event. A cursor that would break the lines is left out. */
export function formatEvent(name: string, data: object, cursor: string | null): string {
  const id = cursor === null || /[\n\r\0]/.test(cursor) ? '' : `id: ${cursor}\n`
  return `${id}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}
