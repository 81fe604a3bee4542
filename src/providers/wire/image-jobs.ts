import type { ProviderCall, ProviderOutput, ProviderReference } from '../provider.ts'
import { ProviderError } from '../provider-error.ts'
import { decodeBase64Image } from './base64-image.ts'
import { failuresOf, fanOut, type PartResult } from './fan-out.ts'
import { type DownloadDeps, downloadImage } from './image-download.ts'
import { joinRequestIds } from './request-ids.ts'
import { runJobs, type SubmittedJob, takenJobs } from './submitted-jobs.ts'

/** What came of the images of one job that was taken: each of them with its own outcome. */
type ImageResults = readonly PartResult<unknown>[]

export type ImageJobSteps = {
  /** The one billable call for these images. Throws ProviderError. */
  submit(indexes: readonly number[]): Promise<SubmittedJob>
  /** Throws ProviderError where all of them have one failure. */
  follow(job: SubmittedJob, indexes: readonly number[], signal: AbortSignal): Promise<ImageResults>
}

/**
 * A request as jobs of a submit-and-poll vendor whose jobs make several images each. How many is written into each job:
 * an attempt that is resumed keeps its division, whatever the catalogue says by then.
 */
export async function runImageJobs(
  given: {
    readonly count: number
    readonly imagesPerJob: number
    readonly call: ProviderCall
    readonly reference: ProviderReference | null
  },
  steps: ImageJobSteps,
): Promise<ProviderOutput> {
  const { count, call, reference } = given
  const size = (reference && divisionOf(reference)) ?? given.imagesPerJob
  const parts = Math.ceil(count / size)
  const indexesOf = (part: number) =>
    Array.from({ length: Math.min(size, count - part * size) }, (_, place) => part * size + place)
  const ids: string[] = []
  const results = await runJobs(
    { parts, call, reference },
    {
      submit: async (part) => ({ ...(await steps.submit(indexesOf(part))), imagesPerJob: size }),
      async follow(job, part, signal) {
        ids.push(job.id)
        return steps.follow(job, indexesOf(part), signal)
      },
    },
  )
  const [only] = results
  if (parts === 1 && only && 'error' in only) throw only.error
  const failures = results.flatMap((result) =>
    'error' in result
      ? indexesOf(result.index).map((imageIndex) => ({ imageIndex, error: result.error }))
      : failuresOf(result.value),
  )
  const [failure] = failures
  if (count === 1 && failure) throw failure.error
  return { failures, usage: null, reportedUsdMicros: null, requestId: joinRequestIds(ids) }
}

function divisionOf(reference: ProviderReference): number | null {
  const [job] = takenJobs(reference)
  return typeof job?.imagesPerJob === 'number' ? job.imagesPerJob : null
}

/** A picture where the vendor has put it (an address or a `data:` URI), or why it is not to be delivered. */
export type FinishedPicture = { readonly url: string; readonly seed: number | null } | ProviderError

const DOWNLOADS_AT_A_TIME = 4

/** Fetches what a job has made, and hands it over one by one. Pictures that nobody asked for are left where they are. */
export function handOverPictures(
  deps: DownloadDeps,
  given: {
    readonly vendor: string
    readonly call: ProviderCall
    /** In the order of the indexes. */
    readonly pictures: readonly FinishedPicture[]
    readonly indexes: readonly number[]
    readonly signal: AbortSignal
  },
): Promise<ImageResults> {
  const { vendor, call, pictures, indexes, signal } = given
  const pictureOf = new Map(indexes.map((index, place) => [index, pictures[place]]))
  const wanted = indexes.filter((index) => pictureOf.get(index) !== undefined && !call.delivered.has(index))
  return fanOut({ indexes: wanted, concurrency: DOWNLOADS_AT_A_TIME, signal }, async (index, stop) => {
    const picture = pictureOf.get(index)
    if (picture === undefined) return
    if (picture instanceof ProviderError) throw picture
    const { url, seed } = picture
    const isInline = url.startsWith('data:')
    const bytes = isInline ? decodeBase64Image(vendor, url) : await downloadImage(deps, vendor, url, stop)
    await call.onImage({ index, bytes, seed, revisedPrompt: null })
  })
}

/**
 * Asks the vendor to stop every job of a reference. An answer that says that there is nothing to stop (over, unknown) is
 * as good as any. Throws the first other ProviderError, once all were asked.
 */
export async function cancelJobs(
  reference: ProviderReference,
  cancel: (job: SubmittedJob) => Promise<unknown>,
): Promise<void> {
  const asked = await Promise.allSettled(takenJobs(reference).map(cancel))
  for (const each of asked) {
    if (each.status === 'rejected' && !isNothingToStop(each.reason)) throw each.reason
  }
}

function isNothingToStop(error: unknown): boolean {
  return error instanceof ProviderError && error.kind === 'INVALID_REQUEST' && error.delivery === 'ANSWERED'
}
