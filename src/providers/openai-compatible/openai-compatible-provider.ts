import type { Secret } from '../../secret.ts'
import type { ImageProvider, ProviderCall, ProviderOutput, ProviderRequest, VendorAccess } from '../provider.ts'
import { decodeBase64Image } from '../wire/base64-image.ts'
import { beginSending } from '../wire/begin-sending.ts'
import { createMisunderstanding } from '../wire/call-failures.ts'
import { createEngineHttp, ENGINE_ANSWER_MS, type EngineAccess } from '../wire/engine-http.ts'
import { handOverEach } from '../wire/handing-over.ts'
import { type DownloadDeps, downloadImage } from '../wire/image-download.ts'
import { requestIdOf } from '../wire/request-ids.ts'
import { billsNobody } from '../wire/unbilled.ts'
import type { EngineDeps } from '../wire/vendor-deps.ts'
import type { VendorAnswer } from '../wire/vendor-http.ts'
import { readBeforeSending } from '../wire/wire-fault.ts'
import { type CompatibleEntry, readEntry } from './openai-compatible-entry.ts'
import { toAnswerFailure } from './openai-compatible-failures.ts'
import { assertFits, buildBody, buildForm } from './openai-compatible-request.ts'
import { type MadeImage, readMade, readModelNames } from './openai-compatible-wire.ts'

/** Any server that speaks OpenAI's images API: sd-server, LocalAI, vLLM-Omni and the like. One long request. `baseUrl` has its `/v1`. */
export function createOpenaiCompatibleProvider(deps: EngineDeps & DownloadDeps): ImageProvider {
  const { id, name, baseUrl } = deps
  const http = createEngineHttp(deps, toAnswerFailure)

  const keyFor = (ofCaller: Secret | null): Secret | null => ofCaller ?? deps.apiKey

  function accessOf({ apiKey, signal }: VendorAccess): EngineAccess {
    const key = keyFor(apiKey)
    const authorization = key === null ? {} : { authorization: `Bearer ${key.reveal()}` }
    return { headers: { accept: 'application/json', ...authorization }, signal }
  }

  function send(entry: CompatibleEntry, request: ProviderRequest, call: ProviderCall): Promise<VendorAnswer> {
    const access = accessOf(call)
    return request.referenceImages.length > 0
      ? http.post('/images/edits', buildForm(entry, request), access, ENGINE_ANSWER_MS)
      : http.post('/images/generations', buildBody(entry, request), access, ENGINE_ANSWER_MS)
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
    async listModels(access) {
      const answer = await http.get('/models', accessOf(access))
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
