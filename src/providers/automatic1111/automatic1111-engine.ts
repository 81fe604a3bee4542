import { createMisunderstanding } from '../wire/call-failures.ts'
import { createEngineHttp, ENGINE_ANSWER_MS, type EngineAccess } from '../wire/engine-http.ts'
import type { EngineDeps } from '../wire/vendor-deps.ts'
import { toAnswerFailure } from './automatic1111-failures.ts'
import type { Automatic1111Order } from './automatic1111-request.ts'
import {
  type PaintedImages,
  readCheckpoints,
  readPainted,
  readProgress,
  type TaskProgress,
} from './automatic1111-wire.ts'

const STOP_MS = 2_000

/** What an AUTOMATIC1111 or Forge server answers to. Everything throws ProviderError. */
export function createAutomatic1111Engine(deps: EngineDeps) {
  const { name } = deps
  const http = createEngineHttp(deps, toAnswerFailure)

  async function readTask(
    withPicture: boolean,
    access: EngineAccess,
    timeoutMs?: number,
  ): Promise<TaskProgress | undefined> {
    const path = `/sdapi/v1/progress?skip_current_image=${!withPicture}`
    return readProgress((await http.get(path, access, timeoutMs)).json())
  }

  return {
    readTask,

    /** Answers when everything is painted. */
    async paint({ path, body }: Automatic1111Order, count: number, access: EngineAccess): Promise<PaintedImages> {
      const painted = readPainted((await http.post(path, body, access, ENGINE_ANSWER_MS)).json(), count)
      if (painted === undefined) throw createMisunderstanding(name, null)
      return painted
    },

    /**
     * Stops whatever runs, so it is only sent when that is our own task; a server that does not say whose it is goes on
     * to its end, as does a task that still waits for another. Best effort, and bounded: never throws.
     */
    async stopTask(taskId: string, headers: EngineAccess['headers']): Promise<void> {
      const access = { headers, signal: new AbortController().signal }
      const running = await readTask(false, access, STOP_MS).catch(() => undefined)
      if (running?.task !== taskId) return
      await http.post('/sdapi/v1/interrupt', {}, access, STOP_MS).catch(() => undefined)
    },

    async listCheckpoints(access: EngineAccess): Promise<readonly string[]> {
      const names = readCheckpoints((await http.get('/sdapi/v1/sd-models', access)).json())
      if (names === undefined) throw createMisunderstanding(name, null)
      return names
    },
  }
}
