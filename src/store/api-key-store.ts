import { createCompiledQuery } from './compiled-query.ts'
import type { Db, Trx } from './handles.ts'
import type { ApiKeyRow } from './tables.ts'

export async function insertApiKey(trx: Trx, key: ApiKeyRow): Promise<void> {
  await trx.insertInto('apiKeys').values(key).execute()
}

/** Revoked and expired keys too: who may come in is decided above. */
export async function findApiKeyByHash(db: Db, secretHash: string): Promise<ApiKeyRow | undefined> {
  return db.selectFrom('apiKeys').selectAll().where('secretHash', '=', secretHash).executeTakeFirst()
}

export async function findApiKey(db: Db, id: string): Promise<ApiKeyRow | undefined> {
  return db.selectFrom('apiKeys').selectAll().where('id', '=', id).executeTakeFirst()
}

/** The account's keys, revoked and expired ones too, in order of making. */
export async function listApiKeys(db: Db, accountId: string): Promise<ApiKeyRow[]> {
  return db.selectFrom('apiKeys').selectAll().where('accountId', '=', accountId).orderBy('id').execute()
}

/** Was any key ever made, by any account? */
export async function hasApiKeys(db: Db): Promise<boolean> {
  return (await selectAny(db, {})).rows.length > 0
}

const selectAny = createCompiledQuery((db) => db.selectFrom('apiKeys').select('id').limit(1))

/** The time of the first revocation stays. Undefined when the account has no such key. */
export async function revokeApiKey(
  trx: Trx,
  revocation: { accountId: string; id: string; at: number },
): Promise<ApiKeyRow | undefined> {
  return trx
    .updateTable('apiKeys')
    .set((eb) => ({ revokedAt: eb.fn.coalesce('revokedAt', eb.val(revocation.at)) }))
    .where('id', '=', revocation.id)
    .where('accountId', '=', revocation.accountId)
    .returningAll()
    .executeTakeFirst()
}

/** Never goes back: of two processes that report, the later use stays. */
export async function touchApiKey(trx: Trx, use: { id: string; at: number }): Promise<void> {
  await trx
    .updateTable('apiKeys')
    .set({ lastUsedAt: use.at })
    .where('id', '=', use.id)
    .where((eb) => eb.or([eb('lastUsedAt', 'is', null), eb('lastUsedAt', '<', use.at)]))
    .execute()
}
