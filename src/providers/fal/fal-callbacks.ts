import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto'
import type { ProviderCallbacks, VendorCallback } from '../callback.ts'
import { createMisunderstanding } from '../wire/call-failures.ts'
import { isRecord, readList, readRecord, readText } from '../wire/json-values.ts'
import { createRenewedValue } from '../wire/renewed-value.ts'
import { toStatusFailure } from '../wire/status-failure.ts'
import type { VendorDeps } from '../wire/vendor-deps.ts'
import { createVendorHttp } from '../wire/vendor-http.ts'
import { VENDOR } from './fal-failures.ts'

const FAL_ORIGIN = 'https://queue.fal.run'
const KEYS_ORIGIN = 'https://rest.alpha.fal.ai'
const KEYS_PATH = '/.well-known/jwks.json'
const ASK_MS = 20_000
/** They may be kept for 24 hours. */
const KEYS_LIFE_MS = 24 * 3_600_000
const KEYS_REST_MS = 60_000
const TOLERANCE_S = 300
const MAX_KEYS = 20

/**
 * Ed25519 by any of fal's published keys, over request id, user id, timestamp and the hexadecimal SHA-256 of the raw body,
 * joined by newlines. Source: docs.fal.ai; the client package has no help for it.
 */
export function createFalCallbacks({
  clock,
  fetch,
  baseUrl,
}: Pick<VendorDeps, 'clock' | 'fetch' | 'baseUrl'>): ProviderCallbacks {
  const http = createVendorHttp({ vendor: VENDOR, fetch, clock })
  const url = `${baseUrl === FAL_ORIGIN ? KEYS_ORIGIN : baseUrl}${KEYS_PATH}`
  const keys = createRenewedValue({ clock, lifeMs: KEYS_LIFE_MS, restMs: KEYS_REST_MS, fetch: fetchKeys })

  async function fetchKeys(signal: AbortSignal): Promise<readonly KeyObject[]> {
    const answer = await http({ method: 'GET', url, headers: {}, timeoutMs: ASK_MS, signal })
    const { status, headers } = answer
    if (!answer.ok) throw toStatusFailure(VENDOR, { status, headers, message: null, now: clock.now() })
    const found = readKeys(answer.json())
    if (found.length === 0) throw createMisunderstanding(VENDOR, null)
    return found
  }

  return {
    certain: true,
    async isGenuine(callback, signal) {
      const signed = readSigned(callback, clock.now())
      if (!signed) return false
      const isSigned = (by: readonly KeyObject[]) => by.some((key) => verify(null, signed.text, key, signed.signature))
      if (isSigned(await keys.get(signal))) return true
      const renewed = await keys.renew(signal)
      return renewed !== undefined && isSigned(renewed)
    },
  }
}

function readSigned({ headers, body }: VendorCallback, now: number): { text: Buffer; signature: Buffer } | undefined {
  const named = (name: string) => headers[`x-fal-webhook-${name}`] ?? ''
  const timestamp = named('timestamp')
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(now / 1000 - Number(timestamp)) > TOLERANCE_S) return undefined
  if (!/^[0-9a-f]{128}$/i.test(named('signature'))) return undefined
  const digest = createHash('sha256').update(body).digest('hex')
  const text = Buffer.from([named('request-id'), named('user-id'), timestamp, digest].join('\n'))
  return { text, signature: Buffer.from(named('signature'), 'hex') }
}

/** `{keys: [{x}]}`, base64url. What is no such key is passed over. */
function readKeys(json: unknown): readonly KeyObject[] {
  return readList(readRecord(json)?.keys)
    .slice(0, MAX_KEYS)
    .flatMap((entry) => {
      const x = isRecord(entry) ? readText(entry.x) : null
      if (x === null) return []
      try {
        return [createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })]
      } catch {
        return []
      }
    })
}
