import type { Kysely, Transaction } from 'kysely'
import type { DoomedBlobs, ImageRow, Tables } from './tables.ts'

/** False when the generation has an image of this index already, which stays as it is. */
export async function insertImageIfAbsent(trx: Transaction<Tables>, image: ImageRow): Promise<boolean> {
  const result = await trx
    .insertInto('images')
    .values(image)
    .onConflict((conflict) => conflict.columns(['generationId', 'imageIndex']).doNothing())
    .executeTakeFirst()
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n
}

/** By generation, each in order of index. */
export async function listImagesOfGenerations(
  db: Kysely<Tables>,
  generationIds: readonly string[],
): Promise<ImageRow[]> {
  if (generationIds.length === 0) return []
  return db
    .selectFrom('images')
    .selectAll()
    .where('generationId', 'in', generationIds)
    .orderBy('generationId')
    .orderBy('imageIndex')
    .execute()
}

/** Those of the account; where `endUser` is not null, only of its generations. */
export async function findImagesOfAccount(
  db: Kysely<Tables>,
  query: { ids: readonly string[]; accountId: string; endUser: string | null },
): Promise<ImageRow[]> {
  if (query.ids.length === 0) return []
  let select = db
    .selectFrom('images')
    .selectAll('images')
    .where('images.id', 'in', query.ids)
    .where('images.accountId', '=', query.accountId)
  if (query.endUser !== null) {
    select = select
      .innerJoin('generations', 'generations.id', 'images.generationId')
      .where('generations.endUser', '=', query.endUser)
  }
  return select.execute()
}

export async function findImage(db: Kysely<Tables>, id: string): Promise<ImageRow | undefined> {
  return db.selectFrom('images').selectAll().where('id', '=', id).executeTakeFirst()
}

export async function deleteImages(trx: Transaction<Tables>, generationId: string): Promise<void> {
  await trx.deleteFrom('images').where('generationId', '=', generationId).execute()
}

/** Bytes under these prefixes are needed by no row: to be deleted, once and again until done. */
export async function doomBlobs(trx: Transaction<Tables>, prefix: string, doomedAt: number): Promise<void> {
  await trx
    .insertInto('doomedBlobs')
    .values({ prefix, doomedAt })
    .onConflict((conflict) => conflict.column('prefix').doUpdateSet({ doomedAt }))
    .execute()
}

/** Oldest first. */
export async function listDoomedBlobs(db: Kysely<Tables>, limit: number): Promise<DoomedBlobs[]> {
  return db.selectFrom('doomedBlobs').selectAll().orderBy('doomedAt').orderBy('prefix').limit(limit).execute()
}

/** Unless they have been doomed anew since they were listed. */
export async function forgetDoomedBlobs(trx: Transaction<Tables>, { prefix, doomedAt }: DoomedBlobs): Promise<void> {
  await trx.deleteFrom('doomedBlobs').where('prefix', '=', prefix).where('doomedAt', '=', doomedAt).execute()
}
