import type { ProviderReference } from '../providers/provider.ts'
import type { ClaimOptions, JobQueue } from '../queue/job-queue.ts'
import { updateOwnAttempt } from '../store/attempt-store.ts'
import type { Database, Trx } from '../store/database.ts'
import { doomBlobs } from '../store/doomed-store.ts'
import { countImage, findGeneration, lockGeneration } from '../store/generation-store.ts'
import { insertImageIfAbsent } from '../store/image-store.ts'
import type { AttemptRow, ImageRow } from '../store/tables.ts'
import { type AttemptBeginningDeps, type Begun, beginAttempt, type RunningAttempt } from './attempt-beginning.ts'
import type { AppendEvent, EventLog } from './event-log.ts'
import { isTerminal } from './generation-state.ts'
import type { Image } from './generation-types.ts'

/** The lease, or rather the fence, belongs to somebody else: whatever is in hand is dropped. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError'
  constructor(generationId: string) {
    super(`The attempt no longer owns ${generationId}.`)
  }
}

export type NewImage = Omit<Image, 'id' | 'generationId' | 'accountId' | 'createdAt'>

export type Attempts = {
  /** Claims the next job and writes its attempt in one transaction; undefined when there is none to claim. */
  claim(options: ClaimOptions): Promise<Begun | undefined>
  /** Right before the first byte of a billable call. The following throw LeaseLostError when the fence is lost. */
  markSending(attempt: RunningAttempt): Promise<void>
  markAccepted(attempt: RunningAttempt, reference: ProviderReference): Promise<void>
  /** The bytes are in storage already. An index that is there already, from before a crash, stays as it is. */
  recordImage(attempt: RunningAttempt, image: NewImage): Promise<void>
  /** Of an attempt that no longer owns its generation: has that ended, by whichever process? Or has another attempt taken over? */
  isOver(attempt: RunningAttempt): Promise<boolean>
}

export type AttemptDeps = AttemptBeginningDeps & {
  readonly db: Database
  readonly log: EventLog
  readonly queue: JobQueue
}

export function createAttempts(deps: AttemptDeps): Attempts {
  const { db, log, queue, clock, ids } = deps

  return {
    async claim(options) {
      const batch = log.batch()
      const begun = await queue.claim(options, (trx, job) => {
        batch.clear()
        return beginAttempt(deps, trx, batch.append, job)
      })
      batch.publish()
      return begun
    },

    markSending: (attempt) => note(attempt, { phase: 'SENT_UNKNOWN' }),
    markAccepted: (attempt, reference) => note(attempt, { phase: 'ACCEPTED', reference: JSON.stringify(reference) }),

    async recordImage(attempt, image) {
      const { generationId } = attempt.job
      const row: ImageRow = {
        ...image,
        id: ids.next('img'),
        generationId,
        accountId: attempt.accountId,
        createdAt: clock.now(),
      }
      const sequence = await log.transact((trx, append) => keep(trx, append, attempt, row))
      if (sequence === undefined) throw new LeaseLostError(generationId)
      attempt.at.sequence = sequence
    },

    async isOver({ job }) {
      const row = await findGeneration(db.read, job.generationId)
      return row === undefined || isTerminal(row.status)
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

/** Sequence of the latest event; undefined: the fence is lost. */
async function keep(
  trx: Trx,
  append: AppendEvent,
  { attemptToken }: RunningAttempt,
  image: ImageRow,
): Promise<number | undefined> {
  const { generationId: id, createdAt: at } = image
  const current = await lockGeneration(trx, id)
  if (current?.attemptToken !== attemptToken) {
    // The bytes were written after those of a deleted generation were swept: they are swept once more.
    if (current !== undefined && current.deletedAt !== null) await doomBlobs(trx, id, at)
    return undefined
  }
  if (!(await insertImageIfAbsent(trx, image))) return current.sequence
  const counted = await countImage(trx, id, attemptToken)
  if (counted === undefined) throw new Error(`${id} changed within a transaction.`)
  const subject = { ...counted, id, status: 'RUNNING' as const }
  await append(trx, subject, { kind: 'IMAGE_READY', previousStatus: 'RUNNING', at, imageId: image.id })
  return counted.sequence
}
