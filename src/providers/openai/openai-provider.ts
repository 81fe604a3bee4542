import { type Clock, openTimeLimit } from '../../clock.ts'
import type { OutboundFetch } from '../../outbound/outbound-fetch.ts'
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
import { assertWanted, createAbortion, createMisunderstanding } from '../wire/call-failures.ts'
import { failuresOf, fanOut, sumUsage, throwIfAlone, valuesOf } from '../wire/fan-out.ts'
import { downloadImage } from '../wire/image-download.ts'
import type { VendorFetch } from '../wire/vendor-fetch.ts'
import { callOpenai, type OpenaiAnswer } from './openai-call.ts'
import { callOptions, createOpenaiClient } from './openai-client.ts'
import { toOpenaiFailure, VENDOR } from './openai-failures.ts'
import { type ReplyImage, readModelList } from './openai-reply.ts'
import { assertSendable, isOneByOne } from './openai-request.ts'

export type OpenaiDeps = {
  readonly clock: Clock
  readonly fetch: VendorFetch
  /** For pictures that are answered as links. */
  readonly fetchOutbound: OutboundFetch
  /** The server's own; null: none. */
  readonly apiKey: Secret | null
  /** With the version: `https://api.openai.com/v1`. */
  readonly baseUrl: string
}

/** The images that one call is to make, and what it needs for that. */
type Share = {
  readonly request: ProviderRequest
  readonly call: ProviderCall
  readonly first: number
  readonly count: number
  readonly key: Secret
  readonly signal: AbortSignal
}

/** Of calls that make one image each. */
const CONCURRENCY = 4
const LIST_MS = 20_000
/** Everything else that `GET /models` lists is no image model. */
const IMAGE_MODEL = /image|dall-e/

/**
 * OpenAI: one long request, whose answer cannot be asked for again. All images come of one call, unless previews are
 * shown of them.
 */
export function createOpenaiProvider(deps: OpenaiDeps): ImageProvider {
  const { clock } = deps
  const client = createOpenaiClient(deps)

  async function generate(request: ProviderRequest, call: ProviderCall): Promise<ProviderOutput> {
    const key = keyOf(VENDOR, deps.apiKey, call.apiKey)
    assertSendable(request)
    assertWanted(call.signal, false)
    await call.onSending()
    assertWanted(call.signal, true)
    if (!isOneByOne(request)) return make({ request, call, first: 0, count: request.count, key, signal: call.signal })
    const indexes = Array.from({ length: request.count }, (_, index) => index)
    const results = await fanOut({ indexes, concurrency: CONCURRENCY, signal: call.signal }, (index, signal) =>
      make({ request, call, first: index, count: 1, key, signal }),
    )
    throwIfAlone(results, request.count)
    const outputs = valuesOf(results)
    return {
      failures: failuresOf(results),
      usage: sumUsage(outputs.map(({ usage }) => usage)),
      reportedUsdMicros: null,
      requestId: outputs.find(({ requestId }) => requestId !== null)?.requestId ?? null,
    }
  }

  async function make(share: Share): Promise<ProviderOutput> {
    const { request, call, first, count, key, signal } = share
    const onPartial = (bytes: Uint8Array) => call.onPreview({ index: first, bytes })
    const answer = await callOpenai({ client, clock }, { request, count, key, signal, onPartial })
    const failures = await handOver(answer, share)
    return { failures, usage: answer.usage, reportedUsdMicros: null, requestId: answer.requestId }
  }

  /** Fewer pictures than asked for are what there is; more than asked for are nobody's. */
  async function handOver({ images }: OpenaiAnswer, { call, first, count, signal }: Share) {
    const indexes = images.slice(0, count).map((_, place) => first + place)
    const results = await fanOut({ indexes, concurrency: 1, signal }, async (index, whileWanted) => {
      const image = images[index - first]
      if (!image) return
      const bytes = await bytesOf(image, whileWanted)
      assertWanted(whileWanted, true)
      await call.onImage({ index, bytes, seed: null, revisedPrompt: image.revisedPrompt })
    })
    throwIfAlone(results, count)
    return failuresOf(results)
  }

  async function bytesOf({ base64, url }: ReplyImage, signal: AbortSignal): Promise<Uint8Array> {
    if (base64 === null && url !== null) return downloadImage(deps, VENDOR, url, signal)
    return decodeBase64Image(VENDOR, base64)
  }

  async function listModels({ apiKey, signal }: VendorAccess): Promise<readonly ListedModel[]> {
    const key = keyOf(VENDOR, deps.apiKey, apiKey)
    const limit = openTimeLimit(clock, LIST_MS, signal)
    try {
      const models = readModelList(await client.get('/models', callOptions(key, limit.signal)))
      if (!models) throw createMisunderstanding(VENDOR, null)
      return models.filter(({ name }) => IMAGE_MODEL.test(name))
    } catch (error) {
      if (signal.aborted) throw createAbortion(false)
      throw toOpenaiFailure(limit.isOver() ? limit.signal.reason : error, { requestId: null, now: clock.now() })
    } finally {
      limit.close()
    }
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
