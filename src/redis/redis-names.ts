import { hkdfSync } from 'node:crypto'
import type { Secret } from '../secret.ts'

const TAG_BYTES = 12

/**
 * `pictor:<tag>:<purpose>`. The tag is derived from the server's secret, which all processes of an installation share and no
 * other has: so two installations may use one Redis, and nobody has to think of a name.
 */
export function redisName(secret: Secret, purpose: string): string {
  const tag = Buffer.from(hkdfSync('sha256', secret.reveal(), new Uint8Array(), 'pictor redis names v1', TAG_BYTES))
  return `pictor:${tag.toString('base64url')}:${purpose}`
}
