import type { Db, Trx } from './handles.ts'
import type { ProviderKeyRow } from './tables.ts'

/** An earlier key of the account for the same provider gives way. */
export async function putProviderKey(trx: Trx, key: ProviderKeyRow): Promise<void> {
  const { ciphertext, hint, createdAt } = key
  await trx
    .insertInto('providerKeys')
    .values(key)
    .onConflict((conflict) => conflict.columns(['accountId', 'provider']).doUpdateSet({ ciphertext, hint, createdAt }))
    .execute()
}

export async function findProviderKey(
  db: Db,
  { accountId, provider }: { accountId: string; provider: string },
): Promise<ProviderKeyRow | undefined> {
  return db
    .selectFrom('providerKeys')
    .selectAll()
    .where('accountId', '=', accountId)
    .where('provider', '=', provider)
    .executeTakeFirst()
}

export async function listProviderKeys(db: Db, accountId: string): Promise<ProviderKeyRow[]> {
  return db.selectFrom('providerKeys').selectAll().where('accountId', '=', accountId).orderBy('provider').execute()
}

/** False when there was none. */
export async function deleteProviderKey(
  trx: Trx,
  { accountId, provider }: { accountId: string; provider: string },
): Promise<boolean> {
  const { numDeletedRows } = await trx
    .deleteFrom('providerKeys')
    .where('accountId', '=', accountId)
    .where('provider', '=', provider)
    .executeTakeFirst()
  return numDeletedRows > 0n
}

/** Of every account. */
export async function listAllProviderKeys(db: Db): Promise<ProviderKeyRow[]> {
  return db.selectFrom('providerKeys').selectAll().orderBy('accountId').orderBy('provider').execute()
}

/** The same key, sealed anew. False when it was replaced or removed meanwhile. */
export async function resealProviderKey(trx: Trx, key: ProviderKeyRow, ciphertext: string): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('providerKeys')
    .set({ ciphertext })
    .where('accountId', '=', key.accountId)
    .where('provider', '=', key.provider)
    .where('ciphertext', '=', key.ciphertext)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}
