import type { Secret } from '../../secret.ts'
import type { ImageProvider, ProviderCall, ProviderImage, ProviderOutput, ProviderRequest } from '../provider.ts'
import { keyOf } from '../wire/api-key.ts'
import { beginSending } from '../wire/begin-sending.ts'
import { assertWanted, createMisunderstanding } from '../wire/call-failures.ts'
import { handOverEach } from '../wire/handing-over.ts'
import { paintOneByOne } from '../wire/one-by-one.ts'
import { requestIdOf } from '../wire/request-ids.ts'
import type { VendorDeps } from '../wire/vendor-deps.ts'
import { createVendorHttp, type VendorAnswer } from '../wire/vendor-http.ts'
import { toAnswerFailure, toFinishFailure } from './stability-failures.ts'
import { assertSendable, buildEngineBody, buildForm, pathOf, usesEngine } from './stability-request.ts'
import { type Artifact, readArtifacts, readPicture, VENDOR } from './stability-wire.ts'

/** What goes for all calls of one request. */
type Session = { readonly request: ProviderRequest; readonly call: ProviderCall; readonly key: Secret }

/** Ten pictures of one v1 call are painted one after the other. */
const PAINT_MS = 180_000

/**
 * Stability AI. v2beta makes one image a call, v1 up to ten. One long request each: there is no job to come back to after
 * a crash, so an outcome that was on its way is then unknown.
 */
export function createStabilityProvider(deps: VendorDeps): ImageProvider {
  const { clock, baseUrl } = deps
  const http = createVendorHttp({ vendor: VENDOR, fetch: deps.fetch, clock })

  async function send(
    { request, key }: Session,
    { body, headers }: { readonly body: string | FormData; readonly headers?: Readonly<Record<string, string>> },
    signal: AbortSignal,
  ): Promise<VendorAnswer> {
    const answer = await http({
      method: 'POST',
      url: `${baseUrl}${pathOf(request)}`,
      // JSON has the picture and whether it may be shown in one piece: no proxy that drops a header can part them.
      headers: { ...headers, accept: 'application/json', authorization: `Bearer ${key.reveal()}` },
      body,
      timeoutMs: PAINT_MS,
      signal,
    })
    if (!answer.ok) throw toAnswerFailure(answer, clock.now())
    return answer
  }

  /** Of v2beta. */
  function paintSingly(session: Session): Promise<ProviderOutput> {
    const { request, call } = session
    return paintOneByOne({ count: request.count, call }, async (index, signal) => {
      const answer = await send(session, { body: buildForm(request, index) }, signal)
      const requestId = requestIdOf(answer.headers)
      const picture = readPicture(answer)
      if (!picture) throw createMisunderstanding(VENDOR, requestId)
      const image = toImage(picture, index, requestId)
      assertWanted(signal, true)
      await call.onImage(image)
      return { usage: null, requestId }
    })
  }

  /** Of v1; an image that the engine left out without a word is missing. */
  async function paintAtOnce(session: Session): Promise<ProviderOutput> {
    const { request, call } = session
    const headers = { 'content-type': 'application/json' }
    const body = JSON.stringify(buildEngineBody(request))
    await beginSending(call)
    const answer = await send(session, { body, headers }, call.signal)
    const requestId = requestIdOf(answer.headers)
    const items = readArtifacts(answer)
    if (!items) throw createMisunderstanding(VENDOR, requestId)
    const failures = await handOverEach({ items, count: request.count, call }, (artifact, index) =>
      toImage(artifact, index, requestId),
    )
    return { failures, usage: null, reportedUsdMicros: null, requestId }
  }

  /** No answer says what it cost. */
  async function generate(request: ProviderRequest, call: ProviderCall): Promise<ProviderOutput> {
    const session = { request, call, key: keyOf(VENDOR, deps.apiKey, call.apiKey) }
    assertSendable(request)
    return usesEngine(request) ? paintAtOnce(session) : paintSingly(session)
  }

  return {
    id: 'stability-ai',
    name: VENDOR,
    keyed: true,
    configured: deps.apiKey !== null,
    // 150 in 10 seconds, or the key is locked out for a minute.
    limits: { requestsPerMinute: 900 },
    generate,
  }
}

/** Throws ProviderError where it is none to keep. */
function toImage({ finish, seed, readBytes }: Artifact, index: number, requestId: string | null): ProviderImage {
  if (finish !== 'SUCCESS') throw toFinishFailure(finish, requestId)
  return { index, bytes: readBytes(), seed, revisedPrompt: null }
}
