/**
 * Watching without a gap and without a repeat, over the stock graphql-ws client.
 *
 * That client reconnects by itself and sends the subscription again, with the variables that it finds in the payload at
 * that moment. So the whole trick is to keep `variables.after` at the cursor of the last event seen. It needs a
 * subscription that takes `$after` and selects `cursor`, `sequence`, `kind` and `generation { id }`; all others pass
 * through as they are. Copy this file; urql.ts and apollo.ts show it in two caches.
 */
import { type Client, type ClientOptions, createClient } from 'graphql-ws'

type WatchedEvent = {
  readonly cursor: string
  readonly sequence: number
  readonly kind: string
  readonly generation: { readonly id: string }
}

/** They carry the sequence of the stored event before them, are coalesced, and are never told again. */
const PASSING = new Set(['PROGRESS', 'PREVIEW'])
const LAST = new Set(['COMPLETED', 'FAILED', 'CANCELED'])

export type ResumingClientOptions = {
  /** `ws://…/graphql` */
  readonly url: string
  /** Asked at each connection: after a token has run out the server closes with 4403, and a fresh one goes on. */
  readonly token?: () => string | Promise<string>
  /** For Node before 22 and for tests: the `WebSocket` class of `ws`. */
  readonly webSocketImpl?: unknown
  /** Between tries; by default the client's own, which doubles up to half a minute and is spread at random. */
  readonly retryWait?: (retries: number) => Promise<void>
}

/** Stays until it is told to stop, across dropped connections, restarts and deploys of the server. */
export function createResumingClient({ url, token, webSocketImpl, retryWait }: ResumingClientOptions): Client {
  const options: ClientOptions = {
    url,
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
    ...(token ? { connectionParams: async () => ({ authorization: `Bearer ${await token()}` }) } : {}),
    ...(webSocketImpl ? { webSocketImpl } : {}),
    retryWait: retryWait ?? waitBetweenTries,
  }
  return withResume(createClient(options))
}

/** The same client with a `subscribe` that resumes. (`iterate` stays as it was.) */
export function withResume(client: Client): Client {
  const subscribe: Client['subscribe'] = (payload, sink) => {
    const variables: Record<string, unknown> = { ...payload.variables }
    const resumable = { ...payload, variables }
    const isNew = createSequenceFilter()
    let stopped = false
    let unsubscribe = () => {}

    const start = () => {
      let lagged = false
      const inner: Parameters<Client['subscribe']>[1] = {
        next(result) {
          const event = findEvent(result.data)
          if (event) variables.after = event.cursor
          if (event?.kind === 'LAGGED') lagged = true
          else if (!event || isNew(event)) (sink as typeof inner).next(result)
        },
        error: (error) => sink.error(error),
        // A watcher that was too slow is ended by the server: it goes on where it was.
        complete: () => (lagged && !stopped ? start() : sink.complete()),
      }
      unsubscribe = client.subscribe(resumable, inner)
    }

    start()
    return () => {
      stopped = true
      unsubscribe()
    }
  }
  return { ...client, subscribe }
}

/** The cursor prevents repeats; this is the belt to those braces: a stored event at or before the last one is dropped. */
function createSequenceFilter(): (event: WatchedEvent) => boolean {
  const lastSequences = new Map<string, number>()
  return ({ kind, sequence, generation }) => {
    if (PASSING.has(kind)) return true
    if (sequence <= (lastSequences.get(generation.id) ?? 0)) return false
    if (LAST.has(kind)) lastSequences.delete(generation.id)
    else lastSequences.set(generation.id, sequence)
    return true
  }
}

function findEvent(data: unknown): WatchedEvent | null {
  const [first] = typeof data === 'object' && data !== null ? Object.values(data) : []
  return isEvent(first) ? first : null
}

function isEvent(value: unknown): value is WatchedEvent {
  return (
    typeof value === 'object' && value !== null && 'cursor' in value && 'sequence' in value && 'generation' in value
  )
}

function waitBetweenTries(retries: number): Promise<void> {
  const waitMs = Math.min(30_000, 500 * 2 ** retries) * (0.5 + Math.random() / 2)
  return new Promise((resolve) => setTimeout(resolve, waitMs))
}
