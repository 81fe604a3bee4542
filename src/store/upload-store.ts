import type { Kysely, Transaction } from 'kysely'
import type { Ownership } from './generation-store.ts'
import type { Tables, UploadRow } from './tables.ts'

export async function insertUpload(trx: Transaction<Tables>, upload: UploadRow): Promise<void> {
  await trx.insertInto('uploads').values(upload).execute()
}

/** In no order; what has expired or is somebody else's is left out. */
export async function findOwnUploads(
  db: Kysely<Tables>,
  owner: Ownership,
  query: { ids: readonly string[]; now: number },
): Promise<UploadRow[]> {
  if (query.ids.length === 0) return []
  let select = db
    .selectFrom('uploads')
    .selectAll()
    .where('id', 'in', query.ids)
    .where('accountId', '=', owner.accountId)
    .where('expiresAt', '>', query.now)
  if (owner.endUser !== null) select = select.where('endUser', '=', owner.endUser)
  return select.execute()
}

/** Of all that are kept, expired or not: an account's, or an end user's. */
export async function sumUploadBytes(db: Kysely<Tables>, owner: Ownership): Promise<number> {
  let select = db
    .selectFrom('uploads')
    .select((eb) => eb.fn.sum<number | null>('sizeBytes').as('total'))
    .where('accountId', '=', owner.accountId)
  if (owner.endUser !== null) select = select.where('endUser', '=', owner.endUser)
  const row = await select.executeTakeFirst()
  return Number(row?.total ?? 0)
}

/** The longest expired first. */
export async function listExpiredUploads(db: Kysely<Tables>, now: number, limit: number): Promise<UploadRow[]> {
  return db
    .selectFrom('uploads')
    .selectAll()
    .where('expiresAt', '<=', now)
    .orderBy('expiresAt')
    .orderBy('id')
    .limit(limit)
    .execute()
}

/** False when it was gone already. */
export async function deleteUpload(trx: Transaction<Tables>, id: string): Promise<boolean> {
  const result = await trx.deleteFrom('uploads').where('id', '=', id).executeTakeFirst()
  return result.numDeletedRows > 0n
}
