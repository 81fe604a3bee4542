import type { Clock } from '../../clock.ts'
import type { ProviderCall, ProviderOutput } from '../provider.ts'
import { ProviderError } from '../provider-error.ts'
import type { Directives } from './directives.ts'
import type { Painter } from './painting/picture.ts'
import { createStagedFailure } from './sandbox-failures.ts'
import type { SandboxOrder } from './sandbox-order.ts'
import { breakBytes, drawPreview } from './sandbox-pictures.ts'
import { type Moment, planTimeline } from './timeline.ts'

/** What is known of a job; its reference says the same. */
export type SandboxJob = {
  readonly jobId: string
  /** Seed of the first image; each further one has one more. */
  readonly seed: number
  /** Milliseconds since 1970. */
  readonly startedAt: number
}

export type JobRun = {
  readonly job: SandboxJob
  readonly order: SandboxOrder
  readonly call: ProviderCall
  /** Aborts when nobody waits for the job any more. */
  readonly signal: AbortSignal
  /** Rejects at that moment with what the caller is told. Handled by whoever made it. */
  readonly ended: Promise<never>
}

/**
 * Waits and delivers, moment by moment. After a crash it goes on with the time that is left: images that were due are
 * delivered at once, passing things that were due are not shown any more.
 */
export async function runJob(deps: { clock: Clock; painter: Painter }, run: JobRun): Promise<ProviderOutput> {
  const { clock } = deps
  const { job, order, call } = run
  const { directives } = order
  const resumedAt = clock.now()
  const dueAt = (part: number) => Math.min(job.startedAt, resumedAt) + part * directives.delayMs
  const waitUntil = async (part: number) => {
    const waitMs = dueAt(part) - clock.now()
    if (run.signal.aborted) await run.ended
    if (waitMs > 0) await Promise.race([clock.sleep(waitMs, run.signal), run.ended])
  }
  const easel = createEasel(deps.painter, run)
  const failures: ProviderOutput['failures'][number][] = []

  easel.prepare(0)
  for (const moment of listMoments(order)) {
    if (moment.kind !== 'image' && dueAt(moment.at) < resumedAt) continue
    if (moment.kind === 'image' && call.delivered.has(moment.index)) continue
    await waitUntil(moment.at)
    if (moment.kind === 'progress') {
      call.onProgress({ progress: moment.at, message: `Step ${moment.step} of ${directives.steps}` })
    } else if (moment.kind === 'preview') {
      await easel.showPreview(moment.index, moment.number)
    } else {
      const error = failureOf(moment.index, directives, requestIdOf(job))
      if (error) failures.push({ imageIndex: moment.index, error })
      else await easel.deliver(moment.index)
      easel.prepare(moment.index + 1)
    }
  }
  if (directives.hang) await run.ended
  await waitUntil(directives.failure?.stage === 'running' ? 0.5 : 1)
  if (directives.failure) throw createStagedFailure({ ...directives.failure, requestId: requestIdOf(job) })
  return { failures, usage: null, reportedUsdMicros: null, requestId: requestIdOf(job) }
}

export function requestIdOf(job: Pick<SandboxJob, 'jobId'>): string {
  return `req_${job.jobId}`
}

/** Jobs that come to nothing show progress and hand over no image: the first half where they stop half way. */
function listMoments({ directives, count, previews }: SandboxOrder): readonly Moment[] {
  const moments = planTimeline({ steps: directives.steps, count, previews })
  const stopsHalfWay = directives.hang || directives.failure?.stage === 'running'
  if (stopsHalfWay) return moments.filter((moment) => moment.at <= 0.5 && moment.kind !== 'image')
  if (directives.failure) return moments.filter((moment) => moment.kind !== 'image')
  return moments.filter((moment) => moment.kind === 'progress' || moment.index < (directives.images ?? count))
}

function failureOf(index: number, { failImages }: Directives, requestId: string): ProviderError | undefined {
  if (!failImages?.indexes.includes(index)) return undefined
  return createStagedFailure({ kind: failImages.kind, stage: 'running', retryAfterMs: null, requestId })
}

type Easel = {
  /** Begins to paint in the time that is waited anyway. */
  prepare(index: number): void
  showPreview(index: number, number: number): Promise<void>
  deliver(index: number): Promise<void>
}

function createEasel(painter: Painter, { job, order, call, signal, ended }: JobRun): Easel {
  const { directives, previews, count } = order
  const begun = new Map<number, Promise<Uint8Array>>()
  const seedOf = (index: number) => (job.seed + index) % (Number.MAX_SAFE_INTEGER + 1)
  const orEnd = <T>(work: Promise<T>) => Promise.race([work.catch(throwAsProviderError), ended])
  const isMade = (index: number) => {
    const isFailing = directives.failImages?.indexes.includes(index) ?? false
    return index < (directives.images ?? count) && !isFailing && directives.failure === null && !directives.hang
  }
  const begin = (index: number) => {
    if (!isMade(index)) return
    const picture = painter.paint(order.picture(seedOf(index)), signal)
    // Its failure is told when it is waited for; nobody may be left to wait.
    picture.catch(() => undefined)
    begun.set(index, picture)
  }
  return {
    // Pictures are painted one after the other: a large one would keep its own previews waiting.
    prepare: (index) => (previews === 0 && index < count ? begin(index) : undefined),
    showPreview: async (index, number) => {
      const bytes = await orEnd(drawPreview(painter, order.picture(seedOf(index)), number / (previews + 1), signal))
      call.onPreview({ index, bytes })
      if (number === previews) begin(index)
    },
    deliver: async (index) => {
      const seed = seedOf(index)
      const bytes = await orEnd(begun.get(index) ?? painter.paint(order.picture(seed), signal))
      begun.delete(index)
      await call.onImage({ index, bytes: breakBytes(bytes, directives.broken), seed, revisedPrompt: directives.revise })
    },
  }
}

function throwAsProviderError(cause: unknown): never {
  if (cause instanceof ProviderError) throw cause
  const message = 'The sandbox could not paint the picture.'
  throw new ProviderError({ kind: 'UNAVAILABLE', delivery: 'ANSWERED', message, cause })
}
