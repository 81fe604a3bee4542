import type { Secret } from '../../secret.ts'
import type { ImageProvider, ProviderCall, ProviderOutput, ProviderReference, ProviderRequest } from '../provider.ts'
import type { ProviderError } from '../provider-error.ts'
import { keyOf } from '../wire/api-key.ts'
import { createMisunderstanding } from '../wire/call-failures.ts'
import type { DownloadDeps } from '../wire/image-download.ts'
import { cancelJobs, type FinishedPicture } from '../wire/image-jobs.ts'
import { readText } from '../wire/json-values.ts'
import { readLogProgress } from '../wire/log-progress.ts'
import type { SubmittedJob } from '../wire/submitted-jobs.ts'
import { runTemplateJobs, type TemplateLook } from '../wire/template-jobs.ts'
import type { VendorDeps } from '../wire/vendor-deps.ts'
import type { VendorAnswer } from '../wire/vendor-http.ts'
import { createFalCallbacks } from './fal-callbacks.ts'
import {
  createFlagged,
  FalVerdict,
  toCallFailure,
  toResultFailure,
  toStatusError,
  toSubmitFailure,
  VENDOR,
} from './fal-failures.ts'
import { createFalQueue, type FalJob, type FalOrder, type FalQueue } from './fal-queue.ts'
import { type FalStatus, readResult, readStatus, readSubmission } from './fal-wire.ts'

/**
 * Any app of fal that makes pictures, by its queue, at which `baseUrl` points: what an app is sent stands in the catalogue
 * (`InputTemplate`).
 */
export function createFalProvider(deps: VendorDeps & DownloadDeps): ImageProvider {
  const { clock } = deps
  const queueFor = (apiKey: Secret | null) => createFalQueue(deps, keyOf(VENDOR, deps.apiKey, apiKey))
  const toFailure = (answer: VendorAnswer) => toCallFailure(answer, clock.now())

  async function submit(queue: FalQueue, order: FalOrder, signal: AbortSignal): Promise<SubmittedJob> {
    const toOwnFailure = (answer: VendorAnswer) => toSubmitFailure(answer, clock.now())
    const submission = readSubmission(await queue.submit(order, { signal, toFailure: toOwnFailure }))
    if (!submission) throw createMisunderstanding(VENDOR, null)
    return { ...submission, app: order.app }
  }

  async function look(
    queue: FalQueue,
    job: FalJob,
    { signal, tell }: TemplateLook,
  ): Promise<readonly FinishedPicture[] | ProviderError | undefined> {
    const status = readStatus(await queue.status(job, { signal, toFailure }))
    if (status === undefined) throw createMisunderstanding(VENDOR, job.id)
    if (status.status !== 'COMPLETED') return tellOf(status, tell)
    const outcome = await fetchPictures(queue, job, signal)
    if (outcome !== 'nothing') return outcome
    return toStatusError(status, job.id) ?? createMisunderstanding(VENDOR, job.id)
  }

  async function fetchPictures(
    queue: FalQueue,
    job: FalJob,
    signal: AbortSignal,
  ): Promise<readonly FinishedPicture[] | ProviderError | 'nothing' | undefined> {
    const toOwnFailure = (answer: VendorAnswer) => toResultFailure(answer, job.id, clock.now())
    try {
      const result = readResult(await queue.result(job, { signal, toFailure: toOwnFailure }))
      if (!result) return 'nothing'
      return result.pictures.map(({ url, isFlagged }, place) =>
        // The seed is that of the first of several.
        isFlagged ? createFlagged(job.id) : { url, seed: place === 0 ? result.seed : null },
      )
    } catch (error) {
      if (error instanceof FalVerdict) return error.failure
      throw error
    }
  }

  async function run(
    request: ProviderRequest,
    call: ProviderCall,
    reference: ProviderReference | null,
  ): Promise<ProviderOutput> {
    const queue = queueFor(call.apiKey)
    return runTemplateJobs(
      deps,
      { vendor: VENDOR, request, call, reference },
      {
        submit: (input, webhookUrl) => submit(queue, { app: request.modelName, input, webhookUrl }, call.signal),
        look: (job, at) => look(queue, readJob(job), at),
      },
    )
  }

  return {
    id: 'fal',
    name: VENDOR,
    keyed: true,
    configured: deps.apiKey !== null,
    // Concurrent runs of an account in good standing; a new one has 2, and the rest waits in fal's queue.
    limits: { concurrency: 40 },
    callbacks: createFalCallbacks(deps),
    generate: (request, call) => run(request, call, null),
    resume: (reference, request, call) => run(request, call, reference),
    async cancel(reference, { apiKey, signal }) {
      const queue = queueFor(apiKey)
      await cancelJobs(reference, (job) => queue.cancel(readJob(job), { signal, toFailure }))
    },
  }
}

function tellOf(status: Exclude<FalStatus, { status: 'COMPLETED' }>, tell: TemplateLook['tell']): undefined {
  if (status.status === 'RUNNING') {
    const { progress, message } = readLogProgress(status.log)
    tell(progress, message)
    return
  }
  const { ahead } = status
  const place = ahead === null ? '' : ahead === 0 ? ' Nothing is ahead of it.' : ` ${ahead} ahead of it.`
  tell(null, `It waits in the queue of ${VENDOR}.${place}`)
}

/** As it was persisted. */
function readJob({ id, app, statusUrl, responseUrl, cancelUrl }: SubmittedJob): FalJob {
  return {
    id,
    app: readText(app) ?? '',
    statusUrl: readText(statusUrl),
    responseUrl: readText(responseUrl),
    cancelUrl: readText(cancelUrl),
  }
}
