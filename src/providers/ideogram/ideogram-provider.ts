import type { Secret } from '../../secret.ts'
import type { ImageProvider, ProviderCall, ProviderOutput, ProviderReference, ProviderRequest } from '../provider.ts'
import { ProviderError } from '../provider-error.ts'
import { keyOf } from '../wire/api-key.ts'
import { beginSending } from '../wire/begin-sending.ts'
import { createMisunderstanding, createUnsendable } from '../wire/call-failures.ts'
import { failuresOf, fanOut, type PartResult, throwIfAlone } from '../wire/fan-out.ts'
import { type DownloadDeps, downloadImage } from '../wire/image-download.ts'
import { pollUntilDone } from '../wire/polling.ts'
import { runJobs, type SubmittedJob } from '../wire/submitted-jobs.ts'
import type { VendorDeps } from '../wire/vendor-deps.ts'
import { createVendorHttp, type VendorAnswer } from '../wire/vendor-http.ts'
import { createUnsafe, toAnswerFailure, toGenerationFailure, VENDOR } from './ideogram-failures.ts'
import { apiOf, buildRequest, type IdeogramRequest } from './ideogram-request.ts'
import { type ImageEntry, readGeneration, readGenerationId, readImages } from './ideogram-wire.ts'

/** Eight pictures of the best quality in one answer; how long they take at most is not stated. */
const PAINT_MS = 240_000
const SUBMIT_MS = 60_000
const POLL_MS = 20_000
/** Far below the limit of 1000 looks in 10 s. */
const PAUSE_MS = 1_000
const JOB_LIMIT_MS = 10 * 60_000
const DOWNLOADS = 4

type Entry = { readonly image: ImageEntry; readonly index: number; readonly generationId: string | null }

/** Ideogram: one request that is answered with all of the pictures, or, on the new API, one job an image. */
export function createIdeogramProvider(deps: VendorDeps & DownloadDeps): ImageProvider {
  const { clock, baseUrl } = deps
  const http = createVendorHttp({ vendor: VENDOR, fetch: deps.fetch, clock })

  async function send(
    { path, headers, body }: IdeogramRequest,
    { key, timeoutMs, signal }: { key: Secret; timeoutMs: number; signal: AbortSignal },
  ): Promise<VendorAnswer> {
    const answer = await http({
      method: 'POST',
      url: `${baseUrl}${path}`,
      headers: { 'api-key': key.reveal(), accept: 'application/json', ...headers },
      body,
      timeoutMs,
      signal,
    })
    if (!answer.ok) throw toAnswerFailure(answer, { now: clock.now() })
    return answer
  }

  async function deliver(entry: Entry, request: ProviderRequest, call: ProviderCall, signal: AbortSignal) {
    const { image, index, generationId } = entry
    if (!image.isSafe) throw createUnsafe(generationId)
    if (image.url === null) throw createMisunderstanding(VENDOR, generationId)
    const bytes = await downloadImage(deps, VENDOR, image.url, signal)
    const revisedPrompt = image.prompt === request.prompt ? null : image.prompt
    await call.onImage({ index, bytes, seed: image.seed, revisedPrompt })
  }

  /** A crash before the answer is an unknown outcome: there is no id to ask after, so `onAccepted` is never called. */
  async function paint(request: ProviderRequest, call: ProviderCall): Promise<ProviderOutput> {
    const key = keyOf(VENDOR, deps.apiKey, call.apiKey)
    const { signal } = call
    const order = buildRequest(request)
    await beginSending(call)
    const answer = await send(order, { key, timeoutMs: PAINT_MS, signal })
    const images = readImages(answer.json())
    if (!images) throw createMisunderstanding(VENDOR, null)
    const entries = images.slice(0, request.count).map((image, index) => ({ image, index, generationId: null }))
    const results = await fanOut(
      { indexes: [...entries.keys()], concurrency: DOWNLOADS, signal },
      async (index, end) => {
        const entry = entries[index]
        if (entry) await deliver(entry, request, call, end)
      },
    )
    return toOutput(results, request)
  }

  async function runGenerations(
    request: ProviderRequest,
    call: ProviderCall,
    reference: ProviderReference | null,
  ): Promise<ProviderOutput> {
    const key = keyOf(VENDOR, deps.apiKey, call.apiKey)
    const submit = async (): Promise<SubmittedJob> => {
      // After a crash the catalogue may say otherwise than when the first jobs were taken.
      if (apiOf(request) !== 'generations') throw createMoved()
      const answer = await send(buildRequest(request), { key, timeoutMs: SUBMIT_MS, signal: call.signal })
      const id = readGenerationId(answer.json())
      if (id === undefined) throw createMisunderstanding(VENDOR, null)
      return { id }
    }
    const follow = async ({ id }: SubmittedJob, index: number, signal: AbortSignal) => {
      if (call.delivered.has(index)) return
      const polling = { vendor: VENDOR, clock, signal, pauseMs: PAUSE_MS, limitMs: JOB_LIMIT_MS }
      const image = await pollUntilDone(polling, () => look(id, key, signal))
      await deliver({ image, index, generationId: id }, request, call, signal)
    }
    return toOutput(await runJobs({ parts: request.count, call, reference }, { submit, follow }), request)
  }

  async function look(id: string, key: Secret, signal: AbortSignal): Promise<ImageEntry | ProviderError | undefined> {
    const headers = { 'api-key': key.reveal(), accept: 'application/json' }
    const url = `${baseUrl}/v2/generations/${encodeURIComponent(id)}`
    const answer = await http({ method: 'GET', url, headers, timeoutMs: POLL_MS, signal })
    if (!answer.ok) {
      const failure = toAnswerFailure(answer, { now: clock.now(), generationId: id })
      // A refusal that was found after the job was taken; that it would be told like this is unverified.
      if (failure.kind === 'REFUSED') return failure
      throw failure
    }
    const state = readGeneration(answer.json())
    if (state === undefined) throw createMisunderstanding(VENDOR, id)
    if (state.status === 'FAILED') return toGenerationFailure(state, id)
    return state.status === 'DONE' ? state.images[0] : undefined
  }

  return {
    id: 'ideogram',
    name: VENDOR,
    keyed: true,
    configured: deps.apiKey !== null,
    // Pictures in flight of a key by default, so that no more calls than these can ever be taken.
    limits: { concurrency: 10 },
    generate: async (request, call) =>
      apiOf(request) === 'generations' ? runGenerations(request, call, null) : paint(request, call),
    async resume(reference, request, call) {
      if (!Array.isArray(reference.parts)) throw createForeignReference()
      return runGenerations(request, call, reference)
    },
  }
}

function toOutput(results: readonly PartResult<void>[], { count }: ProviderRequest): ProviderOutput {
  throwIfAlone(results, count)
  return { failures: failuresOf(results), usage: null, reportedUsdMicros: null, requestId: null }
}

function createMoved(): ProviderError {
  return createUnsendable(`This part was not sent yet when the way changed in which ${VENDOR} is asked for the model.`)
}

function createForeignReference(): ProviderError {
  const message = `What was kept of this job does not say how to ask ${VENDOR} after it.`
  return new ProviderError({ kind: 'UNAVAILABLE', delivery: 'UNKNOWN', message })
}
