import type { Secret } from '../../secret.ts'
import type { ImageProvider, ProviderCall, ProviderOutput, ProviderReference, ProviderRequest } from '../provider.ts'
import { ProviderError } from '../provider-error.ts'
import { keyOf } from '../wire/api-key.ts'
import { createMisunderstanding } from '../wire/call-failures.ts'
import type { DownloadDeps } from '../wire/image-download.ts'
import { cancelJobs } from '../wire/image-jobs.ts'
import { readText } from '../wire/json-values.ts'
import { readLogProgress } from '../wire/log-progress.ts'
import { seedOfPart } from '../wire/part-seed.ts'
import type { SubmittedJob } from '../wire/submitted-jobs.ts'
import { runTemplateJobs, type TemplateLook } from '../wire/template-jobs.ts'
import type { VendorDeps } from '../wire/vendor-deps.ts'
import type { VendorAnswer } from '../wire/vendor-http.ts'
import { createReplicateApi, type ReplicateApi, type ReplicateJob, type ReplicateOrder } from './replicate-api.ts'
import { createReplicateCallbacks } from './replicate-callbacks.ts'
import { toCallFailure, toJobFailure, toSubmitFailure, VENDOR } from './replicate-failures.ts'
import { type ReplicateState, readState, readSubmission } from './replicate-wire.ts'

/**
 * Any model of Replicate that makes pictures: what a model is sent stands in the catalogue (`InputTemplate`), and for one
 * that is no official model its `wire.version` as well.
 */
export function createReplicateProvider(deps: VendorDeps & DownloadDeps): ImageProvider {
  const { clock } = deps
  const apiFor = (apiKey: Secret | null) => createReplicateApi(deps, keyOf(VENDOR, deps.apiKey, apiKey))
  const toFailure = (answer: VendorAnswer) => toCallFailure(answer, clock.now())

  async function submit(api: ReplicateApi, order: ReplicateOrder, signal: AbortSignal): Promise<SubmittedJob> {
    const toOwnFailure = (answer: VendorAnswer) => toSubmitFailure(answer, clock.now())
    const submission = readSubmission(await api.create(order, { signal, toFailure: toOwnFailure }))
    if (!submission) throw createMisunderstanding(VENDOR, null)
    return submission
  }

  async function look(
    api: ReplicateApi,
    job: ReplicateJob,
    { signal, tell }: TemplateLook,
  ): Promise<readonly string[] | ProviderError | undefined> {
    const state = readState(await api.get(job, { signal, toFailure }))
    if (state === undefined) throw createMisunderstanding(VENDOR, job.id)
    if (state.status === 'SUCCEEDED') {
      return state.outputs.length > 0 ? state.outputs : createMisunderstanding(VENDOR, job.id)
    }
    return state.status === 'RUNNING' ? tellOf(state, tell) : toJobFailure(state, job.id)
  }

  async function run(
    request: ProviderRequest,
    call: ProviderCall,
    reference: ProviderReference | null,
  ): Promise<ProviderOutput> {
    const api = apiFor(call.apiKey)
    const { modelName: model, wire, parameters } = request
    const version = typeof wire.version === 'string' ? wire.version : null
    return runTemplateJobs(
      deps,
      { vendor: VENDOR, request, call, reference },
      {
        submit: (input, webhookUrl) => submit(api, { model, version, input, webhookUrl }, call.signal),
        async look(job, at) {
          const outputs = await look(api, readJob(job), at)
          if (outputs === undefined || outputs instanceof ProviderError) return outputs
          // The seed that it drew by itself is not told; one that was asked for is that of the first of several.
          const seed = seedOfPart(parameters.seed, at.indexes[0] ?? 0, Number.MAX_SAFE_INTEGER)
          return outputs.map((url, place) => ({ url, seed: place === 0 ? seed : null }))
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
    callbacks: createReplicateCallbacks({
      clock,
      secretOf: (signal) => apiFor(null).webhookSecret({ signal, toFailure }),
    }),
    generate: (request, call) => run(request, call, null),
    resume: (reference, request, call) => run(request, call, reference),
    async cancel(reference, { apiKey, signal }) {
      const api = apiFor(apiKey)
      await cancelJobs(reference, (job) => api.cancel(readJob(job), { signal, toFailure }))
    },
  }
}

function tellOf(state: Extract<ReplicateState, { status: 'RUNNING' }>, tell: TemplateLook['tell']): undefined {
  const { progress, message } = readLogProgress(state.log)
  tell(progress, message ?? (state.isStarting ? `${VENDOR} is starting the model.` : undefined))
}

/** As it was persisted. */
function readJob({ id, getUrl, cancelUrl }: SubmittedJob): ReplicateJob {
  return { id, getUrl: readText(getUrl), cancelUrl: readText(cancelUrl) }
}
