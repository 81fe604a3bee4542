import type { Clock } from '../../clock.ts'
import type { OutboundFetch } from '../../outbound/outbound-fetch.ts'
import type { Secret } from '../../secret.ts'
import type { ImageProvider, ProviderCall, ProviderOutput, ProviderRequest } from '../provider.ts'
import { decodeBase64Image } from '../wire/base64-image.ts'
import { beginSending } from '../wire/begin-sending.ts'
import { createMisunderstanding } from '../wire/call-failures.ts'
import { ENGINE_ANSWER_MS } from '../wire/engine-limits.ts'
import { handOverEach } from '../wire/handing-over.ts'
import { downloadImage } from '../wire/image-download.ts'
import { requestIdOf } from '../wire/request-ids.ts'
import { billsNobody } from '../wire/unbilled.ts'
import type { VendorFetch } from '../wire/vendor-fetch.ts'
import { createVendorHttp, type VendorAnswer, type VendorRequest } from '../wire/vendor-http.ts'
import { readBeforeSending } from '../wire/wire-fault.ts'
import { type CompatibleEntry, readEntry } from './openai-compatible-entry.ts'
import { toAnswerFailure } from './openai-compatible-failures.ts'
import { assertFits, buildBody, buildForm } from './openai-compatible-request.ts'
import { type MadeImage, readMade, readModelNames } from './openai-compatible-wire.ts'

export type OpenaiCompatibleDeps = {
  /** The instance's name: the first half of its models' ids. */
  readonly id: string
  readonly name: string
  readonly clock: Clock
  readonly fetch: VendorFetch
  /** For pictures that a server hands over as links: of public addresses, and of its own host. */
  readonly fetchOutbound: OutboundFetch
  /** null: it asks for none. */
  readonly apiKey: Secret | null
  /** With its `/v1`. */
  readonly baseUrl: string
}

const LIST_MS = 20_000

/** Any server that speaks OpenAI's images API: sd-server, LocalAI, vLLM-Omni and the like. One long request. */
export function createOpenaiCompatibleProvider(deps: OpenaiCompatibleDeps): ImageProvider {
  const { id, name, clock } = deps
  const baseUrl = deps.baseUrl.replace(/\/+$/, '')
  const http = createVendorHttp({ vendor: name, fetch: deps.fetch, clock })

  const keyFor = (ofCaller: Secret | null): Secret | null => ofCaller ?? deps.apiKey

  async function ask(path: string, key: Secret | null, rest: Omit<VendorRequest, 'url'>): Promise<VendorAnswer> {
    const authorization = key === null ? {} : { authorization: `Bearer ${key.reveal()}` }
    const headers = { accept: 'application/json', ...rest.headers, ...authorization }
    const answer = await http({ ...rest, url: `${baseUrl}${path}`, headers })
    if (!answer.ok) throw toAnswerFailure(name, answer, clock.now())
    return answer
  }

  function send(entry: CompatibleEntry, request: ProviderRequest, call: ProviderCall): Promise<VendorAnswer> {
    const rest = { method: 'POST', timeoutMs: ENGINE_ANSWER_MS, signal: call.signal } as const
    const key = keyFor(call.apiKey)
    if (request.referenceImages.length > 0) {
      return ask('/images/edits', key, { ...rest, headers: {}, body: buildForm(entry, request) })
    }
    const body = JSON.stringify(buildBody(entry, request))
    return ask('/images/generations', key, { ...rest, headers: { 'content-type': 'application/json' }, body })
  }

  async function generate(request: ProviderRequest, call: ProviderCall): Promise<ProviderOutput> {
    const entry = readBeforeSending(name, () => {
      const read = readEntry(request.wire)
      assertFits(read, request)
      return read
    })
    await beginSending(call)
    const answer = await send(entry, request, call)
    const requestId = requestIdOf(answer.headers)
    const made = readMade(answer.json())
    if (made === undefined) throw createMisunderstanding(name, requestId)
    // Of several images no server says which seed each of them has.
    const seed = request.count === 1 && entry.fields.has('seed') ? request.parameters.seed : null
    const failures = await handOverEach({ items: made.images, count: request.count, call }, async (image, index) => {
      const bytes = await readImage(image, requestId, call.signal)
      return { index, bytes, seed, revisedPrompt: image.revisedPrompt }
    })
    return { failures, usage: made.usage, reportedUsdMicros: null, requestId }
  }

  async function readImage(image: MadeImage, requestId: string | null, signal: AbortSignal): Promise<Uint8Array> {
    const { base64, url } = image
    if (base64 !== null) return decodeBase64Image(name, base64)
    if (url === null) throw createMisunderstanding(name, requestId)
    if (url.startsWith('data:')) return decodeBase64Image(name, url)
    // Links may be relative to the server. One that is none comes to nothing where it is fetched.
    return downloadImage(deps, name, URL.parse(url, `${baseUrl}/`)?.href ?? url, signal)
  }

  const provider: ImageProvider = {
    id,
    name,
    keyed: false,
    configured: true,
    generate,
    async listModels({ apiKey, signal }) {
      const answer = await ask('/models', keyFor(apiKey), { method: 'GET', headers: {}, timeoutMs: LIST_MS, signal })
      const names = readModelNames(answer.json())
      if (names === undefined) throw createMisunderstanding(name, null)
      return names.map((each) => ({ name: each, shutsDownAt: null }))
    },
  }
  const free = billsNobody(provider)
  return {
    ...provider,
    // Who shows no key can be billed for nothing; what stands behind a key may be somebody's service.
    generate: (request, call) => (keyFor(call.apiKey) === null ? free : provider).generate(request, call),
  }
}
