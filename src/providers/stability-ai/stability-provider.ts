import type { Clock } from '../../clock.ts'
import type { Secret } from '../../secret.ts'
import type { ImageProvider, ProviderCall, ProviderOutput, ProviderRequest } from '../provider.ts'
import { keyOf } from '../wire/api-key.ts'
import { assertWanted, createMisunderstanding } from '../wire/call-failures.ts'
import { failuresOf, fanOut, type PartResult, throwIfAlone, valuesOf } from '../wire/fan-out.ts'
import type { VendorFetch } from '../wire/vendor-fetch.ts'
import { createVendorHttp, type VendorAnswer } from '../wire/vendor-http.ts'
import { readRequestId, toAnswerFailure, toFinishFailure } from './stability-failures.ts'
import { assertSendable, buildEngineBody, buildForm, pathOf, usesEngine } from './stability-request.ts'
import { type Artifact, readArtifacts, readPicture, VENDOR } from './stability-wire.ts'

export type StabilityDeps = {
  readonly clock: Clock
  readonly fetch: VendorFetch
  /** The server's own; null: none. */
  readonly apiKey: Secret | null
  readonly baseUrl: string
}

/** What goes for all calls of one request. */
type Session = { readonly request: ProviderRequest; readonly call: ProviderCall; readonly key: Secret }

/** Ten pictures of one v1 call are painted one after the other. */
const PAINT_MS = 180_000
const CALLS_AT_A_TIME = 4

/**
 * Stability AI. v2beta makes one image a call, v1 up to ten. One long request each: there is no job to come back to after
 * a crash, so an outcome that was on its way is then unknown.
 */
export function createStabilityProvider(deps: StabilityDeps): ImageProvider {
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

  /** Answers, for each image, with the vendor's id of the request that made it. */
  function paintOneByOne(session: Session): Promise<readonly PartResult<string | null>[]> {
    const { request, call } = session
    const parts = { indexes: indexesOf(request.count), concurrency: CALLS_AT_A_TIME, signal: call.signal }
    return fanOut(parts, async (index, signal) => {
      const answer = await send(session, { body: buildForm(request, index) }, signal)
      const requestId = readRequestId(answer)
      const picture = readPicture(answer)
      if (!picture) throw createMisunderstanding(VENDOR, requestId)
      await handOver(picture, { index, requestId, call, signal })
      return requestId
    })
  }

  /** Answers as above; an image that the engine left out without a word is missing. */
  async function paintAtOnce(session: Session): Promise<readonly PartResult<string | null>[]> {
    const { request, call } = session
    const headers = { 'content-type': 'application/json' }
    const answer = await send(session, { body: JSON.stringify(buildEngineBody(request)), headers }, call.signal)
    const requestId = readRequestId(answer)
    const artifacts = readArtifacts(answer)
    if (!artifacts) throw createMisunderstanding(VENDOR, requestId)
    const made = artifacts.slice(0, request.count)
    const parts = { indexes: indexesOf(made.length), concurrency: 1, signal: call.signal }
    return fanOut(parts, async (index, signal) => {
      const artifact = made[index]
      if (artifact) await handOver(artifact, { index, requestId, call, signal })
      return requestId
    })
  }

  async function generate(request: ProviderRequest, call: ProviderCall): Promise<ProviderOutput> {
    const session = { request, call, key: keyOf(VENDOR, deps.apiKey, call.apiKey) }
    assertWanted(call.signal, false)
    assertSendable(request)
    await call.onSending()
    const results = await (usesEngine(request) ? paintAtOnce(session) : paintOneByOne(session))
    throwIfAlone(results, request.count)
    const requestIds = new Set(valuesOf(results).filter((id) => id !== null))
    return {
      failures: failuresOf(results),
      usage: null,
      // No answer says what it cost.
      reportedUsdMicros: null,
      requestId: requestIds.size === 0 ? null : [...requestIds].join(' '),
    }
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

async function handOver(
  { finish, seed, readBytes }: Artifact,
  given: {
    readonly index: number
    readonly requestId: string | null
    readonly call: ProviderCall
    readonly signal: AbortSignal
  },
): Promise<void> {
  const { index, requestId, call, signal } = given
  if (finish !== 'SUCCESS') throw toFinishFailure(finish, requestId)
  const bytes = readBytes()
  assertWanted(signal, true)
  await call.onImage({ index, bytes, seed, revisedPrompt: null })
}

function indexesOf(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index)
}
