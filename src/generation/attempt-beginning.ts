import type { Clock } from '../clock.ts'
import type { Ids } from '../ids.ts'
import type { GenerationParameters, Model } from '../providers/model.ts'
import type { ModelCatalog } from '../providers/model-catalog.ts'
import type { ProviderReference, ProviderRequest } from '../providers/provider.ts'
import type { ProviderRegistry } from '../providers/provider-registry.ts'
import type { ClaimedJob } from '../queue/job-queue.ts'
import { policyUnder, type RetryPolicy } from '../queue/retry-policy.ts'
import { readInputs, type StoredInput } from '../references/reference-image.ts'
import { findLatestAttempt, insertAttempt, listAttempts } from '../store/attempt-store.ts'
import type { Trx } from '../store/database.ts'
import { lockGeneration, refenceGeneration, updateGeneration } from '../store/generation-store.ts'
import { listImagesOfGenerations } from '../store/image-store.ts'
import type { AttemptRow, GenerationRow, KeySource } from '../store/tables.ts'
import type { AppendEvent } from './event-log.ts'
import type { Problem } from './generation-types.ts'
import { abandon, giveUp } from './giving-up.ts'
import { type DeliveredFormat, deliveredFormatOf, parametersForProvider } from './output-format.ts'
import { createProblem, unknownOutcome } from './problems.ts'
import type { Settlement } from './settlement.ts'
import { readStoredRequest } from './stored-request.ts'

/** A claimed job with the attempt that was written for it: everything that a worker needs for one lease. */
export type RunningAttempt = {
  readonly job: ClaimedJob
  readonly attemptId: string
  readonly attemptNumber: number
  readonly attemptToken: string
  readonly accountId: string
  readonly endUser: string | null
  readonly keySource: KeySource
  /** Without its pictures, which the worker loads. null: the server no longer knows the model, and no vendor has the job. */
  readonly request: PlainRequest | null
  /** false: the server no longer knows the model. What the vendor has of it is followed, and nothing more is sent. */
  readonly isOffered: boolean
  /** The pictures that go with it. */
  readonly inputs: readonly StoredInput[]
  /** Set: the vendor has the job already, and `resume` goes on with it. */
  readonly reference: ProviderReference | null
  /** Indexes of images that are stored already, from before a crash. */
  readonly delivered: readonly number[]
  readonly deliveredFormat: DeliveredFormat
  /** Sequence of the latest stored event; kept up by `recordImage`. What passes by refers to it. */
  readonly at: { sequence: number }
  readonly createdAt: number
  readonly deadlineAt: number | null
}

export type PlainRequest = Omit<ProviderRequest, 'referenceImages' | 'mask'>

/** `ended`: there was nothing left to do, e.g. an outcome that nobody can know was settled at the claim. */
export type Begun =
  | { readonly kind: 'run'; readonly attempt: RunningAttempt }
  | { readonly kind: 'ended'; readonly generationId: string }

export type AttemptBeginningDeps = {
  readonly settlement: Settlement
  readonly providers: ProviderRegistry
  readonly catalog: ModelCatalog
  readonly policy: RetryPolicy
  readonly clock: Clock
  readonly ids: Ids
}

/** What a claim leads to, in the transaction of the claim: a new attempt, the next step of an old one, or the end. */
export async function beginAttempt(
  deps: AttemptBeginningDeps,
  trx: Trx,
  append: AppendEvent,
  job: ClaimedJob,
): Promise<Begun> {
  const row = await lockGeneration(trx, job.generationId)
  if (row === undefined) throw new Error(`The job ${job.generationId} has no generation.`)
  const latest = row.startedAt === null ? undefined : await findLatestAttempt(trx, row.id)
  const open = latest?.outcome === null ? latest : undefined
  if (job.claims > deps.policy.maxClaims) return end(deps, trx, append, row, open, lostTooOften(open))
  if (open === undefined) return startAttempt(deps, trx, append, job, row, (latest?.number ?? 0) + 1)
  return takeOver(deps, trx, append, job, row, open)
}

/** The attempt of a worker that died or lost its lease: what may be done depends on how far it had come. */
async function takeOver(
  deps: AttemptBeginningDeps,
  trx: Trx,
  append: AppendEvent,
  job: ClaimedJob,
  row: GenerationRow,
  open: AttemptRow,
): Promise<Begun> {
  if (open.phase === 'ACCEPTED' && canResume(deps, open)) {
    const attemptToken = deps.ids.token()
    await refenceGeneration(trx, row.id, attemptToken)
    const images = await listImagesOfGenerations(trx, [row.id])
    const delivered = images.map((image) => image.imageIndex)
    return run(deps, job, row, open, { attemptToken, delivered })
  }
  if (open.phase === 'NOT_SENT') {
    await abandon(deps, trx, open, null)
    return startAttempt(deps, trx, append, job, row, open.number + 1)
  }
  if (await maySendAgain(deps, trx, row)) {
    await abandon(deps, trx, open, unknownOutcome('sent-again'))
    return startAttempt(deps, trx, append, job, row, open.number + 1)
  }
  return end(deps, trx, append, row, open, unknownOutcome('not-sent-again'))
}

function canResume({ providers }: AttemptBeginningDeps, open: AttemptRow): boolean {
  return open.reference !== null && providers.find(open.provider)?.resume !== undefined
}

/** Ends it here and now. */
async function end(
  deps: AttemptBeginningDeps,
  trx: Trx,
  append: AppendEvent,
  row: GenerationRow,
  open: AttemptRow | undefined,
  problem: Problem,
): Promise<Begun> {
  await giveUp(deps, trx, append, row, open, problem)
  return { kind: 'ended', generationId: row.id }
}

/** Only by the operator's word, only once, and not where images have come already: they would be made again. */
async function maySendAgain(deps: AttemptBeginningDeps, trx: Trx, row: GenerationRow): Promise<boolean> {
  if (policyUnder(row.keySource, deps.policy).unknownOutcome !== 'retry-once' || row.imageCount > 0) return false
  const attempts = await listAttempts(trx, [row.id])
  return attempts.length < deps.policy.maxAttempts && attempts.every((attempt) => !isUnknown(attempt))
}

/** Did this attempt end without anybody knowing what the vendor made of it? */
export function isUnknown(attempt: Pick<AttemptRow, 'outcome' | 'problem'>): boolean {
  return attempt.outcome !== null && attempt.problem !== null && JSON.parse(attempt.problem).code === 'UNKNOWN_OUTCOME'
}

/** A job that takes its worker down with it each time must not do so for ever. */
function lostTooOften(open: AttemptRow | undefined): Problem {
  return createProblem({
    code: 'INTERNAL',
    message:
      'The server failed again and again while it worked on this and has given it up. What is missing is not charged.',
    stage: 'QUEUE',
    retryable: true,
    providerBilled: open === undefined || open.phase === 'NOT_SENT' ? false : null,
  })
}

/** Counted at the claim, not at the failure: a worker killed mid-call must still have used up its attempt. */
async function startAttempt(
  deps: AttemptBeginningDeps,
  trx: Trx,
  append: AppendEvent,
  job: ClaimedJob,
  row: GenerationRow,
  number: number,
): Promise<Begun> {
  const now = deps.clock.now()
  const attempt = newAttempt(row, { id: deps.ids.next('att'), number, startedAt: now })
  await insertAttempt(trx, attempt)
  const attemptToken = deps.ids.token()
  if (row.status === 'RUNNING') {
    await refenceGeneration(trx, row.id, attemptToken)
    return run(deps, job, row, attempt, { attemptToken, delivered: [] })
  }
  const started = await updateGeneration(
    trx,
    { id: row.id, from: ['QUEUED'] },
    { status: 'RUNNING', attemptToken, startedAt: row.startedAt ?? now },
  )
  if (started === undefined) throw new Error(`The job ${row.id} belongs to a generation that is ${row.status}.`)
  await append(trx, started, { kind: 'STARTED', previousStatus: 'QUEUED', at: now })
  return run(deps, job, started, attempt, { attemptToken, delivered: [] })
}

function newAttempt(row: GenerationRow, given: Pick<AttemptRow, 'id' | 'number' | 'startedAt'>): AttemptRow {
  return {
    ...given,
    generationId: row.id,
    provider: row.provider,
    model: row.model,
    phase: 'NOT_SENT',
    outcome: null,
    problem: null,
    providerRequestId: null,
    reference: null,
    finishedAt: null,
  }
}

function run(
  deps: AttemptBeginningDeps,
  job: ClaimedJob,
  row: GenerationRow,
  attempt: AttemptRow,
  own: Pick<RunningAttempt, 'attemptToken' | 'delivered'>,
): Begun {
  const model = deps.catalog.find(row.model)
  return {
    kind: 'run',
    attempt: {
      job,
      attemptId: attempt.id,
      attemptNumber: attempt.number,
      ...own,
      deliveredFormat: deliveredFormatOf(JSON.parse(row.parameters)),
      accountId: row.accountId,
      endUser: row.endUser,
      keySource: row.keySource,
      request: requestOf(model, row, attempt),
      isOffered: model !== undefined,
      inputs: inputsOf(row),
      reference: attempt.reference === null ? null : JSON.parse(attempt.reference),
      at: { sequence: row.sequence },
      createdAt: row.createdAt,
      deadlineAt: row.deadlineAt,
    },
  }
}

/** null: the model was there at admission and is no longer in the catalogue. A job that a vendor has needs no more than is here. */
function requestOf(model: Model | undefined, row: GenerationRow, attempt: AttemptRow): PlainRequest | null {
  if (model === undefined && attempt.reference === null) return null
  const parameters: GenerationParameters = JSON.parse(row.parameters)
  return {
    modelName: model?.providerModel ?? row.model.slice(row.provider.length + 1),
    wire: model?.wire ?? {},
    prompt: row.prompt,
    negativePrompt: row.negativePrompt,
    count: row.count,
    parameters: model === undefined ? parameters : parametersForProvider(model, parameters),
    previews: readStoredRequest(row.request).previews,
  }
}

/** What the model that is asked now takes of the generation's pictures: a fallback may take fewer. */
function inputsOf(row: GenerationRow): readonly StoredInput[] {
  const inputs = readInputs(row.inputs)
  if (inputs.length === 0) return inputs
  const { referenceImages }: GenerationParameters = JSON.parse(row.parameters)
  const references = inputs.filter(({ role }) => role === 'reference').slice(0, referenceImages)
  return readStoredRequest(row.request).usesMask
    ? [...references, ...inputs.filter(({ role }) => role === 'mask')]
    : references
}
