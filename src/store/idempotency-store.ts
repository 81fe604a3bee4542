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

/**
 * Generations that were made under keys which begin so, the newest first: twenty at most. `prefix` ends in a hyphen, and what
 * follows it is hexadecimal: no letter of that comes after `z` in any collation.
 */
export async function listGenerationsOfKeys(
  db: Kysely<Tables>,
  { accountId, endUser }: Omit<IdempotencyKey, 'key'>,
  { prefix, since }: { readonly prefix: string; readonly since: number },
): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('idempotencyKeys')
    .select('generationId')
    .where('accountId', '=', accountId)
    .where('endUser', '=', endUser ?? '')
    .where('key', '>=', prefix)
    .where('key', '<', `${prefix}z`)
    .where('key', 'like', `${prefix}%`)
    .where('createdAt', '>=', since)
    .orderBy('createdAt', 'desc')
    .limit(MAX_LISTED)
    .execute()
  return rows.map(({ generationId }) => generationId)
}

const MAX_LISTED = 20

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
