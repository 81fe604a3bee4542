import type { ServerResponse } from 'node:http'
import type { Viewer } from '../viewer.ts'
import type { Hold, HoldEnd } from './call.ts'
import type { ConnectionRegistry } from './connection-registry.ts'
import type { Scheduler } from './scheduler.ts'
import type { Credentials } from './server-options.ts'
import type { ViewerWatch } from './viewer-watch.ts'

export type HeldCall = {
  readonly response: ServerResponse
  readonly viewer: Viewer
  readonly credentials: Credentials
  readonly signal: AbortSignal
  readonly limitMs: number | null
  /** Gives the place back. */
  leave(): void
}

/** Puts a waiting caller among the streams, so that it ends when they end. */
export function openHold(
  deps: { readonly streams: ConnectionRegistry; readonly watchViewer: ViewerWatch; readonly scheduler: Scheduler },
  held: HeldCall,
): Hold {
  const { response, viewer, credentials, limitMs, leave } = held
  const over = new AbortController()
  let cause: HoldEnd | null = null
  const end = (by: HoldEnd) => {
    cause ??= by
    over.abort()
  }
  const onGone = () => end('CLIENT')
  const cancels = [
    deps.streams.add({ close: () => end('DRAIN'), terminate: () => response.destroy() }),
    deps.watchViewer(viewer, credentials, () => end('CREDENTIALS')),
    ...(limitMs === null ? [] : [deps.scheduler.after(limitMs, () => end('LIMIT'))]),
    leave,
  ]
  held.signal.addEventListener('abort', onGone, { once: true })
  if (held.signal.aborted) onGone()
  return {
    signal: over.signal,
    endedBy: () => cause,
    release() {
      held.signal.removeEventListener('abort', onGone)
      for (const cancel of cancels.splice(0)) cancel()
    },
  }
}
