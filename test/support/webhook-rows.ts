import type { WebhookDeliveryRow } from '../../src/store/webhook-tables.ts'

/** A message that waits to be sent; each test says what it is about. */
export function webhookDelivery(row: Partial<WebhookDeliveryRow> = {}): WebhookDeliveryRow {
  return {
    id: 'whd_1',
    messageId: 'msg_1',
    accountId: 'acc_1',
    endpointId: 'whk_1',
    url: 'https://app.example.com/hooks',
    generationId: 'gen_1',
    event: 'GENERATION_FAILED',
    status: 'FAILED',
    previousStatus: 'RUNNING',
    sequence: 3,
    eventAt: 10,
    state: 'PENDING',
    attempts: 0,
    tries: 0,
    nextAttemptAt: 10,
    leaseToken: null,
    leaseExpiresAt: null,
    lastResponseStatus: null,
    lastError: null,
    createdAt: 10,
    deliveredAt: null,
    ...row,
  }
}
