import type { Clock } from '../../clock.ts'
import type { OutboundFetch } from '../../outbound/outbound-fetch.ts'
import type { Secret } from '../../secret.ts'
import type { ImageProvider, ProviderCall, ProviderOutput, ProviderReference, ProviderRequest } from '../provider.ts'
import type { ProviderError } from '../provider-error.ts'
import { keyOf } from '../wire/api-key.ts'
import { createMisunderstanding } from '../wire/call-failures.ts'
import { cancelJobs, handOverPictures, runImageJobs } from '../wire/image-jobs.ts'
import { readInputTemplate } from '../wire/input-template.ts'
import { readText } from '../wire/json-values.ts'
import { readLogProgress } from '../wire/log-progress.ts'
import { seedOfPart } from '../wire/part-seed.ts'
import { createPartsProgress, type PartsProgress } from '../wire/parts-progress.ts'
import { pollUntilDone } from '../wire/polling.ts'
import type { SubmittedJob } from '../wire/submitted-jobs.ts'
import type { VendorFetch } from '../wire/vendor-fetch.ts'
import type { VendorAnswer } from '../wire/vendor-http.ts'
import { createReplicateApi, type ReplicateApi, type ReplicateJob, type ReplicateOrder } from './replicate-api.ts'
import { toCallFailure, toJobFailure, toSubmitFailure, VENDOR } from './replicate-failures.ts'
import { type ReplicateState, readState, readSubmission } from './replicate-wire.ts'

export type ReplicateDeps = {
  readonly clock: Clock
  readonly fetch: VendorFetch
  /** For the finished pictures, which lie on other hosts. */
  readonly fetchOutbound: OutboundFetch
  /** The server's own; null: none. */
  readonly apiKey: Secret | null
  readonly baseUrl: string
}

type Watch = {
  readonly api: ReplicateApi
  readonly indexes: readonly number[]
  readonly progress: PartsProgress
  readonly signal: AbortSignal
}

const PAUSE_MS = 500
const JOB_LIMIT_MS = 10 * 60_000

/**
 * Any model of Replicate that makes pictures: what a model is sent stands in the catalogue (`InputTemplate`), and for one
 * that is no official model its `wire.version` as well.
 */
export function createReplicateProvider(deps: ReplicateDeps): ImageProvider {
  const { clock } = deps
  const apiFor = (apiKey: Secret | null) => createReplicateApi(deps, keyOf(VENDOR, deps.apiKey, apiKey))
  const toFailure = (answer: VendorAnswer) => toCallFailure(answer, clock.now())

  async function submit(api: ReplicateApi, order: ReplicateOrder, signal: AbortSignal): Promise<SubmittedJob> {
    const toOwnFailure = (answer: VendorAnswer) => toSubmitFailure(answer, clock.now())
    const submission = readSubmission(await api.create(order, { signal, toFailure: toOwnFailure }))
    if (!submission) throw createMisunderstanding(VENDOR, null)
    return submission
  }

  async function follow(job: ReplicateJob, seed: number | null, call: ProviderCall, watch: Watch) {
    const { indexes, progress, signal } = watch
    if (indexes.every((index) => call.delivered.has(index))) return []
    const polling = { vendor: VENDOR, clock, signal, pauseMs: PAUSE_MS, limitMs: JOB_LIMIT_MS }
    const outputs = await pollUntilDone(polling, () => look(job, watch))
    // The seed that it drew by itself is not told; one that was asked for is that of the first of several.
    const pictures = outputs.map((url, place) => ({ url, seed: place === 0 ? seed : null }))
    const results = await handOverPictures(deps, { vendor: VENDOR, call, pictures, indexes, signal })
    for (const index of indexes) progress.update(index, 1)
    return results
  }

  /** undefined: it is not done yet. */
  async function look(job: ReplicateJob, watch: Watch): Promise<readonly string[] | ProviderError | undefined> {
    const state = readState(await watch.api.get(job, { signal: watch.signal, toFailure }))
    if (state === undefined) throw createMisunderstanding(VENDOR, job.id)
    if (state.status === 'SUCCEEDED')
      return state.outputs.length > 0 ? state.outputs : createMisunderstanding(VENDOR, job.id)
    if (state.status !== 'RUNNING') return toJobFailure(state, job.id)
    return tell(state, watch)
  }

  async function run(
    request: ProviderRequest,
    call: ProviderCall,
    reference: ProviderReference | null,
  ): Promise<ProviderOutput> {
    const api = apiFor(call.apiKey)
    // A job that was taken is followed whatever the catalogue says by now.
    let template = reference === null ? readInputTemplate(request) : null
    const progress = createPartsProgress(call, request.count)
    const { modelName: model, wire, parameters } = request
    const version = typeof wire.version === 'string' ? wire.version : null
    return runImageJobs(
      { count: request.count, imagesPerJob: template?.imagesPerCall ?? 1, call, reference },
      {
        submit(indexes) {
          template ??= readInputTemplate(request)
          return submit(api, { model, version, input: template.fill(indexes) }, call.signal)
        },
        follow: (job, indexes, signal) => {
          const seed = seedOfPart(parameters.seed, indexes[0] ?? 0, Number.MAX_SAFE_INTEGER)
          return follow(readJob(job), seed, call, { api, indexes, progress, signal })
        },
      },
    )
  }

  return {
    id: 'replicate',
    name: VENDOR,
    keyed: true,
    configured: deps.apiKey !== null,
    // Predictions that may be made in a minute (unverified); an account with little credit is told by a 429.
    limits: { requestsPerMinute: 600 },
    generate: (request, call) => run(request, call, null),
    resume: (reference, request, call) => run(request, call, reference),
    cancel: async (reference, { apiKey, signal }) => {
      const api = apiFor(apiKey)
      await cancelJobs(reference, (job) => api.cancel(readJob(job), { signal, toFailure }))
    },
  }
}

function tell(state: Extract<ReplicateState, { status: 'RUNNING' }>, { indexes, progress }: Watch): undefined {
  const { progress: share, message } = readLogProgress(state.log)
  const words = message ?? (state.isStarting ? `${VENDOR} is starting the model.` : undefined)
  for (const index of indexes) progress.update(index, share, words)
}

/** As it was persisted. */
function readJob({ id, getUrl, cancelUrl }: SubmittedJob): ReplicateJob {
  return { id, getUrl: readText(getUrl), cancelUrl: readText(cancelUrl) }
}
