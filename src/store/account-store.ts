import { createCompiledQuery } from './compiled-query.ts'
import type { Db, Trx } from './handles.ts'
import type { AccountRow } from './tables.ts'

/** False, and nothing changed, when the id is taken. */
export async function insertAccountIfAbsent(trx: Trx, account: AccountRow): Promise<boolean> {
  const result = await trx
    .insertInto('accounts')
    .values(account)
    .onConflict((conflict) => conflict.column('id').doNothing())
    .executeTakeFirst()
  return result.numInsertedOrUpdatedRows === 1n
}

export async function findAccount(db: Db, id: string): Promise<AccountRow | undefined> {
  const { rows } = await selectAccount(db, { id })
  return rows[0]
}

const selectAccount = createCompiledQuery<{ id: string }, AccountRow>((db, value) =>
  db.selectFrom('accounts').selectAll().where('id', '=', value('id')),
)

/** For ids that stand in our own rows: throws where there is no such account. */
export async function getAccount(db: Db, id: string): Promise<AccountRow> {
  const account = await findAccount(db, id)
  if (account === undefined) throw new Error(`There is no account ${id}.`)
  return account
}

/** In order of making, after the account `afterId`. */
export async function listAccounts(db: Db, page: { afterId: string; limit: number }): Promise<AccountRow[]> {
  return db.selectFrom('accounts').selectAll().where('id', '>', page.afterId).orderBy('id').limit(page.limit).execute()
}
