import type { Clock } from '../clock.ts'
import type { ProviderOutput } from '../providers/provider.ts'
import type { ProviderError } from '../providers/provider-error.ts'
import type { JobQueue } from '../queue/job-queue.ts'
import { decideRetry, type RetryPolicy } from '../queue/retry-policy.ts'
import { endAttempt, listAttempts } from '../store/attempt-store.ts'
import type { Trx } from '../store/database.ts'
import { findGeneration, updateGeneration } from '../store/generation-store.ts'
import type { AttemptOutcome, GenerationRow, GenerationStatus } from '../store/tables.ts'
import { isUnknown, LeaseLostError, type RunningAttempt } from './attempts.ts'
import type { AppendEvent, EventLog } from './event-log.ts'
import type { Problem, Warning } from './generation-types.ts'
import type { PricedPlan } from './model-choice.ts'
import { createProblem, toProblem } from './problems.ts'
import { toJson } from './records.ts'
import type { Settlement } from './settlement.ts'
import { readStoredRequest } from './stored-request.ts'

/** What came of an attempt, as the worker saw it. */
export type AttemptResult =
  | { readonly kind: 'answered'; readonly output: ProviderOutput }
  | { readonly kind: 'failed'; readonly error: ProviderError }
  /** The pictures are there and could not be kept. */
  | { readonly kind: 'unstored'; readonly message: string }

export type EndedAttempt = { readonly status: GenerationStatus; readonly problem: Problem | null }

export type AttemptEnding = {
  /** The one transaction that ends an attempt: another try, the next model, or the end. Throws LeaseLostError. */
  settle(attempt: RunningAttempt, result: AttemptResult): Promise<EndedAttempt>
}

export function createAttemptEnding(deps: {
  log: EventLog
  queue: JobQueue
  settlement: Settlement
  policy: RetryPolicy
  clock: Clock
  /** 0 to 1, for jitter. */
  random: () => number
}): AttemptEnding {
  const { log, queue, settlement, policy, clock, random } = deps

  return {
    settle: (attempt, result) =>
      log.transact(async (trx, append) => {
        const row = await findGeneration(trx, attempt.job.generationId)
        if (row === undefined || row.attemptToken !== attempt.attemptToken) {
          throw new LeaseLostError(attempt.job.generationId)
        }
        const problems = problemsOf(row, result)
        const error = row.imageCount === 0 ? errorOf(result) : undefined
        const next = error && (await chooseNext(trx, row, attempt, error))
        await close(trx, attempt, row, result, problems)
        if (next) return goOn(trx, append, attempt, row, next, problems)
        return end(trx, append, attempt, row, result, problems)
      }),
  }

  async function chooseNext(
    trx: Trx,
    row: GenerationRow,
    attempt: RunningAttempt,
    error: ProviderError,
  ): Promise<Next | undefined> {
    const earlier = (await listAttempts(trx, [row.id])).filter((each) => each.id !== attempt.attemptId)
    const tries = earlier.filter((each) => each.model === row.model).length + 1
    const unknownOutcomes = earlier.filter(isUnknown).length
    const decision = decideRetry({ error, attempt: tries, unknownOutcomes, policy, random: random() })
    if (decision.action === 'retry') return { runAt: clock.now() + decision.delayMs, plan: null }
    if (decision.action === 'unknown-outcome' || !mayAskAnother(error)) return undefined
    const [plan] = readStoredRequest(row.request).fallbacks
    return plan && { runAt: clock.now(), plan }
  }

  async function close(
    trx: Trx,
    attempt: RunningAttempt,
    row: GenerationRow,
    result: AttemptResult,
    problems: readonly Problem[],
  ): Promise<void> {
    const isClosed = await endAttempt(trx, attempt.attemptId, {
      outcome: outcomeOf(row, result, problems),
      problem: toJson(problems[0]),
      finishedAt: clock.now(),
      providerRequestId: requestIdOf(result),
      ...(isDone(result) && { phase: 'DONE' }),
    })
    if (!isClosed) throw new LeaseLostError(row.id)
  }

  /** Back to the queue, for the same model or the next one. */
  async function goOn(
    trx: Trx,
    append: AppendEvent,
    attempt: RunningAttempt,
    row: GenerationRow,
    { runAt, plan }: Next,
    problems: readonly Problem[],
  ): Promise<EndedAttempt> {
    const fence = { id: row.id, from: ['RUNNING' as const], attemptToken: attempt.attemptToken }
    const change = plan === null ? {} : changeOfModel(row, plan)
    const queued = await updateGeneration(trx, fence, { ...change, status: 'QUEUED', attemptToken: null })
    const target = plan === null ? {} : { provider: plan.provider, model: plan.modelId }
    const isBack = queued !== undefined && (await queue.putBack(trx, attempt.job, { runAt, ...target }))
    if (!isBack) throw new LeaseLostError(row.id)
    const problem = problems[0] ?? null
    const message =
      plan === null ? 'The provider could not take it now; it will be tried again.' : `Going on with ${plan.modelId}.`
    const details = { kind: 'RETRYING' as const, previousStatus: 'RUNNING' as const, at: clock.now(), message }
    await append(trx, queued, { ...details, ...(problem && { problem }) })
    return { status: 'QUEUED', problem }
  }

  async function end(
    trx: Trx,
    append: AppendEvent,
    attempt: RunningAttempt,
    row: GenerationRow,
    result: AttemptResult,
    problems: readonly Problem[],
  ): Promise<EndedAttempt> {
    const output = result.kind === 'answered' ? result.output : null
    const ended = await settlement.end(trx, append, row, {
      without: 'FAILED',
      problems,
      usage: output?.usage ?? null,
      reportedUsdMicros: output?.reportedUsdMicros ?? null,
      attemptToken: attempt.attemptToken,
    })
    if (ended === undefined) throw new LeaseLostError(row.id)
    return { status: ended.status, problem: problems[0] ?? null }
  }
}

/** `plan` null: the same model again. */
type Next = { readonly runAt: number; readonly plan: PricedPlan | null }

/** Another vendor is asked only where this one did no work and would not: never after a refusal or a bill. */
function mayAskAnother(error: ProviderError): boolean {
  return error.kind !== 'REFUSED' && error.delivery !== 'UNKNOWN' && error.providerBilled === false
}

function changeOfModel(row: GenerationRow, plan: PricedPlan): Partial<GenerationRow> {
  const request = readStoredRequest(row.request)
  const used: Warning = {
    code: 'FALLBACK_USED',
    field: 'model',
    requested: row.model,
    used: plan.modelId,
    message: `${row.model} could not take the job; ${plan.modelId} answers in its place.`,
  }
  return {
    provider: plan.provider,
    model: plan.modelId,
    negativePrompt: plan.negativePrompt,
    count: plan.count,
    parameters: JSON.stringify(plan.parameters),
    price: toJson(plan.price),
    warnings: JSON.stringify([...JSON.parse(row.warnings), used, ...plan.warnings]),
    request: JSON.stringify({ ...request, previews: plan.previews, fallbacks: request.fallbacks.slice(1) }),
  }
}

/** The one failure that stands for the whole attempt; undefined where there is none to try again for. */
function errorOf(result: AttemptResult): ProviderError | undefined {
  if (result.kind === 'failed') return result.error
  if (result.kind !== 'answered') return undefined
  return result.output.failures[0]?.error
}

function problemsOf(row: GenerationRow, result: AttemptResult): Problem[] {
  const missing = row.count - row.imageCount
  switch (result.kind) {
    case 'failed':
      return [toProblem(result.error)]
    case 'unstored':
      return [
        createProblem({
          code: 'INTERNAL',
          message: result.message,
          stage: 'STORAGE',
          retryable: true,
          providerBilled: true,
        }),
      ]
    case 'answered': {
      const { failures, requestId } = result.output
      const listed = failures.map(({ error, imageIndex }) => toProblem(error, imageIndex))
      const silent = missing - listed.length
      return silent > 0 ? [...listed, tooFew(row, silent, requestId)] : listed
    }
  }
}

function tooFew(row: GenerationRow, missing: number, providerRequestId: string | null): Problem {
  return createProblem({
    code: 'TOO_FEW_IMAGES',
    message: `The provider made ${row.count - missing} of ${row.count} images and did not say why.`,
    stage: 'PROVIDER',
    retryable: true,
    providerBilled: null,
    providerRequestId,
  })
}

function outcomeOf(row: GenerationRow, result: AttemptResult, problems: readonly Problem[]): AttemptOutcome {
  if (row.imageCount === 0) return 'FAILED'
  return problems.length === 0 && result.kind === 'answered' ? 'SUCCEEDED' : 'PARTIAL'
}

function requestIdOf(result: AttemptResult): string | null {
  if (result.kind === 'answered') return result.output.requestId
  return result.kind === 'failed' ? result.error.providerRequestId : null
}

/** Has the vendor said its last word? Otherwise the phase keeps how far the call came. */
function isDone(result: AttemptResult): boolean {
  return result.kind !== 'failed' || result.error.delivery === 'ANSWERED'
}
