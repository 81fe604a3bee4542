import type { EventStream, StreamedEvent } from '../events/event-stream.ts'
import type { WatchedEvent } from './services.ts'

/**
 * An event stream with each event described for its watcher. Hand-written for the same reason as the stream itself:
 * `return()` must get through while a `next()` is waiting.
 */
export class WatchedStream implements AsyncIterableIterator<WatchedEvent> {
  readonly #stream: EventStream
  readonly #describe: (event: StreamedEvent) => Promise<WatchedEvent | undefined>

  constructor(stream: EventStream, describe: (event: StreamedEvent) => Promise<WatchedEvent | undefined>) {
    this.#stream = stream
    this.#describe = describe
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<WatchedEvent, undefined>> {
    for (;;) {
      const { done, value } = await this.#stream.next()
      if (done) return { done: true, value: undefined }
      const described = await this.#describe(value).catch((error: unknown) => this.#fail(error))
      if (described !== undefined) return { done: false, value: described }
    }
  }

  /** Nobody returns an iterator that has thrown, so it lets go by itself. */
  async #fail(error: unknown): Promise<never> {
    await this.#stream.return()
    throw error
  }

  async return(): Promise<IteratorResult<WatchedEvent, undefined>> {
    await this.#stream.return()
    return { done: true, value: undefined }
  }

  async throw(error: unknown): Promise<IteratorResult<WatchedEvent, undefined>> {
    await this.#stream.return()
    throw error
  }
}
