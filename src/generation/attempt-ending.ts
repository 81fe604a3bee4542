import type { Clock } from '../clock.ts'
import type { ProviderError } from '../providers/provider-error.ts'
import type { JobQueue } from '../queue/job-queue.ts'
import { decideRetry, policyUnder, type RetryPolicy } from '../queue/retry-policy.ts'
import { endAttempt, listAttempts } from '../store/attempt-store.ts'
import type { Trx } from '../store/database.ts'
import { lockGeneration, updateGeneration } from '../store/generation-store.ts'
import type { GenerationRow, GenerationStatus } from '../store/tables.ts'
import { isUnknown, type RunningAttempt } from './attempt-beginning.ts'
import { type AttemptResult, decisiveError, isDone, outcomeOf, problemsOf, requestIdOf } from './attempt-result.ts'
import { LeaseLostError } from './attempts.ts'
import type { AppendEvent, EventLog } from './event-log.ts'
import type { Problem, Warning } from './generation-types.ts'
import type { PricedPlan } from './model-choice.ts'
import { toJson } from './records.ts'
import type { Settlement } from './settlement.ts'
import { readStoredRequest, writeStoredRequest } from './stored-request.ts'
import { compareVendorCost, type VendorCost } from './vendor-cost.ts'

export type EndedAttempt = {
  readonly status: GenerationStatus
  readonly problem: Problem | null
  /** Where both are known: what the vendor says that it cost beside what its price list says. Ledger micro-units. */
  readonly vendorCost?: VendorCost | null
}

/** How long a retry may be put off before a fallback model is asked in its place. */
const PATIENCE_MS = 5_000

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
        const row = await lockGeneration(trx, attempt.job.generationId)
        if (row === undefined || row.attemptToken !== attempt.attemptToken) {
          throw new LeaseLostError(attempt.job.generationId)
        }
        const problems = problemsOf(row, result)
        const error = decisiveError(row, result)
        const next = error && (await chooseNext(trx, row, attempt, result, error))
        await close(trx, attempt, row, result, problems)
        if (next) return goOn(trx, append, attempt, row, next, problems)
        return end(trx, append, attempt, row, result, problems)
      }),
  }

  async function chooseNext(
    trx: Trx,
    row: GenerationRow,
    attempt: RunningAttempt,
    result: AttemptResult,
    error: ProviderError,
  ): Promise<Next | undefined> {
    const earlier = (await listAttempts(trx, [row.id])).filter((each) => each.id !== attempt.attemptId)
    const tries = earlier.filter((each) => each.model === row.model).length + 1
    const unknownOutcomes = earlier.filter(isUnknown).length
    const rules = policyUnder(row.keySource, policy)
    const decision = decideRetry({ error, attempt: tries, unknownOutcomes, policy: rules, random: random() })
    const [plan] = mayAskAnother(result, error) ? readStoredRequest(row.request).fallbacks : []
    const next = plan && { runAt: clock.now(), plan, message: `Going on with ${plan.modelId}.` }
    if (decision.action === 'retry') {
      // Who has named another model does not want to wait for this one.
      if (next && decision.delayMs > PATIENCE_MS) return next
      return { runAt: clock.now() + decision.delayMs, plan: null, message: retryMessage(result, error) }
    }
    return decision.action === 'unknown-outcome' ? undefined : next
  }

  async function close(
    trx: Trx,
    attempt: RunningAttempt,
    row: GenerationRow,
    result: AttemptResult,
    problems: readonly Problem[],
  ): Promise<void> {
    const isClosed = await endAttempt(trx, attempt.attemptId, {
      outcome: outcomeOf(row, problems),
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
    { runAt, plan, message }: Next,
    problems: readonly Problem[],
  ): Promise<EndedAttempt> {
    const fence = { id: row.id, from: ['RUNNING' as const], attemptToken: attempt.attemptToken }
    const change = plan === null ? {} : changeOfModel(row, plan)
    const queued = await updateGeneration(trx, fence, { ...change, status: 'QUEUED', attemptToken: null })
    const target = plan === null ? {} : { provider: plan.provider, model: plan.modelId }
    const isBack = queued !== undefined && (await queue.putBack(trx, attempt.job, { runAt, ...target }))
    if (!isBack) throw new LeaseLostError(row.id)
    const problem = problems[0] ?? null
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
    const vendorCost = await compareVendorCost(trx, ended, output?.usage ?? null)
    return { status: ended.status, problem: problems[0] ?? null, vendorCost }
  }
}

/** `plan` null: the same model again. */
type Next = { readonly runAt: number; readonly plan: PricedPlan | null; readonly message: string }

function retryMessage(result: AttemptResult, { delivery }: ProviderError): string {
  if (isOurs(result)) return 'The reference images could not be read now; it will be tried again.'
  return delivery === 'UNKNOWN'
    ? 'Nobody can tell whether the provider took it; it is sent once more.'
    : 'The provider could not take it now; it will be tried again.'
}

/** Another vendor is asked only where this one did no work and would not: never after a refusal or a bill. */
function mayAskAnother(result: AttemptResult, error: ProviderError): boolean {
  if (isOurs(result)) return false
  return error.kind !== 'REFUSED' && error.delivery !== 'UNKNOWN' && error.providerBilled === false
}

/** No vendor was asked, and with the same pictures none can be. */
function isOurs(result: AttemptResult): boolean {
  return result.kind === 'failed' && result.stage === 'INPUT'
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
    keySource: plan.keySource,
    negativePrompt: plan.negativePrompt,
    count: plan.count,
    parameters: JSON.stringify(plan.parameters),
    price: toJson(plan.price),
    warnings: JSON.stringify([...JSON.parse(row.warnings), used, ...plan.warnings]),
    request: writeStoredRequest({
      ...request,
      previews: plan.previews,
      usesMask: plan.usesMask,
      fallbacks: request.fallbacks.slice(1),
    }),
  }
}
