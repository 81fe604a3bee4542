import type { ProviderCall, ProviderOutput, ProviderReference, ProviderRequest } from '../provider.ts'
import type { ProviderError } from '../provider-error.ts'
import type { DownloadDeps } from './image-download.ts'
import { type FinishedPicture, handOverPictures, runImageJobs } from './image-jobs.ts'
import { readInputTemplate } from './input-template.ts'
import { pausesOf } from './job-callbacks.ts'
import type { JsonRecord } from './json-values.ts'
import { createPartsProgress } from './parts-progress.ts'
import { pollUntilDone } from './polling.ts'
import type { SubmittedJob } from './submitted-jobs.ts'

/** One look at a job. */
export type TemplateLook = {
  /** Which images of the request the job makes. */
  readonly indexes: readonly number[]
  readonly signal: AbortSignal
  /** `progress` 0 to 1; null where the vendor tells nothing. */
  tell(progress: number | null, message?: string): void
}

export type TemplateSteps = {
  /** The one billable call of a job; `webhookUrl`: where the vendor may say that it has ended. Throws ProviderError. */
  submit(input: JsonRecord, webhookUrl: string | null): Promise<SubmittedJob>
  /** The pictures, or the failure of the job; undefined: it is not done yet. What it throws is a failure of the look alone. */
  look(job: SubmittedJob, look: TemplateLook): Promise<readonly FinishedPicture[] | ProviderError | undefined>
}

const PAUSE_MS = 500
const JOB_LIMIT_MS = 10 * 60_000

/** A request to a submit-and-poll vendor whose models are data: what one is sent is its `InputTemplate`. */
export async function runTemplateJobs(
  deps: DownloadDeps,
  given: {
    readonly vendor: string
    readonly request: ProviderRequest
    readonly call: ProviderCall
    /** Of an attempt that is resumed; null: a new one. */
    readonly reference: ProviderReference | null
  },
  steps: TemplateSteps,
): Promise<ProviderOutput> {
  const { vendor, request, call, reference } = given
  // A job that was taken is followed whatever the catalogue says by now.
  let template = reference === null ? readInputTemplate(request) : null
  const progress = createPartsProgress(call, request.count)

  async function follow(job: SubmittedJob, indexes: readonly number[], signal: AbortSignal) {
    if (indexes.every((index) => call.delivered.has(index))) return []
    const bounds = { vendor, clock: deps.clock, signal, pauseMs: PAUSE_MS, limitMs: JOB_LIMIT_MS }
    const polling = { ...bounds, ...pausesOf(call, partOf(indexes)) }
    const tell: TemplateLook['tell'] = (share, message) => {
      for (const index of indexes) progress.update(index, share, message)
    }
    const pictures = await pollUntilDone(polling, () => steps.look(job, { indexes, signal, tell }))
    const results = await handOverPictures(deps, { vendor, call, pictures, indexes, signal })
    tell(1)
    return results
  }

  return runImageJobs(
    { count: request.count, imagesPerJob: template?.imagesPerCall ?? 1, call, reference },
    {
      submit(indexes) {
        template ??= readInputTemplate(request)
        return steps.submit(template.fill(indexes), call.callbacks?.urlOf(partOf(indexes)) ?? null)
      },
      follow,
    },
  )
}

/** A job is known by the first of its images: that holds however many it makes. */
function partOf(indexes: readonly number[]): number {
  return indexes[0] ?? 0
}
