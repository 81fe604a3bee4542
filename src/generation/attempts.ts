import type { Clock } from '../clock.ts'
import type { Ids } from '../ids.ts'
import type { ModelCatalog } from '../providers/model-catalog.ts'
import type { ProviderReference, ProviderRequest } from '../providers/provider.ts'
import type { ProviderRegistry } from '../providers/provider-registry.ts'
import type { ClaimedJob, ClaimOptions, JobQueue } from '../queue/job-queue.ts'
import type { RetryPolicy } from '../queue/retry-policy.ts'
import { endAttempt, findLatestAttempt, insertAttempt, listAttempts, updateOwnAttempt } from '../store/attempt-store.ts'
import type { Database, Trx } from '../store/database.ts'
import { countImage, findGeneration, refenceGeneration, updateGeneration } from '../store/generation-store.ts'
import { insertImage } from '../store/image-store.ts'
import type { AttemptRow, GenerationRow, ImageRow } from '../store/tables.ts'
import type { AppendEvent, EventLog } from './event-log.ts'
import type { Image } from './generation-types.ts'
import { createProblem, unknownOutcome } from './problems.ts'
import { toJson } from './records.ts'
import type { Settlement } from './settlement.ts'
import { readStoredRequest } from './stored-request.ts'

/** The lease, or rather the fence, belongs to somebody else: whatever is in hand is dropped. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError'
  constructor(generationId: string) {
    super(`The attempt no longer owns ${generationId}.`)
  }
}

/** A claimed job with the attempt that was written for it: everything that a worker needs for one lease. */
export type RunningAttempt = {
  readonly job: ClaimedJob
  readonly attemptId: string
  readonly attemptNumber: number
  readonly attemptToken: string
  readonly accountId: string
  readonly endUser: string | null
  readonly request: ProviderRequest
  /** Set: the vendor has the job already, and `resume` goes on with it. */
  readonly reference: ProviderReference | null
  /** Sequence of the latest stored event; kept up by `recordImage`. What passes by refers to it. */
  readonly at: { sequence: number }
  readonly createdAt: number
  readonly deadlineAt: number | null
}

/** `ended`: there was nothing left to do, e.g. an outcome that nobody can know was settled at the claim. */
export type Begun =
  | { readonly kind: 'run'; readonly attempt: RunningAttempt }
  | { readonly kind: 'ended'; readonly generationId: string }

export type NewImage = Omit<Image, 'id' | 'generationId' | 'accountId' | 'createdAt'>

export type Attempts = {
  /** Claims the next job and writes its attempt in one transaction; undefined when there is none to claim. */
  claim(options: ClaimOptions): Promise<Begun | undefined>
  /** Right before the first byte of a billable call. The following throw LeaseLostError when the fence is lost. */
  markSending(attempt: RunningAttempt): Promise<void>
  markAccepted(attempt: RunningAttempt, reference: ProviderReference): Promise<void>
  /** The bytes are in storage already. */
  recordImage(attempt: RunningAttempt, image: NewImage): Promise<void>
}

export type AttemptDeps = {
  readonly db: Database
  readonly log: EventLog
  readonly queue: JobQueue
  readonly settlement: Settlement
  readonly providers: ProviderRegistry
  readonly catalog: ModelCatalog
  readonly policy: RetryPolicy
  readonly clock: Clock
  readonly ids: Ids
}

export function createAttempts(deps: AttemptDeps): Attempts {
  const { db, log, queue, clock, ids } = deps

  return {
    async claim(options) {
      const batch = log.batch()
      const begun = await queue.claim(options, (trx, job) => {
        batch.clear()
        return begin(deps, trx, batch.append, job)
      })
      batch.publish()
      return begun
    },

    markSending: (attempt) => note(attempt, { phase: 'SENT_UNKNOWN' }),
    markAccepted: (attempt, reference) => note(attempt, { phase: 'ACCEPTED', reference: JSON.stringify(reference) }),

    async recordImage(attempt, image) {
      const generationId = attempt.job.generationId
      const row: ImageRow = {
        ...image,
        id: ids.next('img'),
        generationId,
        accountId: attempt.accountId,
        createdAt: clock.now(),
      }
      attempt.at.sequence = await log.transact(async (trx, append) => {
        const counted = await countImage(trx, generationId, attempt.attemptToken)
        if (counted === undefined) throw new LeaseLostError(generationId)
        await insertImage(trx, row)
        const subject = { ...counted, id: generationId, status: 'RUNNING' as const }
        await append(trx, subject, {
          kind: 'IMAGE_READY',
          previousStatus: 'RUNNING',
          at: row.createdAt,
          imageId: row.id,
        })
        return counted.sequence
      })
    },
  }

  async function note(
    attempt: RunningAttempt,
    values: Partial<Pick<AttemptRow, 'phase' | 'reference'>>,
  ): Promise<void> {
    const owner = { ...attempt, generationId: attempt.job.generationId }
    const isOwn = await db.transact((trx) => updateOwnAttempt(trx, owner, values))
    if (!isOwn) throw new LeaseLostError(owner.generationId)
  }
}

async function begin(deps: AttemptDeps, trx: Trx, append: AppendEvent, job: ClaimedJob): Promise<Begun> {
  const row = await findGeneration(trx, job.generationId)
  if (row === undefined) throw new Error(`The job ${job.generationId} has no generation.`)
  const latest = row.startedAt === null ? undefined : await findLatestAttempt(trx, row.id)
  const open = latest?.outcome === null ? latest : undefined
  if (open === undefined) return startAttempt(deps, trx, append, job, row, (latest?.number ?? 0) + 1)
  return takeOver(deps, trx, append, job, row, open)
}

/** The attempt of a worker that died or lost its lease: what may be done depends on how far it had come. */
async function takeOver(
  deps: AttemptDeps,
  trx: Trx,
  append: AppendEvent,
  job: ClaimedJob,
  row: GenerationRow,
  open: AttemptRow,
): Promise<Begun> {
  const canResume = open.reference !== null && deps.providers.find(open.provider)?.resume !== undefined
  if (open.phase === 'ACCEPTED' && canResume) {
    const attemptToken = deps.ids.token()
    await refenceGeneration(trx, row.id, attemptToken)
    return run(deps, job, row, open, attemptToken)
  }
  const finishedAt = deps.clock.now()
  if (open.phase === 'NOT_SENT' || (await maySendAgain(deps, trx, row))) {
    const problem = open.phase === 'NOT_SENT' ? null : toJson(unknownOutcome())
    await endAttempt(trx, open.id, { outcome: 'ABANDONED', problem, finishedAt })
    return startAttempt(deps, trx, append, job, row, open.number + 1)
  }
  const problem = unknownOutcome()
  await endAttempt(trx, open.id, { outcome: 'ABANDONED', problem: toJson(problem), finishedAt })
  const problems = row.imageCount > 0 ? missingImages(row, problem) : [problem]
  await deps.settlement.end(trx, append, row, { without: 'FAILED', problems, usage: null, reportedUsdMicros: null })
  return { kind: 'ended', generationId: row.id }
}

/** Only by the operator's word, only once, and not where images have come already: they would be made again. */
async function maySendAgain(deps: AttemptDeps, trx: Trx, row: GenerationRow): Promise<boolean> {
  if (deps.policy.unknownOutcome !== 'retry-once' || row.imageCount > 0) return false
  const attempts = await listAttempts(trx, [row.id])
  return attempts.length < deps.policy.maxAttempts && attempts.every((attempt) => !isUnknown(attempt))
}

/** Did this attempt end without anybody knowing what the vendor made of it? */
export function isUnknown(attempt: Pick<AttemptRow, 'outcome' | 'problem'>): boolean {
  return attempt.outcome !== null && attempt.problem !== null && JSON.parse(attempt.problem).code === 'UNKNOWN_OUTCOME'
}

function missingImages(row: GenerationRow, cause: ReturnType<typeof unknownOutcome>) {
  const missing = row.count - row.imageCount
  if (missing <= 0) return []
  return [createProblem({ ...cause, message: `${missing} of ${row.count} images are missing. ${cause.message}` })]
}

/** Counted at the claim, not at the failure: a worker killed mid-call must still have used up its attempt. */
async function startAttempt(
  deps: AttemptDeps,
  trx: Trx,
  append: AppendEvent,
  job: ClaimedJob,
  row: GenerationRow,
  number: number,
): Promise<Begun> {
  const now = deps.clock.now()
  const attempt: AttemptRow = {
    id: deps.ids.next('att'),
    generationId: row.id,
    number,
    provider: row.provider,
    model: row.model,
    phase: 'NOT_SENT',
    outcome: null,
    problem: null,
    providerRequestId: null,
    reference: null,
    startedAt: now,
    finishedAt: null,
  }
  await insertAttempt(trx, attempt)
  const attemptToken = deps.ids.token()
  if (row.status === 'RUNNING') {
    await refenceGeneration(trx, row.id, attemptToken)
    return run(deps, job, row, attempt, attemptToken)
  }
  const where = { id: row.id, from: ['QUEUED' as const] }
  const started = await updateGeneration(trx, where, {
    status: 'RUNNING',
    attemptToken,
    startedAt: row.startedAt ?? now,
  })
  if (started === undefined) throw new Error(`The job ${row.id} belongs to a generation that is ${row.status}.`)
  await append(trx, started, { kind: 'STARTED', previousStatus: 'QUEUED', at: now })
  return run(deps, job, started, attempt, attemptToken)
}

function run(
  { catalog }: AttemptDeps,
  job: ClaimedJob,
  row: GenerationRow,
  attempt: AttemptRow,
  attemptToken: string,
): Begun {
  const request: ProviderRequest = {
    modelName: catalog.get(row.model).providerModel,
    prompt: row.prompt,
    negativePrompt: row.negativePrompt,
    count: row.count,
    parameters: JSON.parse(row.parameters),
    previews: readStoredRequest(row.request).previews,
  }
  return {
    kind: 'run',
    attempt: {
      job,
      attemptId: attempt.id,
      attemptNumber: attempt.number,
      attemptToken,
      accountId: row.accountId,
      endUser: row.endUser,
      request,
      reference: attempt.reference === null ? null : JSON.parse(attempt.reference),
      at: { sequence: row.sequence },
      createdAt: row.createdAt,
      deadlineAt: row.deadlineAt,
    },
  }
}
