import type { RunningAttempt } from '../generation/attempt-beginning.ts'
import type { EndedAttempt } from '../generation/attempt-ending.ts'
import type { VendorCost } from '../generation/vendor-cost.ts'
import type { Metrics } from '../metrics.ts'
import type { ProviderOutput } from '../providers/provider.ts'
import type { ProviderError } from '../providers/provider-error.ts'
import type { ProviderRegistry } from '../providers/provider-registry.ts'
import type { ClaimedJob, JobQueue } from '../queue/job-queue.ts'
import { isAboutOwnKey } from '../queue/retry-policy.ts'
import { createLoop } from './loop.ts'
import type { ProviderGate } from './provider-gate.ts'
import { NO_LONGER_WANTED, type RunAttemptDeps, type RunOutcome, runAttempt } from './run-attempt.ts'

export type Worker = {
  start(): void
  /** There may be a job to claim. */
  nudge(): void
  /** The generation has ended by somebody else's word: its attempt, if it runs here, is dropped. */
  stopWork(generationId: string): void
  /** Claims nothing more, lets what runs finish for `graceMs`, then lets go of it: it is taken up at the next start. */
  drain(graceMs: number): Promise<void>
  running(): number
}

export type WorkerDeps = RunAttemptDeps & {
  readonly queue: JobQueue
  readonly providers: ProviderRegistry
  readonly gate: ProviderGate
  readonly metrics: Metrics
  /** Attempts at a time in this process. */
  readonly concurrency: number
  readonly leaseMs: number
  /** How long a job whose time has come may wait where no nudge told of it. */
  readonly pollMs: number
}

/** Vendors round. */
const TOLERATED_DRIFT = 0.05

type Running = { readonly job: ClaimedJob; readonly stop: AbortController; readonly done: Promise<void> }

/** How long what was told to stop may take to do so. An adapter that does not listen must not keep the process. */
const STOPPING_MS = 2_000

export function createWorker(deps: WorkerDeps): Worker {
  const { attempts, queue, gate, clock, logger, metrics } = deps
  const running = new Set<Running>()
  let draining = false

  const fault = (what: string) => (error: unknown) => logger.error({ err: error }, what)
  const claiming = createLoop({ clock, everyMs: deps.pollMs, run: claimAll, onError: fault('Claiming failed') })
  const beating = createLoop({ clock, everyMs: deps.leaseMs / 3, run: beat, onError: fault('Heartbeat failed') })
  const reaping = createLoop({ clock, everyMs: deps.leaseMs / 2, run: reap, onError: fault('Reaping failed') })

  return {
    start() {
      for (const loop of [claiming, beating, reaping]) loop.start()
    },
    nudge: () => claiming.nudge(),
    stopWork: (generationId) => stopAll(generationId, NO_LONGER_WANTED),
    running: () => running.size,

    async drain(graceMs) {
      draining = true
      await Promise.all([claiming.stop(), reaping.stop()])
      const settled = Promise.all([...running].map((each) => each.done))
      await within(graceMs, settled)
      for (const { stop } of running) stop.abort()
      await within(STOPPING_MS, settled)
      await beating.stop()
    },
  }

  async function within(ms: number, settled: Promise<unknown>): Promise<void> {
    const timer = new AbortController()
    await Promise.race([settled, clock.sleep(ms, timer.signal)])
    timer.abort()
  }

  function stopAll(generationId: string, reason?: symbol): void {
    for (const { job, stop } of running) if (job.generationId === generationId) stop.abort(reason)
  }

  async function claimAll(): Promise<void> {
    while (!draining && running.size < deps.concurrency) {
      const begun = await attempts.claim({ busyProviders: gate.busy() })
      metrics.claim(begun ? 'claimed' : 'empty')
      if (begun === undefined) return
      if (begun.kind === 'run') launch(begun.attempt)
    }
  }

  function launch(attempt: RunningAttempt): void {
    const { job } = attempt
    // An earlier lease of the same generation that was lost here: what it still does is for nobody.
    stopAll(job.generationId)
    const stop = new AbortController()
    gate.enter(job.provider)
    const done = work(attempt, stop.signal).finally(() => {
      gate.leave(job.provider)
      running.delete(entry)
      claiming.nudge()
    })
    const entry = { job, stop, done }
    running.add(entry)
  }

  async function work(attempt: RunningAttempt, signal: AbortSignal): Promise<void> {
    const { job, attemptId, attemptNumber } = attempt
    const startedAt = clock.now()
    const about = { generation: job.generationId, attempt: attemptId, number: attemptNumber, model: job.model }
    try {
      const outcome = await runAttempt(deps, deps.providers.find(job.provider), attempt, signal)
      report({ ...about, durationMs: clock.now() - startedAt }, attempt, outcome, signal)
    } catch (error) {
      // The lease runs out by itself, and whoever claims the job next finds how far this attempt had come.
      logger.error({ ...about, err: error }, 'An attempt could not be settled')
    } finally {
      deps.progress.forget(job.generationId)
    }
  }

  function report(
    about: { readonly durationMs: number },
    { job: { provider: providerId }, keySource }: RunningAttempt,
    outcome: RunOutcome,
    signal: AbortSignal,
  ): void {
    const seconds = about.durationMs / 1000
    if (outcome.kind === 'dropped') {
      logger.info(about, 'Attempt dropped')
      metrics.attempt(providerId, signal.reason === NO_LONGER_WANTED ? 'canceled' : 'abandoned', seconds)
      return
    }
    const { result, ended } = outcome
    const problem = ended.problem && { code: ended.problem.code, providerCode: ended.problem.providerCode }
    logger.info({ ...about, status: ended.status, problem }, 'Attempt ended')
    metrics.attempt(
      providerId,
      ended.problem === null ? 'succeeded' : ended.status === 'COMPLETED' ? 'partial' : 'failed',
      seconds,
    )
    if (ended.vendorCost) reportCost(providerId, about, ended.vendorCost)
    // It was never asked.
    if (result.kind === 'failed' && result.stage === 'INPUT') return
    const error = result.kind === 'failed' ? result.error : worstOf(result.output, ended)
    // How a caller's own key stands with the provider says nothing of how the server's does.
    if (error && isAboutOwnKey(keySource, error.kind)) return
    if (error) gate.failed(providerId, error)
    else gate.succeeded(providerId)
  }

  function reportCost(providerId: string, about: object, cost: VendorCost): void {
    metrics.vendorCost(providerId, cost)
    const apart = Math.abs(cost.reportedMicros - cost.expectedMicros)
    if (apart <= cost.expectedMicros * TOLERATED_DRIFT) return
    logger.warn({ ...about, ...cost }, 'The vendor says another cost than the catalogue: its prices may have changed')
  }

  /** Attempts whose lease is gone are dropped at once: whoever has it now may be calling the provider. */
  async function beat(): Promise<void> {
    const beaten = [...running]
    const held = await queue.heartbeat(beaten.map((each) => each.job))
    for (const { job, stop } of beaten) if (!held.has(job.leaseToken)) stop.abort()
  }

  /** One's own leases first: after a standstill of the process they look like those of a dead one. */
  async function reap(): Promise<void> {
    await beat()
    const returned = await queue.reap()
    if (returned === 0) return
    logger.warn({ jobs: returned }, 'Jobs whose worker was lost are taken up again')
    claiming.nudge()
  }
}

/** A provider that answers with nothing but failures has failed. */
function worstOf({ failures }: ProviderOutput, ended: EndedAttempt): ProviderError | undefined {
  return ended.status === 'COMPLETED' ? undefined : failures[0]?.error
}
