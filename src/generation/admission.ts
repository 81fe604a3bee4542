import type { Clock } from '../clock.ts'
import { CostLimitError, IdempotencyConflictError, InvalidInputError } from '../errors.ts'
import type { Ids } from '../ids.ts'
import { type Ledger, type SpendCap, utcDay } from '../ledger/ledger.ts'
import { parseMicros } from '../money.ts'
import type { JobQueue } from '../queue/job-queue.ts'
import type { EarlyBytes } from '../references/early-bytes.ts'
import type { GivenPicture } from '../references/given-picture.ts'
import type { PictureSource, PictureSources } from '../references/picture-sources.ts'
import { readInputs, type StoredInput } from '../references/reference-image.ts'
import type { ReferenceImages } from '../references/reference-images.ts'
import { getAccount } from '../store/account-store.ts'
import type { Database, Trx } from '../store/database.ts'
import { findGeneration, insertGeneration } from '../store/generation-store.ts'
import { claimIdempotencyKey, findIdempotencyRecord, type IdempotencyKey } from '../store/idempotency-store.ts'
import type { GenerationRow } from '../store/tables.ts'
import type { Viewer } from '../viewer.ts'
import type { AppendEvent, EventLog } from './event-log.ts'
import { GENERATION_PRIORITIES, type GenerationInput } from './generation-types.ts'
import type { ModelChoice, ModelChooser } from './model-choice.ts'
import { toGeneration, toJson } from './records.ts'
import { chooseAfter, chooseBefore } from './request-pictures.ts'
import type { Created } from './services.ts'
import { hashRequest, type StoredRequest, writeStoredRequest } from './stored-request.ts'

const NO_INPUTS = '[]'

/** How long a key is kept. */
export const IDEMPOTENCY_MS = 24 * 3_600_000

export type AdmissionDeps = {
  readonly db: Database
  readonly log: EventLog
  readonly ledger: Ledger
  readonly queue: JobQueue
  readonly chooseModels: ModelChooser
  readonly sources: PictureSources
  readonly references: ReferenceImages
  readonly earlyBytes: EarlyBytes
  readonly clock: Clock
  readonly ids: Ids
}

/** A request that has been checked as far as that goes without a model and without looking at its pictures. */
export type AdmissionRequest = {
  readonly input: GenerationInput
  readonly pictures: readonly GivenPicture[]
  /** The generation that is made once more: its pictures are taken in the place of the request's. */
  readonly parent: Pick<GenerationRow, 'id' | 'inputs'> | null
}

/**
 * From a request to a committed row. Idempotency, caps, hold, generation, job and first event are one transaction:
 * either all of it is there, or nothing is. Pictures are fetched before it, and only for a request that nothing else
 * speaks against.
 */
export function createAdmission(deps: AdmissionDeps) {
  const { db, log, ledger, queue, chooseModels, references, earlyBytes, clock, ids } = deps

  return async (viewer: Viewer, request: AdmissionRequest): Promise<Created> => {
    const { input } = request
    const key = idempotencyKeyOf(viewer, input)
    const requestHash = key ? hashRequest(input, request.parent?.id ?? null) : ''
    // Looked up before anything else: a replay must succeed also when the model or a picture has become unavailable since.
    const replay = key && (await findReplay(db, key, requestHash, clock.now()))
    if (replay) return replay

    const sources = await sourcesOf(viewer, request)
    const { choice, isPriceOpen } = chooseBefore(chooseModels, viewer, input, sources)
    if (!isPriceOpen) await checkCaps(viewer, input, choice)
    const id = ids.next('gen')
    const inputs = sources.length === 0 ? [] : await references.keep(id, sources)
    let isAdmitted = false
    try {
      const decided = isPriceOpen ? await chooseAgain(viewer, input, inputs) : choice
      const about = { id, parentId: request.parent?.id ?? null, now: clock.now() }
      const row = newGeneration(viewer, input, decided, inputs, about)
      isAdmitted = await admit(viewer, row, input.tags, key, requestHash)
      if (isAdmitted) return { generation: toGeneration(row), replayed: false }
    } finally {
      if (!isAdmitted && inputs.length > 0) await earlyBytes.drop(id)
    }
    const other = key && (await findReplay(db, key, requestHash, clock.now()))
    if (!other) throw new Error('An idempotency key was taken and nobody holds it.')
    return other
  }

  async function sourcesOf(viewer: Viewer, { pictures, parent }: AdmissionRequest): Promise<readonly PictureSource[]> {
    return parent ? deps.sources.ofGeneration(readInputs(parent.inputs)) : deps.sources.seek(viewer, pictures)
  }

  async function chooseAgain(
    viewer: Viewer,
    input: GenerationInput,
    inputs: readonly StoredInput[],
  ): Promise<ModelChoice> {
    const choice = chooseAfter(chooseModels, viewer, input, inputs)
    await checkCaps(viewer, input, choice)
    return choice
  }

  async function checkCaps(viewer: Viewer, input: GenerationInput, choice: ModelChoice): Promise<void> {
    // Only what has a price that is not known needs the account before the transaction.
    const account = choice.estimate === null ? await getAccount(db.read, viewer.accountId) : undefined
    assertCaps(viewer, input, choice, account)
  }

  /** false: the idempotency key was taken meanwhile. */
  function admit(
    viewer: Viewer,
    row: GenerationRow,
    tags: readonly string[],
    key: IdempotencyKey | null,
    requestHash: string,
  ): Promise<boolean> {
    const { id: generationId, accountId, heldMicros: amountMicros, createdAt: now } = row
    return log.transact(async (trx, append) => {
      if (key) {
        const record = { requestHash, generationId, createdAt: now }
        if (!(await claimIdempotencyKey(trx, key, record, now - IDEMPOTENCY_MS))) return false
      }
      await ledger.hold(trx, { accountId, generationId, amountMicros, caps: capsOf(viewer, now), now })
      await enter(trx, append, row, tags)
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

function idempotencyKeyOf(viewer: Viewer, input: GenerationInput): IdempotencyKey | null {
  if (input.idempotencyKey === null) return null
  return { accountId: viewer.accountId, endUser: viewer.endUser, key: input.idempotencyKey }
}

async function findReplay(
  db: Database,
  key: IdempotencyKey,
  requestHash: string,
  now: number,
): Promise<Created | undefined> {
  const record = await findIdempotencyRecord(db.read, key)
  if (record === undefined || record.createdAt < now - IDEMPOTENCY_MS) return undefined
  const row = await findGeneration(db.read, record.generationId)
  if (row === undefined || row.deletedAt !== null) {
    const message = 'This key made a generation that has been deleted. Use a new key.'
    throw new InvalidInputError([{ path: 'idempotencyKey', message, allowed: [] }])
  }
  if (record.requestHash !== requestHash) throw new IdempotencyConflictError(record.generationId)
  return { generation: toGeneration(row), replayed: true }
}

/** What can be told without the ledger: the request's own cap, and a price that is not known where any cap applies. */
function assertCaps(
  viewer: Viewer,
  input: GenerationInput,
  choice: ModelChoice,
  account: { billing: string; balanceMicros: number; dailySpendMicros: number | null } | undefined,
): void {
  const maxCost = input.maxCost === null ? null : parseMicros(input.maxCost)
  const estimateMicros = choice.estimate?.maxMicros ?? null
  if (estimateMicros !== null) {
    if (maxCost === null || estimateMicros <= maxCost) return
    const message = 'The request may cost more than its `maxCost`.'
    throw new CostLimitError({ message, estimateMicros, limitMicros: maxCost })
  }
  const prepaid = account?.billing === 'PREPAID' ? account.balanceMicros : null
  const caps = [
    maxCost,
    viewer.tokenMaxSpendMicros,
    viewer.keyDailySpendMicros,
    account?.dailySpendMicros ?? null,
    prepaid,
  ]
  const limitMicros = caps.find((cap) => cap !== null)
  if (limitMicros === undefined || limitMicros === null) return
  const message = `The price of ${choice.first.modelId} is not known, and spending is capped here. Choose a model with a known price.`
  throw new CostLimitError({ message, estimateMicros, limitMicros })
}

function capsOf(viewer: Viewer, now: number): SpendCap[] {
  const { apiKeyId, keyDailySpendMicros, tokenId, tokenMaxSpendMicros } = viewer
  const caps: SpendCap[] = []
  if (apiKeyId !== null && keyDailySpendMicros !== null) {
    caps.push({ scope: `key:${apiKeyId}`, day: utcDay(now), limitMicros: keyDailySpendMicros })
  }
  if (tokenId !== null && tokenMaxSpendMicros !== null) {
    caps.push({ scope: `token:${tokenId}`, day: 0, limitMicros: tokenMaxSpendMicros })
  }
  return caps
}

/** What is the same in every generation that has only been asked for. */
const BEFORE_ANY_ATTEMPT = {
  status: 'QUEUED',
  sequence: 1,
  attemptToken: null,
  imageCount: 0,
  problems: '[]',
  error: null,
  chargedMicros: null,
  providerReportedMicros: null,
  tokens: null,
  startedAt: null,
  finishedAt: null,
  expiresAt: null,
  deletedAt: null,
} satisfies Partial<GenerationRow>

function newGeneration(
  viewer: Viewer,
  input: GenerationInput,
  { first, fallbacks, estimate, requestedModel }: ModelChoice,
  inputs: readonly StoredInput[],
  { id, parentId, now }: { id: string; parentId: string | null; now: number },
): GenerationRow {
  const request: StoredRequest = { input, previews: first.previews, usesMask: first.usesMask, fallbacks }
  return {
    ...BEFORE_ANY_ATTEMPT,
    id,
    accountId: viewer.accountId,
    endUser: viewer.endUser ?? input.endUser,
    apiKeyId: viewer.apiKeyId,
    tokenId: viewer.tokenId,
    priority: GENERATION_PRIORITIES.indexOf(input.priority),
    provider: first.provider,
    model: first.modelId,
    requestedModel,
    prompt: input.prompt,
    negativePrompt: first.negativePrompt,
    count: first.count,
    parameters: JSON.stringify(first.parameters),
    request: writeStoredRequest(request),
    inputs: JSON.stringify(inputs),
    price: toJson(first.price),
    warnings: JSON.stringify(first.warnings),
    tags: JSON.stringify(input.tags),
    metadata: toJson(input.metadata),
    estimateMinMicros: estimate?.minMicros ?? null,
    estimateMaxMicros: estimate?.maxMicros ?? null,
    heldMicros: estimate?.maxMicros ?? 0,
    spendDay: utcDay(now),
    parentId,
    createdAt: now,
    deadlineAt: input.deadlineSeconds === null ? null : now + input.deadlineSeconds * 1000,
  }
}
