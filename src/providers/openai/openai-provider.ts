import type { Secret } from '../../secret.ts'
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
import { beginSending } from '../wire/begin-sending.ts'
import { createMisunderstanding } from '../wire/call-failures.ts'
import { handOverEach } from '../wire/handing-over.ts'
import { type DownloadDeps, downloadImage } from '../wire/image-download.ts'
import { paintOneByOne } from '../wire/one-by-one.ts'
import { withinTime } from '../wire/time-limit.ts'
import type { VendorDeps } from '../wire/vendor-deps.ts'
import { callOpenai } from './openai-call.ts'
import { callOptions, createClientOpener, type OpenaiClient } from './openai-client.ts'
import { toOpenaiFailure, VENDOR } from './openai-failures.ts'
import { assertSendable, isOneByOne } from './openai-request.ts'
import { type ReplyImage, readModelList } from './openai-wire.ts'

/** The images that one call is to make, and what it needs for that. */
type Share = {
  readonly request: ProviderRequest
  readonly call: ProviderCall
  readonly first: number
  readonly count: number
  readonly key: Secret
  readonly signal: AbortSignal
}

const LIST_MS = 20_000
/** Everything else that `GET /models` lists is no image model. */
const IMAGE_MODEL = /image|dall-e/

/**
 * OpenAI: one long request, whose answer cannot be asked for again. All images come of one call, unless previews are
 * shown of them. Its `baseUrl` has the version in it: `https://api.openai.com/v1`.
 */
export function createOpenaiProvider(deps: VendorDeps & DownloadDeps): ImageProvider {
  const { clock } = deps
  const openClient = createClientOpener(deps)

  async function generate(request: ProviderRequest, call: ProviderCall): Promise<ProviderOutput> {
    const key = keyOf(VENDOR, deps.apiKey, call.apiKey)
    assertSendable(request)
    const client = await openClient()
    const { count } = request
    if (isOneByOne(request)) {
      return paintOneByOne({ count, call }, (index, signal) =>
        make(client, { request, call, first: index, count: 1, key, signal }),
      )
    }
    await beginSending(call)
    return make(client, { request, call, first: 0, count, key, signal: call.signal })
  }

  async function make(client: OpenaiClient, share: Share): Promise<ProviderOutput> {
    const { request, call, first, count, key, signal } = share
    const onPartial = (bytes: Uint8Array) => call.onPreview({ index: first, bytes })
    const answer = await callOpenai({ ...client, clock }, { request, count, key, signal, onPartial })
    // Fewer pictures than asked for are what there is.
    const failures = await handOverEach({ items: answer.images, count, call, first, signal }, async (image, index) => ({
      index,
      bytes: await bytesOf(image, signal),
      seed: null,
      revisedPrompt: image.revisedPrompt,
    }))
    return { failures, usage: answer.usage, reportedUsdMicros: null, requestId: answer.requestId }
  }

  async function bytesOf({ base64, url }: ReplyImage, signal: AbortSignal): Promise<Uint8Array> {
    if (base64 === null && url !== null) return downloadImage(deps, VENDOR, url, signal)
    return decodeBase64Image(VENDOR, base64)
  }

  async function listModels({ apiKey, signal }: VendorAccess): Promise<readonly ListedModel[]> {
    const key = keyOf(VENDOR, deps.apiKey, apiKey)
    const { client, sdk } = await openClient()
    return withinTime(
      { clock, timeoutMs: LIST_MS, signal },
      async (limited) => {
        const models = readModelList(await client.get('/models', callOptions(key, limited)))
        if (!models) throw createMisunderstanding(VENDOR, null)
        return models.filter(({ name }) => IMAGE_MODEL.test(name))
      },
      (error) => toOpenaiFailure(error, { sdk, requestId: null, now: clock.now() }),
    )
  }

  return {
    id: 'openai',
    name: VENDOR,
    keyed: true,
    configured: deps.apiKey !== null,
    generate,
    listModels,
  }
}
