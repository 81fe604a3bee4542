import { Webhook } from 'standardwebhooks'
import type { Secret } from '../secret.ts'
import type { WebhookDeliveryRow } from '../store/webhook-tables.ts'

/** What a message says of a generation beside the event itself; undefined: it is gone. Plain JSON. */
export type DescribeGeneration = (
  delivery: Pick<WebhookDeliveryRow, 'accountId' | 'generationId' | 'event'>,
) => Promise<object | undefined>

export type SignedMessage = { readonly headers: Readonly<Record<string, string>>; readonly body: string }

/**
 * By Standard Webhooks. `data.sequence` is that of the event: messages may overtake one another, and a receiver that has
 * seen a higher one of the same generation knows more already.
 */
export async function writeMessage(delivery: WebhookDeliveryRow, describe: DescribeGeneration): Promise<string> {
  const { event, eventAt, generationId, sequence, status, previousStatus } = delivery
  const about = await describe(delivery)
  return JSON.stringify({
    type: event.toLowerCase().replace('_', '.'),
    timestamp: new Date(eventAt).toISOString(),
    data: { generationId, sequence, status, previousStatus, ...(about ?? { deleted: true }) },
  })
}

/** `now` in milliseconds since 1970. Every secret signs. */
export function signMessage(
  { messageId, body }: { readonly messageId: string; readonly body: string },
  secrets: readonly Secret[],
  now: number,
): SignedMessage {
  const at = new Date(now)
  return {
    headers: {
      'content-type': 'application/json',
      'user-agent': 'Pictor-Webhooks/1',
      'webhook-id': messageId,
      'webhook-timestamp': String(Math.floor(now / 1000)),
      'webhook-signature': secrets.map((secret) => new Webhook(secret.reveal()).sign(messageId, at, body)).join(' '),
    },
    body,
  }
}
