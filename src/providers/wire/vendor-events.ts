import { type Clock, openTimeLimit } from '../../clock.ts'
import { createAbortion } from './call-failures.ts'
import { toTransportFailure } from './transport-failure.ts'
import type { VendorFetch } from './vendor-fetch.ts'
import { readAnswer, type VendorAnswer, type VendorRequest } from './vendor-http.ts'

/** An answer in pieces, or a whole one: an error, or a vendor that does not stream after all. */
export type EventAnswer =
  | { readonly kind: 'whole'; readonly answer: VendorAnswer }
  /** `data` of each server-sent event. Must be read to its end or left by `break`; rejects with ProviderError. */
  | { readonly kind: 'events'; readonly headers: Headers; readonly events: AsyncIterable<string> }

/** Throws ProviderError, and only where no answer came. The time limit is for all of it. */
export type VendorEvents = (request: VendorRequest) => Promise<EventAnswer>

export function createVendorEvents(deps: { vendor: string; fetch: VendorFetch; clock: Clock }): VendorEvents {
  return async ({ method, url, headers, body, timeoutMs, signal }) => {
    const limit = openTimeLimit(deps.clock, timeoutMs, signal)
    const toFailure = (error: unknown) =>
      signal.aborted ? createAbortion(true) : toTransportFailure(error, deps.vendor)
    try {
      const init = { method, headers, signal: limit.signal, ...(body !== undefined && { body }) }
      const response = await deps.fetch(url, init)
      if (isEventStream(response) && response.body !== null) {
        const events = readEvents(response.body, { toFailure, onEnd: limit.close })
        return { kind: 'events', headers: response.headers, events }
      }
      const answer = await readAnswer(response)
      limit.close()
      return { kind: 'whole', answer }
    } catch (error) {
      limit.close()
      throw toFailure(error)
    }
  }
}

function isEventStream({ ok, headers }: Response): boolean {
  return ok && (headers.get('content-type') ?? '').toLowerCase().startsWith('text/event-stream')
}

async function* readEvents(
  body: ReadableStream<Uint8Array>,
  given: { toFailure(error: unknown): Error; onEnd(): void },
): AsyncGenerator<string> {
  const reader = body.getReader()
  const split = createEventSplitter()
  try {
    for (;;) {
      const piece = await reader.read().catch((error: unknown) => {
        throw given.toFailure(error)
      })
      if (piece.done) return
      yield* split(piece.value)
    }
  } finally {
    given.onEnd()
    // Whoever leaves early has no more use for the connection.
    await reader.cancel().catch(() => undefined)
  }
}

/**
 * Pieces in, the data of every event that is now whole out. Lines end in LF, CR or both; several `data:` lines are one
 * text; an event that breaks off is none. See https://html.spec.whatwg.org/multipage/server-sent-events.html.
 */
export function createEventSplitter(): (piece: Uint8Array) => string[] {
  const decoder = new TextDecoder()
  let data: string[] = []
  let line: string[] = []
  let wasReturn = false

  return (piece) => {
    const events: string[] = []
    let from = 0
    const text = decoder.decode(piece, { stream: true })
    for (const { index, 0: end } of text.matchAll(/\r\n|\n|\r/g)) {
      // A CR at the end of one piece and an LF at the beginning of the next are one end of a line.
      const isRest = wasReturn && index === 0 && end === '\n'
      if (!isRest) {
        line.push(text.slice(from, index))
        endLine(line.join(''), events)
        line = []
      }
      from = index + end.length
    }
    line.push(text.slice(from))
    if (text !== '') wasReturn = text.endsWith('\r')
    return events
  }

  function endLine(text: string, events: string[]): void {
    if (text === '') {
      if (data.length > 0) events.push(data.join('\n'))
      data = []
    } else if (text.startsWith('data:')) {
      data.push(text.slice(text.startsWith('data: ') ? 6 : 5))
    }
  }
}
