import type {
  ImageProvider,
  ListedModel,
  ProviderCall,
  ProviderOutput,
  ProviderRequest,
  VendorAccess,
} from '../provider.ts'
import { keyOf } from '../wire/api-key.ts'
import { decodeBase64Image } from '../wire/base64-image.ts'
import { paintOneByOne } from '../wire/one-by-one.ts'
import { createPartsProgress } from '../wire/parts-progress.ts'
import type { VendorDeps } from '../wire/vendor-deps.ts'
import { createGoogleApi } from './google-api.ts'
import { isRefusal, toReplyFailure, VENDOR } from './google-failures.ts'
import { planGoogleCalls } from './google-request.ts'

const MAX_PAGES = 10

/** Google's Gemini Developer API: one image a call, with no job id to ask after and no key against doing it twice. Its `baseUrl` is without the version. */
export function createGoogleProvider(deps: VendorDeps): ImageProvider {
  const api = createGoogleApi(deps)

  async function generate(request: ProviderRequest, call: ProviderCall): Promise<ProviderOutput> {
    const key = keyOf(VENDOR, deps.apiKey, call.apiKey)
    const callOf = planGoogleCalls(request)
    const progress = createPartsProgress(call, request.count)
    return paintOneByOne({ count: request.count, call }, async (index, signal) => {
      const body = callOf(index)
      const reply = await api.paint(key, body, signal)
      if (reply.image === null || isRefusal(reply.finishReason)) throw toReplyFailure(reply)
      const bytes = decodeBase64Image(VENDOR, reply.image)
      await call.onImage({ index, bytes, seed: body.config?.seed ?? null, revisedPrompt: null })
      progress.update(index, 1)
      return { usage: reply.usage, requestId: reply.responseId }
    })
  }

  /** It does not say which of its models paint; all that do have it in their names. */
  async function listModels({ apiKey, signal }: VendorAccess): Promise<readonly ListedModel[]> {
    const key = keyOf(VENDOR, deps.apiKey, apiKey)
    const names: string[] = []
    let page: string | null = null
    for (let pages = 0; pages < MAX_PAGES; pages++) {
      const listed = await api.listModels(key, page, signal)
      names.push(...listed.names.filter((name) => /image|banana/i.test(name)))
      page = listed.nextPage
      if (page === null) break
    }
    return names.map((name) => ({ name, shutsDownAt: null }))
  }

  return {
    id: 'google',
    name: VENDOR,
    keyed: true,
    configured: deps.apiKey !== null,
    generate,
    listModels,
  }
}
