import type { Db, Trx } from './handles.ts'
import type { WebhookDeliveryRow } from './webhook-tables.ts'

export async function insertWebhookDeliveries(trx: Trx, deliveries: readonly WebhookDeliveryRow[]): Promise<void> {
  await trx.insertInto('webhookDeliveries').values(deliveries).execute()
}

/** Whoever's it is. */
export async function findWebhookDelivery(db: Db, id: string): Promise<WebhookDeliveryRow | undefined> {
  return db.selectFrom('webhookDeliveries').selectAll().where('id', '=', id).executeTakeFirst()
}

/** Latest first, older than `before`. */
export async function listWebhookDeliveries(
  db: Db,
  query: { endpointId: string; before: string | null; limit: number },
): Promise<WebhookDeliveryRow[]> {
  let select = db.selectFrom('webhookDeliveries').selectAll().where('endpointId', '=', query.endpointId)
  if (query.before !== null) select = select.where('id', '<', query.before)
  return select.orderBy('id', 'desc').limit(query.limit).execute()
}

/** The longest due first; those to one of these addresses are left out. What somebody works on is not due. */
export async function listDueDeliveries(
  db: Db,
  query: { now: number; limit: number; busyUrls: readonly string[] },
): Promise<WebhookDeliveryRow[]> {
  let select = db
    .selectFrom('webhookDeliveries')
    .selectAll()
    .where('nextAttemptAt', '<=', query.now)
    .where((eb) => eb.or([eb('leaseToken', 'is', null), eb('leaseExpiresAt', '<=', query.now)]))
  if (query.busyUrls.length > 0) select = select.where('url', 'not in', query.busyUrls)
  return select.orderBy('nextAttemptAt').orderBy('id').limit(query.limit).execute()
}

/**
 * The attempt is counted before it is made. False when somebody else has taken it meanwhile. A lease that ran out leaves
 * open whether the message arrived: it is sent again under the same message id.
 */
export async function leaseDelivery(
  trx: Trx,
  id: string,
  lease: { token: string; now: number; expiresAt: number },
): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('webhookDeliveries')
    .set((eb) => ({
      leaseToken: lease.token,
      leaseExpiresAt: lease.expiresAt,
      attempts: eb('attempts', '+', 1),
      tries: eb('tries', '+', 1),
    }))
    .where('id', '=', id)
    .where('nextAttemptAt', '<=', lease.now)
    .where((eb) => eb.or([eb('leaseToken', 'is', null), eb('leaseExpiresAt', '<=', lease.now)]))
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** Of whoever holds the lease. False when it is somebody else's by now: what came of the attempt is then not recorded. */
export async function settleDelivery(
  trx: Trx,
  { id, leaseToken }: { id: string; leaseToken: string },
  outcome: Pick<WebhookDeliveryRow, 'state' | 'nextAttemptAt' | 'lastResponseStatus' | 'lastError' | 'deliveredAt'>,
): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('webhookDeliveries')
    .set({ ...outcome, leaseToken: null, leaseExpiresAt: null })
    .where('id', '=', id)
    .where('leaseToken', '=', leaseToken)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** Where one server owns the database: whoever held a lease is dead. */
export async function releaseDeliveries(trx: Trx): Promise<void> {
  await trx
    .updateTable('webhookDeliveries')
    .set({ leaseToken: null, leaseExpiresAt: null })
    .where('leaseToken', 'is not', null)
    .execute()
}

/** From the beginning of the schedule; one that is being sent at this moment goes out once more after it. */
export async function requeueDelivery(trx: Trx, id: string, now: number): Promise<void> {
  await trx
    .updateTable('webhookDeliveries')
    .set({ state: 'PENDING', tries: 0, nextAttemptAt: now, leaseToken: null, leaseExpiresAt: null })
    .where('id', '=', id)
    .execute()
}

/** What waits for an endpoint that takes no more. */
export async function failDeliveriesOfEndpoint(trx: Trx, endpointId: string, reason: string): Promise<void> {
  await trx
    .updateTable('webhookDeliveries')
    .set({ state: 'FAILED', nextAttemptAt: null, leaseToken: null, leaseExpiresAt: null, lastError: reason })
    .where('endpointId', '=', endpointId)
    .where('state', '=', 'PENDING')
    .execute()
}

/** The log is kept for a while; what is still on its way stays. Answers with how many went. */
export async function deleteOldDeliveries(
  trx: Trx,
  { before, limit }: { before: number; limit: number },
): Promise<number> {
  const { numDeletedRows } = await trx
    .deleteFrom('webhookDeliveries')
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('webhookDeliveries')
        .select('id')
        .where('createdAt', '<', before)
        .where('nextAttemptAt', 'is', null)
        .orderBy('createdAt')
        .limit(limit),
    )
    .executeTakeFirst()
  return Number(numDeletedRows)
}
