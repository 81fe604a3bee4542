import { NotFoundError, RequestError } from '../../errors.ts'
import { watchToEnd } from '../../generation/generation-end.ts'
import { isTerminal } from '../../generation/generation-state.ts'
import type { WatchedEvent } from '../../generation/services.ts'
import type { Services } from '../../services.ts'
import type { Call, Hold } from '../call.ts'
import type { Wait, WaitEnd, Waited } from './tool.ts'

export type WaitDeps = {
  readonly call: Pick<Call, 'viewer' | 'hold'>
  readonly services: Pick<Services, 'reader' | 'watcher'>
  /** Aborts when the caller gives up. */
  readonly signal: AbortSignal
  report(watched: WatchedEvent): Promise<void>
}

/** See `ToolCall.startWait`. */
export async function startWait(deps: WaitDeps, seconds: number): Promise<Wait> {
  if (seconds === 0) return { untilEnd: (id) => look(deps, id, 'TIME_UP'), release: () => undefined }
  const hold = await deps.call.hold({ limitMs: seconds * 1000, transport: 'sse' })
  return { untilEnd: (id) => waitWhile(deps, hold, id), release: hold.release }
}

async function waitWhile(deps: WaitDeps, hold: Hold, id: string): Promise<Waited> {
  const { call, services, report } = deps
  const signal = AbortSignal.any([hold.signal, deps.signal])
  const generation = await watchToEnd(services.watcher, call.viewer, id, { signal, onEvent: report })
  if (generation !== null) return { generation, ended: 'FINISHED' }
  if (hold.endedBy() === 'CREDENTIALS') {
    throw new RequestError('UNAUTHENTICATED', 'The key or token is no longer valid. The generation goes on.')
  }
  return look(deps, id, hold.endedBy() === 'DRAIN' ? 'SERVER_STOPS' : 'TIME_UP')
}

async function look({ call, services }: WaitDeps, id: string, otherwise: WaitEnd): Promise<Waited> {
  const generation = await services.reader.find(call.viewer, id)
  if (generation === undefined) throw new NotFoundError('generation')
  return { generation, ended: isTerminal(generation.status) ? 'FINISHED' : otherwise }
}
