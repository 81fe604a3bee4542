import { createHash } from 'node:crypto'
import type { ReferenceImage } from '../provider.ts'
import type { ProviderError } from '../provider-error.ts'
import { createMisunderstanding } from '../wire/call-failures.ts'
import { createEngineHttp, type EngineAccess } from '../wire/engine-http.ts'
import { MAX_IMAGE_BYTES } from '../wire/image-download.ts'
import { pollUntilDone } from '../wire/polling.ts'
import { toFile } from '../wire/reference-image.ts'
import type { EngineDeps } from '../wire/vendor-deps.ts'
import { createLostPicture, toAnswerFailure } from './comfyui-failures.ts'
import type { ComfyuiGraph } from './comfyui-template.ts'
import {
  type RunEnding,
  readEnding,
  readPlaceInQueue,
  readPromptId,
  readUploadedName,
  type StoredPicture,
} from './comfyui-wire.ts'

export type RunOrder = { readonly graph: ComfyuiGraph; readonly promptId: string; readonly clientId: string }

/** What a ComfyUI server answers to over HTTP. Everything throws ProviderError. */
export type ComfyuiEngine = ReturnType<typeof createComfyuiEngine>

const SUBMIT_MS = 60_000
const TRANSFER_MS = 60_000
const PAUSE_MS = 500

export function createComfyuiEngine(deps: EngineDeps) {
  const { name, clock } = deps
  const http = createEngineHttp(deps, toAnswerFailure)

  async function loadPicture(
    path: string,
    promptId: string,
    access: EngineAccess,
  ): Promise<Uint8Array | ProviderError> {
    const answer = await http.send('GET', path, access, { timeoutMs: TRANSFER_MS })
    if (answer.ok && answer.bytes.length > 0 && answer.bytes.length <= MAX_IMAGE_BYTES) return answer.bytes
    if (answer.ok || answer.status < 500) return createLostPicture(name, promptId)
    throw toAnswerFailure(name, answer, clock.now())
  }

  return {
    /** Answers with the id of the run: an engine that does not know the field names it by one of its own. */
    async submit({ graph, promptId, clientId }: RunOrder, access: EngineAccess): Promise<string> {
      const body = { prompt: graph, client_id: clientId, prompt_id: promptId }
      const id = readPromptId((await http.post('/prompt', body, access, SUBMIT_MS)).json())
      if (id === null) throw createMisunderstanding(name, null)
      return id
    },

    /** undefined: it has not ended, or is not known. */
    async findEnding(promptId: string, access: EngineAccess): Promise<RunEnding | undefined> {
      const answer = await http.get(`/history/${encodeURIComponent(promptId)}`, access)
      return readEnding(answer.json(), promptId)
    },

    async findInQueue(promptId: string, access: EngineAccess): Promise<'RUNNING' | 'PENDING' | null> {
      return readPlaceInQueue((await http.get('/queue', access)).json(), promptId)
    },

    /** It is there and free, so a failure that may pass is tried again. */
    fetchPicture(
      { filename, subfolder, type }: StoredPicture,
      promptId: string,
      access: EngineAccess,
    ): Promise<Uint8Array> {
      const path = `/view?${new URLSearchParams({ filename, subfolder, type })}`
      const polling = { vendor: name, clock, signal: access.signal, pauseMs: PAUSE_MS, limitMs: TRANSFER_MS }
      return pollUntilDone(polling, () => loadPicture(path, promptId, access))
    },

    /** Named by its content: uploaded twice it is the same file. The fields are from memory (unverified). */
    async upload(image: ReferenceImage, access: EngineAccess): Promise<string> {
      const digest = createHash('sha256').update(image.bytes).digest('hex').slice(0, 32)
      const form = new FormData()
      form.append('image', toFile(image, `pictor-${digest}`))
      form.append('type', 'input')
      form.append('overwrite', 'true')
      const answer = await http.post('/upload/image', form, access, TRANSFER_MS)
      const uploaded = readUploadedName(answer.json())
      if (uploaded === null) throw createMisunderstanding(name, null)
      return uploaded
    },

    /** Takes runs that wait out of the queue. Those that run go on. */
    async removeWaiting(promptIds: readonly string[], access: EngineAccess): Promise<void> {
      await http.post('/queue', { delete: promptIds }, access)
    },

    /** Servers that do not know the field stop whatever runs. */
    async interrupt(promptId: string, access: EngineAccess): Promise<void> {
      await http.post('/interrupt', { prompt_id: promptId }, access)
    },
  }
}
