import type { Db } from './handles.ts'
import type { GenerationRow } from './tables.ts'

/** Bytes as a row of `images` or `uploads` has recorded them. */
export type BlobRow = {
  readonly id: string
  readonly blobKey: string
  readonly sizeBytes: number
  readonly sha256: string
}

/** Pages in order of id. */
export type BlobPage = { readonly afterId: string; readonly limit: number }

/** Bytes of images or uploads. */
export async function listBlobs(db: Db, table: 'images' | 'uploads', { afterId, limit }: BlobPage): Promise<BlobRow[]> {
  return db
    .selectFrom(table)
    .select(['id', 'blobKey', 'sizeBytes', 'sha256'])
    .where('id', '>', afterId)
    .orderBy('id')
    .limit(limit)
    .execute()
}

export type InputsRow = Pick<GenerationRow, 'id' | 'inputs'>

/** Generations that pictures go into. */
export async function listInputs(db: Db, { afterId, limit }: BlobPage): Promise<InputsRow[]> {
  return db
    .selectFrom('generations')
    .select(['id', 'inputs'])
    .where('id', '>', afterId)
    .where('inputs', '<>', '[]')
    .orderBy('id')
    .limit(limit)
    .execute()
}

/** Those of the images or uploads that are there still, or there already. */
export async function findBlobs(db: Db, table: 'images' | 'uploads', ids: readonly string[]): Promise<BlobRow[]> {
  if (ids.length === 0) return []
  return db.selectFrom(table).select(['id', 'blobKey', 'sizeBytes', 'sha256']).where('id', 'in', ids).execute()
}

export type BlobOwnerRow = Pick<GenerationRow, 'id' | 'status' | 'inputs' | 'deletedAt'>

/** What the generations need of the bytes under their prefix: `inputs`, and what `listBlobsOfGenerations` finds. */
export async function findBlobOwners(db: Db, ids: readonly string[]): Promise<BlobOwnerRow[]> {
  if (ids.length === 0) return []
  return db.selectFrom('generations').select(['id', 'status', 'inputs', 'deletedAt']).where('id', 'in', ids).execute()
}

export async function listBlobsOfGenerations(db: Db, generationIds: readonly string[]): Promise<BlobRow[]> {
  if (generationIds.length === 0) return []
  return db
    .selectFrom('images')
    .select(['id', 'blobKey', 'sizeBytes', 'sha256'])
    .where('generationId', 'in', generationIds)
    .execute()
}

/** Which of these are to be deleted, now or later. */
export async function findDoomed(db: Db, prefixes: readonly string[]): Promise<string[]> {
  if (prefixes.length === 0) return []
  const rows = await db.selectFrom('doomedBlobs').select('prefix').where('prefix', 'in', prefixes).execute()
  return rows.map((row) => row.prefix)
}

/** Those that have been deleted left out. */
export async function countGenerations(db: Db): Promise<number> {
  const row = await db
    .selectFrom('generations')
    .select((eb) => eb.fn.countAll<number>().as('total'))
    .where('deletedAt', 'is', null)
    .executeTakeFirstOrThrow()
  return Number(row.total)
}
