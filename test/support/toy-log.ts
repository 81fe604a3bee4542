import { NotFoundError } from '../../src/errors.ts'

export type ToyEvent = {
  readonly cursor: string
  readonly sequence: number
  readonly kind: string
  readonly padding: string
  readonly generation: { readonly id: string }
}

/** An event log that is watched the way the real one is: by hand-written iterators that settle when they are returned. */
export type ToyLog = {
  append(id: string, kind: string, padding?: string): ToyEvent
  /** Everything after the cursor, then what comes; done after COMPLETED or LAGGED. An id `unknown` is refused. */
  watch(id: string, after: string | null, stream: { cursor: string | null }): AsyncIterableIterator<ToyEvent>
  /** Watchers that were made and not yet returned or done. */
  openWatchers(): number
  /** How often a watcher was asked for its next event. */
  pulls(): number
  /** Resolves as soon as so many watchers are open. */
  untilWatchers(count: number): Promise<void>
  /** The next pull of every open watcher fails. */
  fail(error: Error): void
}

const LAST = new Set(['COMPLETED', 'LAGGED'])

export function createToyLog(): ToyLog {
  const events = new Map<string, ToyEvent[]>()
  const wakers = new Set<() => void>()
  const counting: { count: number; resolve(): void }[] = []
  let open = 0
  let pulls = 0
  let failure: Error | null = null

  function changeOpen(by: number): void {
    open += by
    for (const waiter of [...counting]) if (waiter.count === open) waiter.resolve()
  }

  function wakeAll(): void {
    for (const wake of [...wakers]) wake()
  }

  function watch(id: string, after: string | null, stream: { cursor: string | null }) {
    if (id === 'unknown') throw new NotFoundError('generation')
    let position = after === null ? 0 : Number(after.split(':')[1])
    let over = false
    changeOpen(1)
    const finish = (): IteratorReturnResult<undefined> => {
      if (!over) {
        over = true
        changeOpen(-1)
      }
      return { done: true, value: undefined }
    }
    const iterator: AsyncIterableIterator<ToyEvent> = {
      [Symbol.asyncIterator]: () => iterator,
      async next() {
        pulls += 1
        for (;;) {
          if (over) return finish()
          if (failure) {
            finish()
            throw failure
          }
          const event = events.get(id)?.[position]
          if (event) {
            position += 1
            stream.cursor = event.cursor
            return { done: false, value: event }
          }
          if (LAST.has(events.get(id)?.[position - 1]?.kind ?? '')) return finish()
          await new Promise<void>((resolve) => {
            const wake = () => {
              wakers.delete(wake)
              resolve()
            }
            wakers.add(wake)
          })
        }
      },
      async return() {
        const result = finish()
        wakeAll()
        return result
      },
    }
    return iterator
  }

  return {
    append(id, kind, padding = '') {
      const list = events.get(id) ?? []
      const sequence = list.length + 1
      const event = { cursor: `${id}:${sequence}`, sequence, kind, padding, generation: { id } }
      list.push(event)
      events.set(id, list)
      wakeAll()
      return event
    },
    watch,
    openWatchers: () => open,
    pulls: () => pulls,
    untilWatchers(count) {
      if (open === count) return Promise.resolve()
      return new Promise((resolve) => counting.push({ count, resolve }))
    },
    fail(error) {
      failure = error
      wakeAll()
    },
  }
}
