import type { Clock } from '../clock.ts'
import { CostLimitError, IdempotencyConflictError, InvalidInputError } from '../errors.ts'
import type { ProviderKeys } from '../identity/provider-keys.ts'
import type { SecretBox } from '../identity/secret-box.ts'
import type { Ids } from '../ids.ts'
import { type Ledger, type SpendCap, utcDay } from '../ledger/ledger.ts'
import { parseMicros } from '../money.ts'
import type { JobQueue } from '../queue/job-queue.ts'
import { getAccount } from '../store/account-store.ts'
import type { Database, Trx } from '../store/database.ts'
import { insertGenerationSecret } from '../store/generation-secret-store.ts'
import { findGeneration, insertGeneration } from '../store/generation-store.ts'
import { claimIdempotencyKey, findIdempotencyRecord, type IdempotencyKey } from '../store/idempotency-store.ts'
import type { GenerationRow, GenerationSecretRow } from '../store/tables.ts'
import type { Viewer } from '../viewer.ts'
import type { AppendEvent, EventLog } from './event-log.ts'
import { GENERATION_PRIORITIES, type GenerationInput } from './generation-types.ts'
import type { ModelChoice, ModelChooser } from './model-choice.ts'
import { toGeneration, toJson } from './records.ts'
import type { Created } from './services.ts'
import { hashRequest, type StoredRequest, writeStoredRequest } from './stored-request.ts'

/** How long a key is kept. */
export const IDEMPOTENCY_MS = 24 * 3_600_000

export type AdmissionDeps = {
  readonly db: Database
  readonly log: EventLog
  readonly ledger: Ledger
  readonly queue: JobQueue
  readonly chooseModels: ModelChooser
  readonly providerKeys: Pick<ProviderKeys, 'providersOf'>
  readonly secretBox: SecretBox
  readonly clock: Clock
  readonly ids: Ids
}

/**
 * From a request to a committed row. Idempotency, caps, hold, generation, job and first event are one transaction:
 * either all of it is there, or nothing is.
 */
export function createAdmission(deps: AdmissionDeps) {
  const { db, log, ledger, queue, chooseModels, providerKeys, secretBox, clock, ids } = deps

  /** The input has been checked as far as that goes without a model. */
  return async (viewer: Viewer, input: GenerationInput, parent: Parent | null): Promise<Created> => {
    const parentId = parent?.id ?? null
    const key = idempotencyKeyOf(viewer, input)
    const hashes = key ? requestHashes(secretBox, input, parentId) : []
    // Looked up before anything else: a replay must succeed also when the model has become unavailable since.
    const replay = key && (await findReplay(db, key, hashes, clock.now()))
    if (replay) return replay

    const choice = chooseModels(viewer, input, await providerKeys.providersOf(viewer.accountId))
    if (parent?.ownKey) assertCostsNothing(choice)
    const account = needsBilling(choice) ? await getAccount(db.read, viewer.accountId) : undefined
    checkCaps(viewer, input, choice, account)
    const now = clock.now()
    const row = newGeneration(viewer, input, choice, { id: ids.next('gen'), parentId, now })
    const secret = sealGivenKey(secretBox, row, input, choice)

    const admitted = await log.transact(async (trx, append) => {
      if (key) {
        const record = { requestHash: hashes[0] ?? '', generationId: row.id, createdAt: now }
        if (!(await claimIdempotencyKey(trx, key, record, now - IDEMPOTENCY_MS))) return false
      }
      await ledger.hold(trx, {
        accountId: row.accountId,
        generationId: row.id,
        amountMicros: row.heldMicros,
        caps: capsOf(viewer, now),
        now,
      })
      await enter(trx, append, row, input.tags)
      if (secret) await insertGenerationSecret(trx, secret)
      return true
    })
    if (admitted) return { generation: toGeneration(row), replayed: false }
    const other = key && (await findReplay(db, key, hashes, now))
    if (!other) throw new Error('An idempotency key was taken and nobody holds it.')
    return other
  }

  async function enter(trx: Trx, append: AppendEvent, row: GenerationRow, tags: readonly string[]): Promise<void> {
    await insertGeneration(trx, row, tags)
    const { id: generationId, accountId, provider, model, priority, createdAt: now } = row
    await queue.enqueue(trx, { generationId, accountId, provider, model, priority, now })
    const moved = [{ kind: 'held' as const, amountMicros: row.heldMicros }]
    await append(trx, row, { kind: 'QUEUED', previousStatus: null, at: now, moved })
  }
}

/** What a retry comes from. `ownKey`: it was to be paid by a key of the caller's own. */
export type Parent = { readonly id: string; readonly ownKey: boolean }

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
): Promise<Created | undefined> {
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

/** Only what has a price that is not known needs the account before the transaction. */
function needsBilling(choice: ModelChoice): boolean {
  return choice.estimate === null
}

/** What can be told without the ledger: the request's own cap, and a price that is not known where any cap applies. */
function checkCaps(
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
  { providerApiKey: _, ...input }: GenerationInput,
  { first, fallbacks, estimate, requestedModel, ownKey }: ModelChoice,
  { id, parentId, now }: { id: string; parentId: string | null; now: number },
): GenerationRow {
  const request: StoredRequest = { input, previews: first.previews, fallbacks, ownKey }
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
    keySource: first.keySource,
    requestedModel,
    prompt: input.prompt,
    negativePrompt: first.negativePrompt,
    count: first.count,
    parameters: JSON.stringify(first.parameters),
    request: writeStoredRequest(request),
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
