import { createHash } from 'node:crypto'
import type { Clock } from '../../clock.ts'
import type { ReferenceImage } from '../provider.ts'
import type { ProviderError } from '../provider-error.ts'
import { createMisunderstanding } from '../wire/call-failures.ts'
import { MAX_IMAGE_BYTES } from '../wire/image-download.ts'
import { pollUntilDone } from '../wire/polling.ts'
import { toFile } from '../wire/reference-image.ts'
import type { VendorFetch } from '../wire/vendor-fetch.ts'
import { createVendorHttp, type VendorAnswer, type VendorRequest } from '../wire/vendor-http.ts'
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

/** With what the engine is asked, and until when. */
export type Access = { readonly headers: Readonly<Record<string, string>>; readonly signal: AbortSignal }

export type RunOrder = { readonly graph: ComfyuiGraph; readonly promptId: string; readonly clientId: string }

/** What a ComfyUI server answers to over HTTP. Everything throws ProviderError. */
export type ComfyuiEngine = ReturnType<typeof createComfyuiEngine>

const ASK_MS = 20_000
const SUBMIT_MS = 60_000
const TRANSFER_MS = 60_000
const PAUSE_MS = 500

export function createComfyuiEngine(deps: { name: string; clock: Clock; fetch: VendorFetch; baseUrl: string }) {
  const { name, clock, baseUrl } = deps
  const http = createVendorHttp({ vendor: name, fetch: deps.fetch, clock })

  async function ask(
    method: VendorRequest['method'],
    path: string,
    access: Access,
    more: Partial<Pick<VendorRequest, 'body' | 'timeoutMs'>> = {},
  ): Promise<VendorAnswer> {
    const type = typeof more.body === 'string' ? { 'content-type': 'application/json' } : {}
    const { headers, signal } = access
    const url = `${baseUrl}${path}`
    const answer = await http({ method, url, headers: { ...type, ...headers }, timeoutMs: ASK_MS, signal, ...more })
    if (!answer.ok) throw toAnswerFailure(name, answer, clock.now())
    return answer
  }

  async function post(path: string, body: object, access: Access, timeoutMs = ASK_MS): Promise<VendorAnswer> {
    return ask('POST', path, access, { body: JSON.stringify(body), timeoutMs })
  }

  async function loadPicture(path: string, promptId: string, access: Access): Promise<Uint8Array | ProviderError> {
    const { headers, signal } = access
    const answer = await http({ method: 'GET', url: `${baseUrl}${path}`, headers, timeoutMs: TRANSFER_MS, signal })
    if (answer.ok && answer.bytes.length > 0 && answer.bytes.length <= MAX_IMAGE_BYTES) return answer.bytes
    if (answer.ok || answer.status < 500) return createLostPicture(name, promptId)
    throw toAnswerFailure(name, answer, clock.now())
  }

  return {
    /** Answers with the id of the run: an engine that does not know the field names it by one of its own. */
    async submit({ graph, promptId, clientId }: RunOrder, access: Access): Promise<string> {
      const body = { prompt: graph, client_id: clientId, prompt_id: promptId }
      const id = readPromptId((await post('/prompt', body, access, SUBMIT_MS)).json())
      if (id === null) throw createMisunderstanding(name, null)
      return id
    },

    /** undefined: it has not ended, or is not known. */
    async findEnding(promptId: string, access: Access): Promise<RunEnding | undefined> {
      const answer = await ask('GET', `/history/${encodeURIComponent(promptId)}`, access)
      return readEnding(answer.json(), promptId)
    },

    async findInQueue(promptId: string, access: Access): Promise<'RUNNING' | 'PENDING' | null> {
      return readPlaceInQueue((await ask('GET', '/queue', access)).json(), promptId)
    },

    /** It is there and free, so a failure that may pass is tried again. */
    fetchPicture({ filename, subfolder, type }: StoredPicture, promptId: string, access: Access): Promise<Uint8Array> {
      const path = `/view?${new URLSearchParams({ filename, subfolder, type })}`
      const polling = { vendor: name, clock, signal: access.signal, pauseMs: PAUSE_MS, limitMs: TRANSFER_MS }
      return pollUntilDone(polling, () => loadPicture(path, promptId, access))
    },

    /** Named by its content: uploaded twice it is the same file. The fields are from memory (unverified). */
    async upload(image: ReferenceImage, access: Access): Promise<string> {
      const digest = createHash('sha256').update(image.bytes).digest('hex').slice(0, 32)
      const form = new FormData()
      form.append('image', toFile(image, `pictor-${digest}`))
      form.append('type', 'input')
      form.append('overwrite', 'true')
      const answer = await ask('POST', '/upload/image', access, { body: form, timeoutMs: TRANSFER_MS })
      const uploaded = readUploadedName(answer.json())
      if (uploaded === null) throw createMisunderstanding(name, null)
      return uploaded
    },

    /** Takes runs that wait out of the queue. Those that run go on. */
    async removeWaiting(promptIds: readonly string[], access: Access): Promise<void> {
      await post('/queue', { delete: promptIds }, access)
    },

    /** Servers that do not know the field stop whatever runs. */
    async interrupt(promptId: string, access: Access): Promise<void> {
      await post('/interrupt', { prompt_id: promptId }, access)
    },
  }
}
