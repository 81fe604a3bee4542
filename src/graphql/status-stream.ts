import type { WatchedEvent } from '../generation/services.ts'
import type { Context } from './context.ts'
import type { StatusEvent } from './schema-types.ts'

/**
 * A watcher's iterator on its way to the transport: notes the cursor of what it hands out. Written by hand, because an
 * `async function*` that waits for its source is not ended by `return()` until the source speaks again.
 */
export function createStatusStream(
  source: AsyncIterator<WatchedEvent>,
  stream: Context['stream'],
): AsyncIterableIterator<StatusEvent> {
  // LAGGED has no sequence of its own. To repeat a later one than was handed out would make a client skip events.
  let sequence = 0
  const iterator: AsyncIterableIterator<StatusEvent> = {
    async next() {
      const result = await source.next()
      if (result.done) return DONE
      const { event, cursor, generation } = result.value
      if ('sequence' in event) sequence = event.sequence
      stream.cursor = cursor
      return { done: false, value: { event, cursor, generation, sequence } }
    },
    async return() {
      await source.return?.()
      return DONE
    },
    async throw(error) {
      await source.return?.()
      throw error
    },
    [Symbol.asyncIterator]: () => iterator,
  }
  return iterator
}

const DONE = { done: true, value: undefined } as const
