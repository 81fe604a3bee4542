import type { ProviderCall, ProviderReference } from '../provider.ts'
import { type Delivery, ProviderError, type ProviderErrorKind } from '../provider-error.ts'
import { assertWanted } from './call-failures.ts'
import { asNotSent, concernsAll, gravestOf, type PartResult, reasonsOf } from './fan-out.ts'

/** What the vendor gave for a job: its id and whatever is needed to ask after it. Plain JSON, persisted. */
export type SubmittedJob = { readonly id: string; readonly [key: string]: unknown }

export type JobSteps<Value> = {
  /** The one billable call of a part. Throws ProviderError. */
  submit(index: number): Promise<SubmittedJob>
  /**
   * Only where the id of a job is ours to choose: the job of a part whose submission nobody saw the end of, if the vendor
   * has it. What it finds was taken; undefined proves nothing. Sends nothing billable. Throws ProviderError.
   */
  find?(index: number): Promise<SubmittedJob | undefined>
  /** Waits for the job and hands over what it made. Sends nothing billable, so it may be done again after a crash. */
  follow(job: SubmittedJob, index: number, signal: AbortSignal): Promise<Value>
}

/**
 * A request as one or more jobs of a submit-and-poll vendor. How far each has come is on disk before the next thing
 * happens to it, so that after a crash jobs that were taken are followed, those that were never sent are sent, and only
 * the one that was being sent at that very moment is given up as unknown. Nothing is ever submitted twice.
 *
 * `reference`: of an attempt that is resumed. Jobs are submitted one after the other and followed side by side.
 */
export async function runJobs<Value>(
  given: { readonly parts: number; readonly call: ProviderCall; readonly reference: ProviderReference | null },
  steps: JobSteps<Value>,
): Promise<readonly PartResult<Value>[]> {
  const { call } = given
  assertWanted(call.signal, given.reference !== null)
  const stop = new AbortController()
  const signal = AbortSignal.any([call.signal, stop.signal])
  const record = createRecord(given.parts, given.reference, call)
  const followed: Promise<PartResult<Value>>[] = []

  const follow = (index: number, job: SubmittedJob) => {
    const result = settlePart(index, steps.follow(job, index, signal))
    // Whatever ends one of them for good, such as a lost lease, ends all.
    result.catch(() => stop.abort())
    followed.push(result)
  }
  try {
    for (const [index, part] of record.parts.entries()) if (part.state === 'TAKEN') follow(index, part.job)
    await findLost(record, { steps, onTaken: follow })
    await submitUnsent(record, { signal, steps, onTaken: follow, unsendable: call.unsendable })
    const results = await Promise.all(followed)
    assertWanted(call.signal, true)
    return [...results, ...record.listFailures()].sort((left, right) => left.index - right.index)
  } catch (error) {
    stop.abort()
    throw gravestOf([error, ...reasonsOf(await Promise.allSettled(followed))])
  }
}

type Submitting = {
  readonly steps: Pick<JobSteps<unknown>, 'submit' | 'find'>
  onTaken(index: number, job: SubmittedJob): void
}

/** Of a resumed attempt: the part that was being sent when the process died, where the vendor can be asked for it. */
async function findLost(record: JobRecord, { steps, onTaken }: Submitting): Promise<void> {
  for (const [index, part] of record.parts.entries()) {
    if (part.state !== 'SENDING' || !steps.find) continue
    const found = await settlePart(index, steps.find(index))
    if (!('value' in found) || !found.value) continue
    await settlePart(index, record.markTaken(index, found.value))
    onTaken(index, found.value)
  }
}

/** One after the other, so that a crash finds at most one of them on its way. */
async function submitUnsent(
  record: JobRecord,
  given: Submitting & { readonly signal: AbortSignal; readonly unsendable: ProviderError | undefined },
): Promise<void> {
  const { signal, unsendable } = given
  let general: ProviderError | undefined
  for (const [index, part] of record.parts.entries()) {
    if (part.state !== 'UNSENT') continue
    assertWanted(signal, record.hasSent())
    const obstacle = unsendable ?? (general && asNotSent(general))
    if (obstacle) {
      record.markFailed(index, obstacle)
      continue
    }
    const announced = await settlePart(index, record.markSending(index))
    if ('error' in announced) {
      record.markFailed(index, asNotSent(announced.error))
      continue
    }
    assertWanted(signal, true)
    const result = await settlePart(index, submitOrFind(index, given).then(bounded))
    if ('value' in result) {
      // One that could not be written down is followed all the same: only a crash would lose it.
      await settlePart(index, record.markTaken(index, result.value))
      given.onTaken(index, result.value)
    } else {
      assertWanted(signal, true)
      record.markFailed(index, result.error)
      // Otherwise a crash from here on would leave it as one that was being sent, and nobody could tell.
      await settlePart(index, record.saveTaken())
      if (concernsAll(result.error)) general = result.error
    }
  }
}

/** An answer that was lost or is no answer leaves open whether the job was taken, which a vendor may be asked. */
async function submitOrFind(index: number, { steps, signal }: Parameters<typeof submitUnsent>[1]) {
  try {
    return await steps.submit(index)
  } catch (error) {
    const isOpen = error instanceof ProviderError && (error.delivery === 'UNKNOWN' || error.kind === 'BAD_OUTPUT')
    if (!isOpen || !steps.find || signal.aborted) throw error
    const found = await settlePart(index, steps.find(index))
    if ('value' in found && found.value) return found.value
    throw error
  }
}

/** The jobs of a reference that the vendor has taken. */
export function takenJobs(reference: ProviderReference): readonly SubmittedJob[] {
  return readParts(reference).flatMap((part) => (part.state === 'TAKEN' ? [part.job] : []))
}

type Part =
  | { readonly state: 'UNSENT' }
  | { readonly state: 'SENDING' }
  | { readonly state: 'TAKEN'; readonly job: SubmittedJob }
  | { readonly state: 'FAILED'; readonly error: StoredError }

async function settlePart<Value>(index: number, work: Promise<Value>): Promise<PartResult<Value>> {
  try {
    return { index, value: await work }
  } catch (error) {
    if (error instanceof ProviderError) return { index, error }
    throw error
  }
}

function createRecord(count: number, reference: ProviderReference | null, call: ProviderCall) {
  const parts: Part[] = reference
    ? readParts(reference)
    : Array.from({ length: count }, (): Part => ({ state: 'UNSENT' }))
  let sent = reference !== null
  const isTaken = () => parts.some((part) => part.state === 'TAKEN')
  const write = () => {
    const ids = parts.flatMap((part) => (part.state === 'TAKEN' ? [part.job.id] : []))
    return call.onAccepted({ jobId: ids.join(' '), parts })
  }
  /** Before anything was taken there is no reference to write: a crash then leaves the whole attempt unknown. */
  const saveTaken = async () => {
    if (isTaken()) await write()
  }
  return {
    parts,
    saveTaken,
    hasSent: () => sent,
    async markSending(index: number): Promise<void> {
      parts[index] = { state: 'SENDING' }
      if (isTaken()) await write()
      else await call.onSending()
      sent = true
    },
    markFailed(index: number, error: ProviderError): void {
      parts[index] = { state: 'FAILED', error: toStored(error) }
    },
    async markTaken(index: number, job: SubmittedJob): Promise<void> {
      parts[index] = { state: 'TAKEN', job }
      await write()
    },
    listFailures(): { readonly index: number; readonly error: ProviderError }[] {
      return parts.flatMap((part, index) => {
        if (part.state === 'FAILED') return [{ index, error: fromStored(part.error) }]
        return part.state === 'SENDING' ? [{ index, error: createLoss() }] : []
      })
    },
  }
}

/** Ids and addresses have some hundred bytes. What a vendor gives us to keep for it goes into a row, and into each write. */
const MAX_JOB_BYTES = 16 * 1024

function bounded(job: SubmittedJob): SubmittedJob {
  if (JSON.stringify(job).length <= MAX_JOB_BYTES) return job
  const message = 'The provider took the job under an id or an address that is too long to be kept.'
  throw new ProviderError({ kind: 'BAD_OUTPUT', delivery: 'UNKNOWN', message })
}

type JobRecord = ReturnType<typeof createRecord>

function readParts(reference: ProviderReference): Part[] {
  const { parts } = reference
  if (!Array.isArray(parts)) throw new Error('A reference of submitted jobs has no parts.')
  return structuredClone(parts)
}

function createLoss(): ProviderError {
  const message = 'The server stopped while it sent this part of the request. Nobody can tell whether it was taken.'
  return new ProviderError({ kind: 'UNAVAILABLE', delivery: 'UNKNOWN', message })
}

type StoredError = {
  readonly kind: ProviderErrorKind
  readonly delivery: Delivery
  readonly message: string
  readonly retryAfterMs: number | null
  readonly providerCode: string | null
  readonly providerRequestId: string | null
  readonly providerBilled: boolean | null
}

function toStored(error: ProviderError): StoredError {
  const { kind, delivery, message, retryAfterMs, providerCode, providerRequestId, providerBilled } = error
  return { kind, delivery, message, retryAfterMs, providerCode, providerRequestId, providerBilled }
}

function fromStored(error: StoredError): ProviderError {
  return new ProviderError(error)
}
