import type { Clock } from '../../clock.ts'
import type { OutboundFetch } from '../../outbound/outbound-fetch.ts'
import type { Secret } from '../../secret.ts'
import type { ImageProvider, ProviderCall, ProviderOutput, ProviderReference, ProviderRequest } from '../provider.ts'
import type { ProviderError } from '../provider-error.ts'
import { keyOf } from '../wire/api-key.ts'
import { createMisunderstanding } from '../wire/call-failures.ts'
import { cancelJobs, handOverPictures, runImageJobs } from '../wire/image-jobs.ts'
import { type InputTemplate, readInputTemplate } from '../wire/input-template.ts'
import { readText } from '../wire/json-values.ts'
import { readLogProgress } from '../wire/log-progress.ts'
import { createPartsProgress, type PartsProgress } from '../wire/parts-progress.ts'
import { pollUntilDone } from '../wire/polling.ts'
import type { SubmittedJob } from '../wire/submitted-jobs.ts'
import type { VendorFetch } from '../wire/vendor-fetch.ts'
import type { VendorAnswer } from '../wire/vendor-http.ts'
import {
  createFlagged,
  FalVerdict,
  toCallFailure,
  toResultFailure,
  toStatusError,
  toSubmitFailure,
  VENDOR,
} from './fal-failures.ts'
import { createFalQueue, type FalJob, type FalQueue } from './fal-queue.ts'
import { type FalResult, readResult, readStatus, readSubmission } from './fal-wire.ts'

export type FalDeps = {
  readonly clock: Clock
  readonly fetch: VendorFetch
  /** For the finished pictures, which lie on other hosts. */
  readonly fetchOutbound: OutboundFetch
  /** The server's own; null: none. */
  readonly apiKey: Secret | null
  /** Of the queue. */
  readonly baseUrl: string
}

type Watch = {
  readonly queue: FalQueue
  readonly indexes: readonly number[]
  readonly progress: PartsProgress
  readonly signal: AbortSignal
}

const PAUSE_MS = 500
const JOB_LIMIT_MS = 10 * 60_000

/** Any app of fal that makes pictures, by its queue: what an app is sent stands in the catalogue (`InputTemplate`). */
export function createFalProvider(deps: FalDeps): ImageProvider {
  const { clock } = deps
  const queueFor = (apiKey: Secret | null) => createFalQueue(deps, keyOf(VENDOR, deps.apiKey, apiKey))

  async function submit(
    queue: FalQueue,
    app: string,
    input: ReturnType<InputTemplate['fill']>,
    signal: AbortSignal,
  ): Promise<SubmittedJob> {
    const toFailure = (answer: VendorAnswer) => toSubmitFailure(answer, clock.now())
    const submission = readSubmission(await queue.submit(app, input, { signal, toFailure }))
    if (!submission) throw createMisunderstanding(VENDOR, null)
    return { ...submission, app }
  }

  async function follow(job: FalJob, call: ProviderCall, watch: Watch) {
    const { indexes, progress, signal } = watch
    if (indexes.every((index) => call.delivered.has(index))) return []
    const polling = { vendor: VENDOR, clock, signal, pauseMs: PAUSE_MS, limitMs: JOB_LIMIT_MS }
    const { pictures, seed } = await pollUntilDone(polling, () => look(job, watch))
    const finished = pictures.map(({ url, isFlagged }, place) =>
      // The seed is that of the first of several.
      isFlagged ? createFlagged(job.id) : { url, seed: place === 0 ? seed : null },
    )
    const results = await handOverPictures(deps, { vendor: VENDOR, call, pictures: finished, indexes, signal })
    for (const index of indexes) progress.update(index, 1)
    return results
  }

  /** undefined: it is not done yet. */
  async function look(job: FalJob, watch: Watch): Promise<FalResult | ProviderError | undefined> {
    const { queue, signal } = watch
    const toFailure = (answer: VendorAnswer) => toCallFailure(answer, clock.now())
    const status = readStatus(await queue.status(job, { signal, toFailure }))
    if (status === undefined) throw createMisunderstanding(VENDOR, job.id)
    if (status.status !== 'COMPLETED') return tell(status, watch)
    const outcome = await fetchResult(job, watch)
    if (outcome !== 'nothing') return outcome
    return toStatusError(status, job.id) ?? createMisunderstanding(VENDOR, job.id)
  }

  async function fetchResult(
    job: FalJob,
    { queue, signal }: Watch,
  ): Promise<FalResult | ProviderError | 'nothing' | undefined> {
    const toFailure = (answer: VendorAnswer) => toResultFailure(answer, job.id, clock.now())
    try {
      return readResult(await queue.result(job, { signal, toFailure })) ?? 'nothing'
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
    // A job that was taken is followed whatever the catalogue says by now.
    let template = reference === null ? readInputTemplate(request) : null
    const progress = createPartsProgress(call, request.count)
    return runImageJobs(
      { count: request.count, imagesPerJob: template?.imagesPerCall ?? 1, call, reference },
      {
        submit(indexes) {
          template ??= readInputTemplate(request)
          return submit(queue, request.modelName, template.fill(indexes), call.signal)
        },
        follow: (job, indexes, signal) => follow(readJob(job), call, { queue, indexes, progress, signal }),
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
    generate: (request, call) => run(request, call, null),
    resume: (reference, request, call) => run(request, call, reference),
    cancel: async (reference, { apiKey, signal }) => {
      const queue = queueFor(apiKey)
      const toFailure = (answer: VendorAnswer) => toCallFailure(answer, clock.now())
      await cancelJobs(reference, (job) => queue.cancel(readJob(job), { signal, toFailure }))
    },
  }
}

function tell(
  status: Extract<ReturnType<typeof readStatus>, { status: 'IN_QUEUE' | 'RUNNING' }>,
  { indexes, progress }: Watch,
): undefined {
  if (status.status === 'RUNNING') {
    const { progress: share, message } = readLogProgress(status.log)
    for (const index of indexes) progress.update(index, share, message)
    return
  }
  const { ahead } = status
  const place = ahead === null ? '' : ahead === 0 ? ' Nothing is ahead of it.' : ` ${ahead} ahead of it.`
  for (const index of indexes) progress.update(index, null, `It waits in the queue of ${VENDOR}.${place}`)
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
