import { createHash } from 'node:crypto'
import type { Clock } from '../../clock.ts'
import type { Ids } from '../../ids.ts'
import type { ImageProvider, ProviderCall, ProviderOutput, ProviderReference, ProviderRequest } from '../provider.ts'
import { type Delivery, ProviderError } from '../provider-error.ts'
import { createPainter } from './painting/picture.ts'
import { createAbortion, createCancellation, createConnectionLoss, createStagedFailure } from './sandbox-failures.ts'
import { requestIdOf, runJob, type SandboxJob } from './sandbox-job.ts'
import { readOrder, type SandboxOrder } from './sandbox-order.ts'

type Deps = { readonly clock: Clock; readonly ids: Pick<Ids, 'token'> }

/**
 * The provider that is always there: it paints real pictures in this process and behaves as a submit-and-poll vendor
 * does, well or as badly as the directives in the prompt tell it (`docs/sandbox.md`).
 */
export function createSandboxProvider(deps: Deps): ImageProvider {
  const { clock } = deps
  const painter = createPainter(clock)
  const running = new Map<string, AbortController>()

  async function run(job: SandboxJob, order: SandboxOrder, call: ProviderCall): Promise<ProviderOutput> {
    const canceled = new AbortController()
    running.set(job.jobId, canceled)
    const end = watchEnd(call.signal, canceled.signal, requestIdOf(job))
    try {
      return await runJob({ clock, painter }, { job, order, call, signal: end.signal, ended: end.ended })
    } finally {
      end.stop()
      if (running.get(job.jobId) === canceled) running.delete(job.jobId)
    }
  }

  return {
    id: 'sandbox',
    name: 'Sandbox',
    keyed: false,
    configured: true,

    async generate(request, call) {
      const { job, order } = await submit(deps, request, call)
      return run(job, order, call)
    },

    async resume(reference, request, call) {
      assertWanted(call.signal, 'UNKNOWN')
      const job = readReference(reference)
      return run(job, readOrder(request, job.attemptNumber), call)
    },

    async cancel(reference) {
      running.get(reference.jobId)?.abort()
    },
  }
}

/** Up to the moment when the vendor has taken the job. */
async function submit(
  { clock, ids }: Deps,
  request: ProviderRequest,
  call: ProviderCall,
): Promise<{ job: SandboxJob; order: SandboxOrder }> {
  const order = readOrder(request, call.attemptNumber)
  const { directives } = order
  assertWanted(call.signal, 'NOT_SENT')
  const jobId = `sandbox_${ids.token()}`
  failAt('before-send', order, jobId)
  await call.onSending()
  assertWanted(call.signal, 'NOT_SENT')
  failAt('submit', order, jobId)
  if (directives.unknown) await loseConnection(clock, directives.delayMs / 2, call.signal)
  const job = { jobId, seed: request.parameters.seed ?? deriveSeed(ids.token()), startedAt: clock.now() }
  if (!directives.sync) await call.onAccepted({ ...job, attemptNumber: call.attemptNumber })
  return { job, order }
}

/** The failures that are told before there is a job. */
function failAt(stage: 'before-send' | 'submit', { directives }: SandboxOrder, jobId: string): void {
  if (directives.failure?.stage !== stage) return
  throw createStagedFailure({ ...directives.failure, requestId: requestIdOf({ jobId }) })
}

/** `stop` must be called, or a signal that outlives the call would keep it. */
function watchEnd(wanted: AbortSignal, canceled: AbortSignal, requestId: string) {
  const both = new AbortController()
  const { promise: ended, reject } = Promise.withResolvers<never>()
  // It may end when nothing is being waited for.
  ended.catch(() => undefined)
  const end = (error: ProviderError) => {
    reject(error)
    both.abort(error)
  }
  const giveUp = () => end(createAbortion('UNKNOWN'))
  wanted.addEventListener('abort', giveUp, { once: true })
  canceled.addEventListener('abort', () => end(createCancellation(requestId)), { once: true })
  if (wanted.aborted) giveUp()
  return { signal: both.signal, ended, stop: () => wanted.removeEventListener('abort', giveUp) }
}

function assertWanted(signal: AbortSignal, delivery: Delivery): void {
  if (signal.aborted) throw createAbortion(delivery)
}

async function loseConnection(clock: Clock, afterMs: number, signal: AbortSignal): Promise<never> {
  await clock.sleep(afterMs, signal)
  assertWanted(signal, 'UNKNOWN')
  throw createConnectionLoss()
}

/** 32 bits: short enough to be read out, and as unlike its neighbours as the token it comes from. */
function deriveSeed(token: string): number {
  return createHash('sha256').update(token).digest().readUInt32BE(0)
}

function readReference(reference: ProviderReference): SandboxJob & { readonly attemptNumber: number } {
  const { jobId, seed, startedAt, attemptNumber } = reference
  if (typeof seed === 'number' && typeof startedAt === 'number' && typeof attemptNumber === 'number') {
    return { jobId, seed, startedAt, attemptNumber }
  }
  const message = 'The sandbox knows no such job.'
  throw new ProviderError({
    kind: 'INVALID_REQUEST',
    delivery: 'ANSWERED',
    message,
    providerRequestId: requestIdOf({ jobId }),
  })
}
