import type { ServerResponse } from 'node:http'
import type { ServerContext } from '@modelcontextprotocol/server'
import type { WatchedEvent } from '../../generation/services.ts'

/** A step, so that each notification is above the one before it, as the protocol wants. */
const STEP = 0.001

/**
 * Tells a caller who waits how far it is, where it asked to be told. Of what a provider says nothing is passed on: the
 * words are ours. Passing progress is left out while the caller does not read.
 */
export function createProgressReport(
  { mcpReq }: ServerContext,
  response: Pick<ServerResponse, 'writableNeedDrain'>,
): (watched: WatchedEvent) => Promise<void> {
  const progressToken = mcpReq._meta?.progressToken
  let told = 0
  return async ({ event }) => {
    if (progressToken === undefined || mcpReq.signal.aborted || event.kind === 'LAGGED') return
    if (response.writableNeedDrain && (event.kind === 'PROGRESS' || event.kind === 'PREVIEW')) return
    const fraction = event.kind === 'PROGRESS' ? (event.progress ?? 0) : 0
    told = Math.max(told + STEP, fraction)
    const message = event.kind === 'PROGRESS' ? `PROGRESS ${Math.round(fraction * 100)} %` : event.kind
    await mcpReq.notify({
      method: 'notifications/progress',
      params: { progressToken, progress: told, total: 1, message },
    })
  }
}
