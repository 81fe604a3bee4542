import type { WebhookDeliveryState, WebhookEndpointState, WebhookEventType } from '../store/webhook-tables.ts'

export const WEBHOOK_EVENTS = [
  'GENERATION_STARTED',
  'GENERATION_COMPLETED',
  'GENERATION_FAILED',
  'GENERATION_CANCELED',
] as const satisfies readonly WebhookEventType[]

/** Where an account wants to be told of its generations. */
export type WebhookEndpoint = {
  readonly id: string
  readonly accountId: string
  readonly url: string
  readonly events: readonly WebhookEventType[]
  readonly state: WebhookEndpointState
  readonly createdAt: number
}

/** One message to one endpoint, however often it has to be sent. */
export type WebhookDelivery = {
  readonly id: string
  readonly messageId: string
  readonly event: WebhookEventType
  readonly generationId: string
  readonly state: WebhookDeliveryState
  /** How often it was sent. */
  readonly attempts: number
  readonly lastResponseStatus: number | null
  readonly lastError: string | null
  readonly nextAttemptAt: number | null
  readonly createdAt: number
  readonly deliveredAt: number | null
}
