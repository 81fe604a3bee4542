import type { Selectable } from 'kysely'

type GenerationStatus = 'QUEUED' | 'RUNNING' | 'COMPLETED' | 'FAILED' | 'CANCELED'

export type WebhookEndpointState = 'ACTIVE' | 'DISABLED_BY_OWNER' | 'DISABLED_BY_FAILURES'

/** Where an account wants to be told of its generations. */
export type WebhookEndpointsTable = {
  id: string
  accountId: string
  url: string
  /** JSON list of event types. */
  events: string
  state: WebhookEndpointState
  /** Sealed by identity/secret-box.ts; the previous one signs too until its time is over. */
  secret: string
  previousSecret: string | null
  previousSecretExpiresAt: number | null
  /** Since when nothing has arrived there; null: the last delivery did. */
  failingSince: number | null
  createdAt: number
}

export type WebhookEventType =
  | 'GENERATION_STARTED'
  | 'GENERATION_COMPLETED'
  | 'GENERATION_FAILED'
  | 'GENERATION_CANCELED'
export type WebhookDeliveryState = 'PENDING' | 'DELIVERED' | 'FAILED'

/** The outbox: written in the transaction of the event that it tells of. */
export type WebhookDeliveriesTable = {
  id: string
  /** Stays the same however often it is sent. */
  messageId: string
  accountId: string
  /** null: to the address that the generation brought with it. */
  endpointId: string | null
  url: string
  generationId: string
  event: WebhookEventType
  /** Of the event. */
  status: GenerationStatus
  previousStatus: GenerationStatus | null
  sequence: number
  eventAt: number
  state: WebhookDeliveryState
  /** How often it was sent in all, and since it was last asked for: the schedule counts the latter. */
  attempts: number
  tries: number
  /** null: not again. */
  nextAttemptAt: number | null
  leaseToken: string | null
  leaseExpiresAt: number | null
  lastResponseStatus: number | null
  lastError: string | null
  createdAt: number
  deliveredAt: number | null
}

export type WebhookEndpointRow = Selectable<WebhookEndpointsTable>
export type WebhookDeliveryRow = Selectable<WebhookDeliveriesTable>
