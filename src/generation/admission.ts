import type { Clock } from '../clock.ts'
import { IdempotencyConflictError, InvalidInputError } from '../errors.ts'
import type { ProviderKeys } from '../identity/provider-keys.ts'
import type { SecretBox } from '../identity/secret-box.ts'
import type { Ids } from '../ids.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { JobQueue } from '../queue/job-queue.ts'
import type { EarlyBytes } from '../references/early-bytes.ts'
import type { GivenPicture } from '../references/given-picture.ts'
import type { PictureSource, PictureSources } from '../references/picture-sources.ts'
import { readInputs } from '../references/reference-image.ts'
import type { ReferenceImages } from '../references/reference-images.ts'
import { getAccount } from '../store/account-store.ts'
import type { Database, Trx } from '../store/database.ts'
import { insertGenerationSecret } from '../store/generation-secret-store.ts'
import { findGeneration, insertGeneration } from '../store/generation-store.ts'
import { claimIdempotencyKey, findIdempotencyRecord, type IdempotencyKey } from '../store/idempotency-store.ts'
import type { GenerationRow, GenerationSecretRow } from '../store/tables.ts'
import type { Viewer } from '../viewer.ts'
import type { AppendEvent, EventLog } from './event-log.ts'
import type { GenerationInput } from './generation-types.ts'
import type { ModelChoice, ModelChooser } from './model-choice.ts'
import { newGeneration } from './new-generation.ts'
import { toGeneration } from './records.ts'
import { chooseAfter, chooseBefore, type SizedChooser } from './request-pictures.ts'
import type { Created } from './services.ts'
import { assertCaps, capsOf } from './spending-caps.ts'
import { hashRequest } from './stored-request.ts'

const NO_INPUTS = '[]'

/** How long a key is kept. */
export const IDEMPOTENCY_MS = 24 * 3_600_000

export type Admitted = Omit<Created, 'webhookUrl'>

export type AdmissionDeps = {
  readonly db: Database
  readonly log: EventLog
  readonly ledger: Ledger
  readonly queue: JobQueue
  readonly chooseModels: ModelChooser
  readonly sources: PictureSources
  readonly references: ReferenceImages
  readonly earlyBytes: EarlyBytes
  readonly providerKeys: Pick<ProviderKeys, 'providersOf'>
  readonly secretBox: SecretBox
  readonly clock: Clock
  readonly ids: Ids
}

/** A request that has been checked as far as that goes without a model and without looking at its pictures. */
export type AdmissionRequest = {
  readonly input: GenerationInput
  readonly pictures: readonly GivenPicture[]
  /**
   * The generation that is made once more: its pictures are taken in the place of the request's. `ownKey`: it was to be
   * paid by a key of the caller's own.
   */
  readonly parent: (Pick<GenerationRow, 'id' | 'inputs'> & { readonly ownKey: boolean }) | null
}

/**
 * From a request to a committed row. Idempotency, caps, hold, generation, job and first event are one transaction:
 * either all of it is there, or nothing is. Pictures are fetched before it, and only for a request that nothing else
 * speaks against.
 */
export function createAdmission(deps: AdmissionDeps) {
  const { db, log, ledger, queue, chooseModels, references, earlyBytes, secretBox, clock, ids } = deps

  return async (viewer: Viewer, request: AdmissionRequest): Promise<Admitted> => {
    const { input, parent } = request
    const key = idempotencyKeyOf(viewer, input)
    const hashes = key ? requestHashes(secretBox, input, parent?.id ?? null) : []
    // Looked up before anything else: a replay must succeed also when the model or a picture has become unavailable since.
    const replay = key && (await findReplay(db, key, hashes, clock.now()))
    if (replay) return replay

    const sources = await sourcesOf(viewer, request)
    const stored = await deps.providerKeys.providersOf(viewer.accountId)
    const choose: SizedChooser = (sizes) => chooseModels(viewer, input, { stored, sizes })
    const { choice, isOpen } = chooseBefore(choose, sources)
    if (parent?.ownKey) assertCostsNothing(choice)
    if (!isOpen) await checkCaps(viewer, input, choice)
    const id = ids.next('gen')
    const inputs = sources.length === 0 ? [] : await references.keep(id, sources)
    let isAdmitted = false
    try {
      const decided = isOpen ? chooseAfter(choose, inputs) : choice
      if (isOpen) await checkCaps(viewer, input, decided)
      const about = { id, parentId: parent?.id ?? null, now: clock.now() }
      const row = newGeneration(viewer, input, decided, inputs, about)
      const secret = sealGivenKey(secretBox, row, input, decided)
      isAdmitted = await admit(viewer, { row, tags: input.tags, secret, key, requestHash: hashes[0] ?? '' })
      if (isAdmitted) return { generation: toGeneration(row), replayed: false }
    } finally {
      if (!isAdmitted && inputs.length > 0) await earlyBytes.drop(id)
    }
    const other = key && (await findReplay(db, key, hashes, clock.now()))
    if (!other) throw new Error('An idempotency key was taken and nobody holds it.')
    return other
  }

  async function sourcesOf(viewer: Viewer, { pictures, parent }: AdmissionRequest): Promise<readonly PictureSource[]> {
    return parent ? deps.sources.ofGeneration(readInputs(parent.inputs)) : deps.sources.seek(viewer, pictures)
  }

  async function checkCaps(viewer: Viewer, input: GenerationInput, choice: ModelChoice): Promise<void> {
    // Only what has a price that is not known needs the account before the transaction.
    const account = choice.estimate === null ? await getAccount(db.read, viewer.accountId) : undefined
    assertCaps(viewer, input, choice, account)
  }

  /** false: the idempotency key was taken meanwhile. */
  function admit(viewer: Viewer, { row, tags, secret, key, requestHash }: NewGeneration): Promise<boolean> {
    const { id: generationId, accountId, heldMicros: amountMicros, createdAt: now } = row
    return log.transact(async (trx, append) => {
      if (key) {
        const record = { requestHash, generationId, createdAt: now }
        if (!(await claimIdempotencyKey(trx, key, record, now - IDEMPOTENCY_MS))) return false
      }
      await ledger.hold(trx, { accountId, generationId, amountMicros, caps: capsOf(viewer, now), now })
      await enter(trx, append, row, tags)
      if (secret) await insertGenerationSecret(trx, secret)
      if (row.inputs !== NO_INPUTS) await earlyBytes.pardon(trx, generationId)
      return true
    })
  }

  async function enter(trx: Trx, append: AppendEvent, row: GenerationRow, tags: readonly string[]): Promise<void> {
    await insertGeneration(trx, row, tags)
    const { id: generationId, accountId, provider, model, priority, createdAt: now } = row
    await queue.enqueue(trx, { generationId, accountId, provider, model, priority, now })
    const moved = [{ kind: 'held' as const, amountMicros: row.heldMicros }]
    await append(trx, row, { kind: 'QUEUED', previousStatus: null, at: now, moved })
  }
}

/** What one transaction makes of a request. `requestHash` belongs to `key`. */
type NewGeneration = {
  readonly row: GenerationRow
  readonly tags: readonly string[]
  readonly secret: GenerationSecretRow | undefined
  readonly key: IdempotencyKey | null
  readonly requestHash: string
}

/** Nobody pays unasked: that key may have come with the request, and is then gone, or have been removed since. */
function assertCostsNothing({ estimate }: ModelChoice): void {
  if (estimate?.maxMicros === 0) return
  const message =
    'A key of your own paid for it, and without that key a retry would cost credits. Set it with `setProviderKey`, or ' +
    'ask anew with `generateImage`.'
  throw new InvalidInputError([{ path: 'id', message, allowed: [] }])
}

/** undefined: no key came with the request, or no model is left that it is for. */
function sealGivenKey(
  box: SecretBox,
  { id: generationId, accountId }: GenerationRow,
  { providerApiKey }: GenerationInput,
  { first, fallbacks }: ModelChoice,
): GenerationSecretRow | undefined {
  const provider = [first, ...fallbacks].find(({ keySource }) => keySource === 'REQUEST')?.provider
  if (providerApiKey === null || provider === undefined) return undefined
  const owner = { generationId, accountId, provider }
  return { ...owner, ciphertext: box.seal(providerApiKey, owner) }
}

/** The one to be written first, then those that earlier secrets of this server made of the same request. */
function requestHashes(box: SecretBox, input: GenerationInput, parentId: string | null): readonly string[] {
  const { providerApiKey, ...rest } = input
  const digests = providerApiKey === null ? [null] : box.digests(providerApiKey)
  return digests.map((digest) => hashRequest(rest, parentId, digest))
}

function idempotencyKeyOf(viewer: Viewer, input: GenerationInput): IdempotencyKey | null {
  if (input.idempotencyKey === null) return null
  return { accountId: viewer.accountId, endUser: viewer.endUser, key: input.idempotencyKey }
}

async function findReplay(
  db: Database,
  key: IdempotencyKey,
  hashes: readonly string[],
  now: number,
): Promise<Admitted | undefined> {
  const record = await findIdempotencyRecord(db.read, key)
  if (record === undefined || record.createdAt < now - IDEMPOTENCY_MS) return undefined
  const row = await findGeneration(db.read, record.generationId)
  if (row === undefined || row.deletedAt !== null) {
    const message = 'This key made a generation that has been deleted. Use a new key.'
    throw new InvalidInputError([{ path: 'idempotencyKey', message, allowed: [] }])
  }
  if (!hashes.includes(record.requestHash)) throw new IdempotencyConflictError(record.generationId)
  return { generation: toGeneration(row), replayed: true }
}
