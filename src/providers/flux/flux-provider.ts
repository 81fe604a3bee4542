import type { Secret } from '../../secret.ts'
import type { ImageProvider, ProviderCall, ProviderOutput, ProviderReference, ProviderRequest } from '../provider.ts'
import { keyOf } from '../wire/api-key.ts'
import { createMisunderstanding } from '../wire/call-failures.ts'
import { failuresOf, throwIfAlone, valuesOf } from '../wire/fan-out.ts'
import { type DownloadDeps, downloadImage } from '../wire/image-download.ts'
import { pausesOf } from '../wire/job-callbacks.ts'
import { createPartsProgress, type PartsProgress } from '../wire/parts-progress.ts'
import { pollUntilDone } from '../wire/polling.ts'
import { runJobs, type SubmittedJob } from '../wire/submitted-jobs.ts'
import type { VendorDeps } from '../wire/vendor-deps.ts'
import { createVendorHttp } from '../wire/vendor-http.ts'
import { isOfVendor } from '../wire/vendor-url.ts'
import { fluxCallbacks, webhookFields } from './flux-callbacks.ts'
import { createUnknownJob, toAnswerFailure, toJobFailure, VENDOR } from './flux-failures.ts'
import { buildFluxBody } from './flux-request.ts'
import { readJobState, readSubmission } from './flux-wire.ts'

type Watch = {
  readonly call: ProviderCall
  readonly key: Secret
  readonly signal: AbortSignal
  readonly progress: PartsProgress
}

const SUBMIT_MS = 60_000
const POLL_MS = 20_000
/** At least half a second is recommended. */
const PAUSE_MS = 500
const JOB_LIMIT_MS = 10 * 60_000
/** One credit is a cent. */
const MICROS_OF_A_CREDIT = 10_000

/** Black Forest Labs: one job an image, submitted and polled. Finished pictures live for ten minutes. */
export function createFluxProvider(deps: VendorDeps & DownloadDeps): ImageProvider {
  const { clock, baseUrl } = deps
  const http = createVendorHttp({ vendor: VENDOR, fetch: deps.fetch, clock })

  async function submit(
    request: ProviderRequest,
    index: number,
    { call, key }: Pick<Watch, 'call' | 'key'>,
  ): Promise<SubmittedJob> {
    const answer = await http({
      method: 'POST',
      url: `${baseUrl}/v1/${request.modelName}`,
      headers: { 'x-key': key.reveal(), 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ ...buildFluxBody(request, index), ...webhookFields(call, index) }),
      timeoutMs: SUBMIT_MS,
      signal: call.signal,
    })
    if (!answer.ok) throw toAnswerFailure(answer, clock.now())
    const submission = readSubmission(answer.json())
    if (!submission) throw createMisunderstanding(VENDOR, null)
    const { id, pollingUrl, costCredits } = submission
    return { id, pollingUrl, costCredits }
  }

  /** Answers with what the job costs, in credits; null where that was not said. */
  async function follow(job: SubmittedJob, index: number, watch: Watch): Promise<number | null> {
    const { call, signal } = watch
    const bounds = { vendor: VENDOR, clock, signal, pauseMs: PAUSE_MS, limitMs: JOB_LIMIT_MS }
    if (!call.delivered.has(index)) {
      const { sampleUrl, seed } = await pollUntilDone({ ...bounds, ...pausesOf(call, index) }, () =>
        look(job, index, watch),
      )
      const bytes = await downloadImage(deps, VENDOR, sampleUrl, signal)
      await call.onImage({ index, bytes, seed, revisedPrompt: null })
    }
    watch.progress.update(index, 1)
    return typeof job.costCredits === 'number' ? job.costCredits : null
  }

  async function look(job: SubmittedJob, index: number, { key, signal, progress }: Watch) {
    const headers = { 'x-key': key.reveal(), accept: 'application/json' }
    const url = pollingUrlOf(job, baseUrl)
    const answer = await http({ method: 'GET', url, headers, timeoutMs: POLL_MS, signal })
    if (!answer.ok) throw toAnswerFailure(answer, clock.now())
    const state = readJobState(answer.json())
    if (state === undefined) throw createMisunderstanding(VENDOR, job.id)
    if (state.status === 'READY') return state
    // A job that was taken does not cease to be known by one word of one machine behind the address.
    if (state.status === 'UNKNOWN') throw createUnknownJob(job.id)
    if (state.status !== 'RUNNING') return toJobFailure(state, job.id)
    progress.update(index, state.progress)
    return undefined
  }

  async function run(
    request: ProviderRequest,
    call: ProviderCall,
    reference: ProviderReference | null,
  ): Promise<ProviderOutput> {
    const key = keyOf(VENDOR, deps.apiKey, call.apiKey)
    const progress = createPartsProgress(call, request.count)
    const results = await runJobs(
      { parts: request.count, call, reference },
      {
        submit: (index) => submit(request, index, { call, key }),
        follow: (job, index, signal) => follow(job, index, { call, key, signal, progress }),
      },
    )
    throwIfAlone(results, request.count)
    return {
      failures: failuresOf(results),
      usage: null,
      reportedUsdMicros: sumCredits(valuesOf(results)),
      requestId: null,
    }
  }

  return {
    id: 'flux',
    name: VENDOR,
    keyed: true,
    configured: deps.apiKey !== null,
    // Active tasks of a key; kontext-max takes 6.
    limits: { concurrency: 24 },
    callbacks: fluxCallbacks,
    generate: (request, call) => run(request, call, null),
    resume: (reference, request, call) => run(request, call, reference),
  }
}

/** As given, where the key may be shown to it; the documented address of the same job otherwise. */
function pollingUrlOf({ id, pollingUrl }: SubmittedJob, baseUrl: string): string {
  if (typeof pollingUrl === 'string' && isOfVendor(pollingUrl, baseUrl)) return pollingUrl
  return `${baseUrl}/v1/get_result?id=${encodeURIComponent(id)}`
}

function sumCredits(costs: readonly (number | null)[]): number | null {
  const told = costs.filter((cost) => cost !== null)
  if (told.length === 0) return null
  return Math.round(told.reduce((sum, cost) => sum + cost, 0) * MICROS_OF_A_CREDIT)
}
