import type { Secret } from '../../secret.ts'
import type { ImageProvider, ProviderCall, ProviderOutput, ProviderRequest, ProviderUsage } from '../provider.ts'
import { ProviderError } from '../provider-error.ts'
import { keyOf } from '../wire/api-key.ts'
import { decodeBase64, decodeBase64Image } from '../wire/base64-image.ts'
import { createMisunderstanding } from '../wire/call-failures.ts'
import { type DownloadDeps, downloadImage } from '../wire/image-download.ts'
import { type PaintedOne, paintOneByOne } from '../wire/one-by-one.ts'
import { createPartsProgress } from '../wire/parts-progress.ts'
import { requestIdOf } from '../wire/request-ids.ts'
import type { VendorDeps } from '../wire/vendor-deps.ts'
import { createVendorEvents, type EventAnswer } from '../wire/vendor-events.ts'
import { createVendorHttp, type VendorAnswer, type VendorRequest } from '../wire/vendor-http.ts'
import { toAnswerFailure, toPictureFailure, VENDOR } from './bytedance-failures.ts'
import { planArkOrders } from './bytedance-request.ts'
import { type ArkError, type ArkPicture, readAnswer, readEvent } from './bytedance-wire.ts'

/** What becomes of one picture on its way to the caller. */
type Easel = {
  readonly signal: AbortSignal
  /** Fetches it, and hands it over. */
  deliver(picture: ArkPicture): Promise<void>
  show(base64: string): void
}

/** Our fetch waits five minutes for the first byte; one is for the rest. */
const PAINT_MS = 6 * 60_000

/** ByteDance Seedream on BytePlus ModelArk: one image a call, with no job id to ask after. */
export function createBytedanceProvider(deps: VendorDeps & DownloadDeps): ImageProvider {
  const { clock } = deps
  const wired = { vendor: VENDOR, fetch: deps.fetch, clock }
  const [http, events] = [createVendorHttp(wired), createVendorEvents(wired)]

  async function generate(request: ProviderRequest, call: ProviderCall): Promise<ProviderOutput> {
    const key = keyOf(VENDOR, deps.apiKey, call.apiKey)
    const orderOf = planArkOrders(request)
    const progress = createPartsProgress(call, request.count)
    return paintOneByOne({ count: request.count, call }, async (index, signal) => {
      const { body, seed } = orderOf(index)
      const sent = requestOf(body, key, signal)
      const easel: Easel = {
        signal,
        async deliver(picture) {
          await call.onImage({ index, bytes: await fetchPicture(picture, signal), seed, revisedPrompt: null })
          progress.update(index, 1)
        },
        show(base64) {
          const bytes = decodeBase64(base64)
          if (bytes.byteLength > 0) call.onPreview({ index, bytes })
        },
      }
      return body.stream === true ? takeEvents(await events(sent), easel) : takeAnswer(await http(sent), easel)
    })
  }

  function requestOf(body: object, key: Secret, signal: AbortSignal): VendorRequest {
    return {
      method: 'POST',
      url: `${deps.baseUrl}/images/generations`,
      headers: { authorization: `Bearer ${key.reveal()}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      timeoutMs: PAINT_MS,
      signal,
    }
  }

  async function takeAnswer(answer: VendorAnswer, easel: Easel): Promise<PaintedOne> {
    if (!answer.ok) throw toAnswerFailure(answer, clock.now())
    const requestId = requestIdOf(answer.headers)
    const told = readAnswer(answer.json())
    if (told?.picture != null) await easel.deliver(told.picture)
    else throw told?.error ? toPictureFailure(told.error, requestId) : createMisunderstanding(VENDOR, requestId)
    return { usage: told.usage, requestId }
  }

  async function takeEvents(answer: EventAnswer, easel: Easel): Promise<PaintedOne> {
    if (answer.kind === 'whole') return takeAnswer(answer.answer, easel)
    const requestId = requestIdOf(answer.headers)
    const told = await readEvents(answer.events, easel)
    if (told.isDelivered) return { usage: told.usage, requestId }
    throw told.error ? toPictureFailure(told.error, requestId) : createMisunderstanding(VENDOR, requestId)
  }

  function fetchPicture(picture: ArkPicture, signal: AbortSignal): Promise<Uint8Array> | Uint8Array {
    if ('base64' in picture) return decodeBase64Image(VENDOR, picture.base64)
    return downloadImage(deps, VENDOR, picture.url, signal)
  }

  return { id: 'bytedance', name: VENDOR, keyed: true, configured: deps.apiKey !== null, generate }
}

/** To its end. A stream that breaks off when the picture, or its failure, has been told leaves nothing open. */
async function readEvents(events: AsyncIterable<string>, easel: Easel) {
  let isDelivered = false
  let error: ArkError | null = null
  let usage: ProviderUsage | null = null
  try {
    for await (const data of events) {
      const event = readEvent(data)
      if (event?.type === 'PREVIEW') easel.show(event.base64)
      if (event?.type === 'FAILED') error ??= event.error
      if (event?.type === 'PICTURE' && !isDelivered) {
        await easel.deliver(event.picture)
        isDelivered = true
      }
      if (event?.type !== 'COMPLETED') continue
      error ??= event.error
      usage = event.usage
      break
    }
  } catch (cause) {
    const isKnown = isDelivered || error !== null
    if (!isKnown || easel.signal.aborted || !(cause instanceof ProviderError)) throw cause
  }
  return { isDelivered, error, usage }
}
