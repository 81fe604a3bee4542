import { createCompiledQuery } from './compiled-query.ts'
import type { Db, Trx } from './handles.ts'
import type { WebhookEndpointRow } from './webhook-tables.ts'

export async function insertWebhookEndpoint(trx: Trx, endpoint: WebhookEndpointRow): Promise<void> {
  await trx.insertInto('webhookEndpoints').values(endpoint).execute()
}

/** Oldest first. */
export async function listWebhookEndpoints(db: Db, accountId: string): Promise<WebhookEndpointRow[]> {
  return db.selectFrom('webhookEndpoints').selectAll().where('accountId', '=', accountId).orderBy('id').execute()
}

/** Asked for in every transaction that starts or ends a generation. */
export async function listActiveEndpoints(trx: Trx, accountId: string): Promise<readonly ActiveEndpoint[]> {
  return (await selectActive(trx, { accountId })).rows
}

type ActiveEndpoint = Pick<WebhookEndpointRow, 'id' | 'url' | 'events'>

const selectActive = createCompiledQuery<{ accountId: string }, ActiveEndpoint>((db, value) =>
  db
    .selectFrom('webhookEndpoints')
    .select(['id', 'url', 'events'])
    .where('accountId', '=', value('accountId'))
    .where('state', '=', 'ACTIVE')
    .orderBy('id'),
)

/** Whoever's it is. */
export async function findWebhookEndpoint(db: Db, id: string): Promise<WebhookEndpointRow | undefined> {
  return db.selectFrom('webhookEndpoints').selectAll().where('id', '=', id).executeTakeFirst()
}

/** False where there is none of that account. */
export async function updateWebhookEndpoint(
  trx: Trx,
  { id, accountId }: { id: string; accountId: string },
  change: Partial<Omit<WebhookEndpointRow, 'id' | 'accountId' | 'createdAt'>>,
): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('webhookEndpoints')
    .set(change)
    .where('id', '=', id)
    .where('accountId', '=', accountId)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** With what is on its way to it. False where there is none of that account. */
export async function deleteWebhookEndpoint(
  trx: Trx,
  { id, accountId }: { id: string; accountId: string },
): Promise<boolean> {
  const { numDeletedRows } = await trx
    .deleteFrom('webhookEndpoints')
    .where('id', '=', id)
    .where('accountId', '=', accountId)
    .executeTakeFirst()
  if (numDeletedRows === 0n) return false
  await trx.deleteFrom('webhookDeliveries').where('endpointId', '=', id).execute()
  return true
}
