import { Webhook } from 'standardwebhooks'
import type { Clock } from '../../clock.ts'
import { Secret } from '../../secret.ts'
import type { ProviderCallbacks, VendorCallback } from '../callback.ts'
import { createMisunderstanding } from '../wire/call-failures.ts'
import { readRecord, readText } from '../wire/json-values.ts'
import { createRenewedValue } from '../wire/renewed-value.ts'
import { VENDOR } from './replicate-failures.ts'

const SECRET_LIFE_MS = 24 * 3_600_000
const SECRET_REST_MS = 60_000

/**
 * Standard Webhooks under the account's one secret. Read by their own package: the `validateWebhook` of Replicate's SDK
 * does not look at the age and compares with `===` (1.4.0).
 */
export function createReplicateCallbacks(deps: {
  readonly clock: Clock
  /** Answers with `{key: "whsec_…"}`. */
  secretOf(signal: AbortSignal): Promise<unknown>
}): ProviderCallbacks {
  const { clock } = deps
  const secret = createRenewedValue({ clock, lifeMs: SECRET_LIFE_MS, restMs: SECRET_REST_MS, fetch: fetchSecret })

  async function fetchSecret(signal: AbortSignal): Promise<Secret> {
    const key = readText(readRecord(await deps.secretOf(signal))?.key)
    if (key === null) throw createMisunderstanding(VENDOR, null)
    return new Secret(key)
  }

  return {
    certain: true,
    async isGenuine(callback, signal) {
      if (isSigned(callback, await secret.get(signal))) return true
      const renewed = await secret.renew(signal)
      return renewed !== undefined && isSigned(callback, renewed)
    },
  }
}

function isSigned({ headers, body }: VendorCallback, secret: Secret): boolean {
  const named = (name: string) => headers[name] ?? ''
  const signed = {
    'webhook-id': named('webhook-id'),
    'webhook-timestamp': named('webhook-timestamp'),
    'webhook-signature': named('webhook-signature'),
  }
  try {
    new Webhook(secret.reveal()).verify(Buffer.from(body), signed, { jsonParse: false })
    return true
  } catch {
    return false
  }
}
