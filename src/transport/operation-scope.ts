import type { ExecutionResult } from 'graphql'
import type { Viewer } from '../viewer.ts'
import type { RequestInfo } from './request-facts.ts'
import type { Credentials } from './server-options.ts'

/** One operation on its way through the plugins, on whichever transport. */
export type OperationScope = {
  readonly transport: 'http' | 'websocket'
  readonly request: RequestInfo
  readonly credentials: Credentials
  readonly lastEventId: string | null
  readonly stream: { cursor: string | null }
  readonly signal: AbortSignal
  /** Set on a WebSocket; over HTTP the authentication plugin sets it. */
  viewer: Viewer | null
  /** A GET that no preflight covered: good for watching, which changes nothing, and for nothing else. */
  subscriptionOnly: boolean
  /** Set by the result processor: what is left to write as an event stream. */
  events: AsyncIterator<ExecutionResult> | null
  operation: 'query' | 'mutation' | 'subscription' | 'unknown'
  abort(): void
  /** Registers what must happen when the operation is over, whichever way it ends. Runs at once when it is over. */
  onEnd(run: () => void): void
  /** Harmless when called again. */
  end(): void
}

export type ScopeStart = Pick<OperationScope, 'transport' | 'request' | 'credentials' | 'lastEventId' | 'viewer'>

/** Made once: a new one for each operation would take a stack trace each time. */
const OVER = new DOMException('The operation is over.', 'AbortError')

export function createOperationScope(start: ScopeStart): OperationScope {
  const abort = new AbortController()
  const cleanups: (() => void)[] = []
  let over = false
  return {
    ...start,
    stream: { cursor: null },
    signal: abort.signal,
    subscriptionOnly: false,
    events: null,
    operation: 'unknown',
    abort: () => abort.abort(OVER),
    onEnd(run) {
      if (over) run()
      else cleanups.push(run)
    },
    end() {
      if (over) return
      over = true
      for (const run of cleanups) run()
    },
  }
}
