import type { Clock } from '../clock.ts'
import { NotFoundError } from '../errors.ts'
import type { Database } from '../store/handles.ts'
import {
  deleteOldDeliveries,
  findWebhookDelivery,
  listWebhookDeliveries,
  requeueDelivery,
} from '../store/webhook-delivery-store.ts'
import type { WebhookDeliveryRow } from '../store/webhook-tables.ts'
import type { WebhookDelivery } from './webhook-types.ts'

/** How long it can be seen what became of a message. */
export const LOG_MS = 30 * 24 * 3_600_000
const DELETED_AT_ONCE = 500

/** What was sent, to whom, and what came of it. */
export type DeliveryLog = {
  /** Latest first, older than `before`. */
  list(endpointId: string, page: { before: string | null; limit: number }): Promise<readonly WebhookDelivery[]>
  find(accountId: string, id: string): Promise<WebhookDelivery | undefined>
  /** NotFound. Sends it again, whatever became of it, under its own message id. */
  redeliver(accountId: string, id: string): Promise<WebhookDelivery>
  /** What has become too old to be of use. */
  forgetOld(): Promise<void>
}

export function createDeliveryLog(deps: {
  readonly database: Database
  readonly clock: Clock
  /** There is something to send. */
  readonly nudge: () => void
}): DeliveryLog {
  const { database, clock } = deps

  async function find(accountId: string, id: string): Promise<WebhookDeliveryRow | undefined> {
    const row = await findWebhookDelivery(database.read, id)
    return row?.accountId === accountId ? row : undefined
  }

  return {
    list: async (endpointId, page) =>
      (await listWebhookDeliveries(database.read, { endpointId, ...page })).map(toDelivery),
    async find(accountId, id) {
      const row = await find(accountId, id)
      return row && toDelivery(row)
    },
    async redeliver(accountId, id) {
      const row = await find(accountId, id)
      if (!row) throw new NotFoundError('webhook delivery')
      const now = clock.now()
      await database.transact((trx) => requeueDelivery(trx, id, now))
      deps.nudge()
      return toDelivery({ ...row, state: 'PENDING', nextAttemptAt: now })
    },
    async forgetOld() {
      const before = clock.now() - LOG_MS
      let gone: number
      do {
        gone = await database.transact((trx) => deleteOldDeliveries(trx, { before, limit: DELETED_AT_ONCE }))
      } while (gone === DELETED_AT_ONCE)
    },
  }
}

function toDelivery(row: WebhookDeliveryRow): WebhookDelivery {
  const { id, messageId, event, generationId, state, attempts } = row
  const { lastResponseStatus, lastError, nextAttemptAt, createdAt, deliveredAt } = row
  const what = { id, messageId, event, generationId, state, attempts, createdAt }
  return { ...what, lastResponseStatus, lastError, nextAttemptAt, deliveredAt }
}
