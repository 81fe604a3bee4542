import type { Kysely, Transaction } from 'kysely'
import type { DoomedBlobs, Tables } from './tables.ts'

/** Bytes under these prefixes are needed by no row: to be deleted from `doomedAt` on, once and again until done. */
export async function doomBlobs(trx: Transaction<Tables>, prefix: string, doomedAt: number): Promise<void> {
  await trx
    .insertInto('doomedBlobs')
    .values({ prefix, doomedAt })
    .onConflict((conflict) => conflict.column('prefix').doUpdateSet({ doomedAt }))
    .execute()
}

/**
 * In the transaction that writes the row for bytes which were doomed in advance. False: their time has come or comes
 * before `soonest`, and they may be gone already.
 */
export async function pardonBlobs(trx: Transaction<Tables>, prefix: string, soonest: number): Promise<boolean> {
  const result = await trx
    .deleteFrom('doomedBlobs')
    .where('prefix', '=', prefix)
    .where('doomedAt', '>', soonest)
    .executeTakeFirst()
  return result.numDeletedRows > 0n
}

/** Brings the time of bytes forward that were doomed in advance, unless they have been pardoned. */
export async function hastenDoom(trx: Transaction<Tables>, prefix: string, doomedAt: number): Promise<void> {
  await trx.updateTable('doomedBlobs').set({ doomedAt }).where('prefix', '=', prefix).execute()
}

/** Those whose time has come, oldest first. */
export async function listDoomedBlobs(db: Kysely<Tables>, now: number, limit: number): Promise<DoomedBlobs[]> {
  return db
    .selectFrom('doomedBlobs')
    .selectAll()
    .where('doomedAt', '<=', now)
    .orderBy('doomedAt')
    .orderBy('prefix')
    .limit(limit)
    .execute()
}

/** Unless they have been doomed anew since they were listed. */
export async function forgetDoomedBlobs(trx: Transaction<Tables>, { prefix, doomedAt }: DoomedBlobs): Promise<void> {
  await trx.deleteFrom('doomedBlobs').where('prefix', '=', prefix).where('doomedAt', '=', doomedAt).execute()
}
