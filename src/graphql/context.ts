import type { Services } from '../services.ts'
import type { Viewer } from '../viewer.ts'

/** Everything that a resolver may use. Built once per operation, the same for HTTP, SSE and WebSocket. */
export type Context = {
  readonly viewer: Viewer
  readonly services: Services
  readonly requestId: string
  /** The SSE request header: works like the argument `after` where that is not given. */
  readonly lastEventId: string | null
  /** Cursor of the event whose result is being written; the SSE writer makes it the `id:` line. */
  readonly stream: { cursor: string | null }
}
