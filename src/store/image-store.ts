import type { Kysely, Transaction } from 'kysely'
import type { ImageRow, Tables } from './tables.ts'

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
