import { createHmac } from 'node:crypto'
import { isSameSecret } from '../../secret.ts'
import type { ProviderCallbacks } from '../callback.ts'
import type { ProviderCall } from '../provider.ts'
import type { JsonRecord } from '../wire/json-values.ts'

/**
 * Unverified, and the sources contradict each other: `X-BFL-Signature: sha256=<hex HMAC-SHA256(secret, raw body)>`
 * (bfl-skills, February 2026), or the secret itself in `X-Webhook-Secret` (older notes). A submission with a webhook may
 * also be answered without its polling address and cost. Hence only where the operator wants it.
 */
export const fluxCallbacks: ProviderCallbacks = {
  certain: false,
  async isGenuine({ headers, body, secret }) {
    const signature = headers['x-bfl-signature']
    if (signature !== undefined) {
      const expected = createHmac('sha256', secret.reveal()).update(body).digest('hex')
      return isSameSecret(signature.toLowerCase(), `sha256=${expected}`)
    }
    const shown = headers['x-webhook-secret']
    return shown !== undefined && isSameSecret(shown, secret.reveal())
  },
}

/** Of a submission, where the vendor may call. */
export function webhookFields({ callbacks }: Pick<ProviderCall, 'callbacks'>, index: number): JsonRecord {
  if (!callbacks) return {}
  return { webhook_url: callbacks.urlOf(index), webhook_secret: callbacks.secretOf(index).reveal() }
}
