import { createHash } from 'node:crypto'
import { readInputs } from '../../src/references/reference-image.ts'
import { generationPrefix, uploadOwner, VARIANTS_PREFIX, variantsPrefix } from '../../src/storage/blob-keys.ts'
import type { BlobStorage } from '../../src/storage/blob-storage.ts'
import type { Database } from '../../src/store/database.ts'
import { INVARIANT_RULES, livingLeases } from './invariant-rules.ts'

export type Violation = { readonly rule: string; readonly ids: readonly string[] }

export type InvariantOptions = {
  /** Somebody works on it, or did and was killed: leases may have run out and not yet been taken back. */
  readonly live?: boolean
  /** Milliseconds since 1970 by the clock of whoever worked on it. */
  readonly now?: number
}

/** Throws with every rule that is broken and the ids that break it. */
export async function assertInvariants(
  database: Database,
  storage: BlobStorage,
  options: InvariantOptions = {},
): Promise<void> {
  const violations = await findViolations(database, storage, options)
  if (violations.length === 0) return
  throw new Error(`Broken:\n${violations.map(({ rule, ids }) => `- ${rule}: ${ids.join(', ')}`).join('\n')}`)
}

/** What must be true of the data at any moment between two transactions. */
export async function findViolations(
  database: Database,
  storage: BlobStorage,
  { live = false, now = Date.now() }: InvariantOptions = {},
): Promise<readonly Violation[]> {
  const rules = live ? INVARIANT_RULES : [...INVARIANT_RULES, livingLeases(now)]
  const checked: Violation[] = []
  for (const { rule, breaches } of rules) {
    const { rows } = await breaches.execute(database.read)
    checked.push({ rule, ids: rows.map((row) => row.id) })
  }
  checked.push(await checkBytes(database, storage), await checkInputBytes(database, storage))
  checked.push(await checkDeletedBytes(database, storage), await checkOwners(database, storage))
  return checked.filter(({ ids }) => ids.length > 0)
}

async function checkBytes(database: Database, storage: BlobStorage): Promise<Violation> {
  const facts = ['id', 'blobKey', 'sha256', 'sizeBytes'] as const
  const images = await database.read.selectFrom('images').select(facts).execute()
  const uploads = await database.read.selectFrom('uploads').select(facts).execute()
  const ids: string[] = []
  for (const { id, blobKey, sha256, sizeBytes } of [...images, ...uploads]) {
    const bytes = await storage.get(blobKey)
    const digest = bytes && createHash('sha256').update(bytes).digest('hex')
    if (digest !== sha256 || bytes?.byteLength !== sizeBytes) ids.push(id)
  }
  return { rule: 'the bytes of images and uploads are in storage as they were recorded', ids }
}

async function checkInputBytes(database: Database, storage: BlobStorage): Promise<Violation> {
  const generations = await database.read.selectFrom('generations').select(['id', 'inputs']).execute()
  const ids: string[] = []
  for (const { id, inputs } of generations) {
    for (const { blobKey, sizeBytes } of readInputs(inputs)) {
      const isOwn = blobKey.startsWith(generationPrefix(id))
      if (!isOwn || (await storage.find(blobKey))?.sizeBytes !== sizeBytes) ids.push(id)
    }
  }
  return { rule: "the bytes of a generation's inputs are in storage, under its own prefix", ids }
}

/** No bytes without end: some row's, or to be deleted. */
async function checkOwners(database: Database, storage: BlobStorage): Promise<Violation> {
  const generations = await database.read.selectFrom('generations').select('id').execute()
  const uploads = await database.read.selectFrom('uploads').select('id').execute()
  const doomed = await database.read.selectFrom('doomedBlobs').select('prefix').execute()
  const owners = new Set([
    ...generations.map(({ id }) => id),
    ...uploads.map(({ id }) => uploadOwner(id)),
    ...doomed.map(({ prefix }) => prefix),
  ])
  const ids: string[] = []
  for await (const { key } of storage.list('')) {
    if (!key.startsWith(VARIANTS_PREFIX) && !owners.has(key.slice(0, key.lastIndexOf('/')))) ids.push(key)
  }
  return { rule: 'bytes belong to a row or are doomed', ids }
}

/** Gone, or listed as to be deleted. */
async function checkDeletedBytes(database: Database, storage: BlobStorage): Promise<Violation> {
  const deleted = await database.read
    .selectFrom('generations')
    .select('id')
    .where('deletedAt', 'is not', null)
    .where('id', 'not in', (eb) => eb.selectFrom('doomedBlobs').select('prefix'))
    .execute()
  const ids: string[] = []
  for (const { id } of deleted) {
    for (const prefix of [generationPrefix(id), variantsPrefix(id)]) {
      for await (const { key } of storage.list(prefix)) ids.push(key)
    }
  }
  return { rule: 'the bytes of a deleted generation are gone or doomed', ids }
}
