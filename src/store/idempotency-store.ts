import type { Kysely, Transaction } from 'kysely'
import type { Tables } from './tables.ts'

export type IdempotencyKey = { accountId: string; endUser: string | null; key: string }
export type IdempotencyRecord = { requestHash: string; generationId: string; createdAt: number }

export async function findIdempotencyRecord(
  db: Kysely<Tables>,
  { accountId, endUser, key }: IdempotencyKey,
): Promise<IdempotencyRecord | undefined> {
  return db
    .selectFrom('idempotencyKeys')
    .select(['requestHash', 'generationId', 'createdAt'])
    .where('accountId', '=', accountId)
    .where('endUser', '=', endUser ?? '')
    .where('key', '=', key)
    .executeTakeFirst()
}

/** False when the key is taken. A record older than `expiredBefore` gives way. */
export async function claimIdempotencyKey(
  trx: Transaction<Tables>,
  { accountId, endUser, key }: IdempotencyKey,
  record: IdempotencyRecord,
  expiredBefore: number,
): Promise<boolean> {
  const result = await trx
    .insertInto('idempotencyKeys')
    .values({ accountId, endUser: endUser ?? '', key, ...record })
    .onConflict((conflict) =>
      conflict
        .columns(['accountId', 'endUser', 'key'])
        .doUpdateSet(record)
        .where('idempotencyKeys.createdAt', '<', expiredBefore),
    )
    .executeTakeFirst()
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n
}

export async function deleteExpiredIdempotencyKeys(trx: Transaction<Tables>, expiredBefore: number): Promise<void> {
  await trx.deleteFrom('idempotencyKeys').where('createdAt', '<', expiredBefore).execute()
}
