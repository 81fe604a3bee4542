import type { Clock } from '../../clock.ts'
import { createMisunderstanding } from '../wire/call-failures.ts'
import { ENGINE_ANSWER_MS } from '../wire/engine-limits.ts'
import type { VendorFetch } from '../wire/vendor-fetch.ts'
import { createVendorHttp, type VendorAnswer } from '../wire/vendor-http.ts'
import { toAnswerFailure } from './automatic1111-failures.ts'
import type { Automatic1111Order } from './automatic1111-request.ts'
import {
  type PaintedImages,
  readCheckpoints,
  readPainted,
  readProgress,
  type TaskProgress,
} from './automatic1111-wire.ts'

/** With what the engine is asked, and until when. */
export type Access = { readonly headers: Readonly<Record<string, string>>; readonly signal: AbortSignal }

/** What an AUTOMATIC1111 or Forge server answers to. Everything throws ProviderError. */
export type Automatic1111Engine = ReturnType<typeof createAutomatic1111Engine>

const ASK_MS = 20_000
const STOP_MS = 2_000

export function createAutomatic1111Engine(deps: { name: string; clock: Clock; fetch: VendorFetch; baseUrl: string }) {
  const { name, clock, baseUrl } = deps
  const http = createVendorHttp({ vendor: name, fetch: deps.fetch, clock })

  async function get(path: string, { headers, signal }: Access, timeoutMs = ASK_MS): Promise<VendorAnswer> {
    const answer = await http({ method: 'GET', url: `${baseUrl}${path}`, headers, timeoutMs, signal })
    if (!answer.ok) throw toAnswerFailure(name, answer, clock.now())
    return answer
  }

  async function post(path: string, body: object, access: Access, timeoutMs: number): Promise<VendorAnswer> {
    const headers = { 'content-type': 'application/json', ...access.headers }
    const { signal } = access
    const request = { method: 'POST', url: `${baseUrl}${path}`, headers, timeoutMs, signal } as const
    const answer = await http({ ...request, body: JSON.stringify(body) })
    if (!answer.ok) throw toAnswerFailure(name, answer, clock.now())
    return answer
  }

  async function readTask(withPicture: boolean, access: Access, timeoutMs = ASK_MS): Promise<TaskProgress | undefined> {
    const path = `/sdapi/v1/progress?skip_current_image=${!withPicture}`
    return readProgress((await get(path, access, timeoutMs)).json())
  }

  return {
    readTask,

    /** Answers when everything is painted. */
    async paint({ path, body }: Automatic1111Order, count: number, access: Access): Promise<PaintedImages> {
      const painted = readPainted((await post(path, body, access, ENGINE_ANSWER_MS)).json(), count)
      if (painted === undefined) throw createMisunderstanding(name, null)
      return painted
    },

    /**
     * Stops whatever runs, so it is only sent when that is our own task; a server that does not say whose it is goes on
     * to its end, as does a task that still waits for another. Best effort, and bounded: never throws.
     */
    async stopTask(taskId: string, headers: Access['headers']): Promise<void> {
      const access = { headers, signal: new AbortController().signal }
      const running = await readTask(false, access, STOP_MS).catch(() => undefined)
      if (running?.task !== taskId) return
      await post('/sdapi/v1/interrupt', {}, access, STOP_MS).catch(() => undefined)
    },

    async listCheckpoints(access: Access): Promise<readonly string[]> {
      const names = readCheckpoints((await get('/sdapi/v1/sd-models', access)).json())
      if (names === undefined) throw createMisunderstanding(name, null)
      return names
    },
  }
}
