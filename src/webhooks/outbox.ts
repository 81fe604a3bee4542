import type { StoredEvent } from '../events/generation-event.ts'
import type { Ids } from '../ids.ts'
import type { Trx } from '../store/handles.ts'
import { insertWebhookDeliveries } from '../store/webhook-delivery-store.ts'
import { listActiveEndpoints } from '../store/webhook-endpoint-store.ts'
import type { WebhookDeliveryRow, WebhookEventType } from '../store/webhook-tables.ts'

const EVENTS: Partial<Record<StoredEvent['kind'], WebhookEventType>> = {
  STARTED: 'GENERATION_STARTED',
  COMPLETED: 'GENERATION_COMPLETED',
  FAILED: 'GENERATION_FAILED',
  CANCELED: 'GENERATION_CANCELED',
}

/**
 * Writes down, in the event's own transaction, to whom it has to be told: a crash right behind the commit loses no
 * message. `webhookUrl`: of the generation; it is told of every kind.
 */
export function createOutbox({ ids }: { readonly ids: Ids }) {
  return async (
    trx: Trx,
    event: Omit<StoredEvent, 'position' | 'problem'>,
    webhookUrl: string | null,
  ): Promise<boolean> => {
    const type = EVENTS[event.kind]
    if (type === undefined) return false
    const endpoints = await listActiveEndpoints(trx, event.accountId)
    const wanting = endpoints.filter(({ events }) => readEvents(events).includes(type))
    const targets: { readonly id: string | null; readonly url: string }[] = [...wanting]
    if (webhookUrl !== null) targets.push({ id: null, url: webhookUrl })
    if (targets.length === 0) return false
    await insertWebhookDeliveries(
      trx,
      targets.map(({ id: endpointId, url }) => toDelivery(ids, { event, type, endpointId, url })),
    )
    return true
  }
}

export function readEvents(text: string): readonly WebhookEventType[] {
  return JSON.parse(text)
}

function toDelivery(
  ids: Ids,
  given: {
    readonly event: Omit<StoredEvent, 'position' | 'problem'>
    readonly type: WebhookEventType
    readonly endpointId: string | null
    readonly url: string
  },
): WebhookDeliveryRow {
  const { accountId, generationId, status, previousStatus, sequence, at } = given.event
  return {
    id: ids.next('whd'),
    messageId: ids.next('msg'),
    accountId,
    endpointId: given.endpointId,
    url: given.url,
    generationId,
    event: given.type,
    status,
    previousStatus,
    sequence,
    eventAt: at,
    state: 'PENDING',
    attempts: 0,
    tries: 0,
    nextAttemptAt: at,
    leaseToken: null,
    leaseExpiresAt: null,
    lastResponseStatus: null,
    lastError: null,
    createdAt: at,
    deliveredAt: null,
  }
}
