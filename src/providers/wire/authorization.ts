import type { Secret } from '../../secret.ts'

/**
 * How an engine on its owner's hardware, or a proxy that stands before it, is shown a key: `user:password` as HTTP
 * Basic, anything else as Bearer. Without a key nothing is shown.
 */
export function authorizationOf(
  ofServer: Secret | null,
  ofCaller: Secret | null,
): Readonly<Record<'authorization', string>> | Readonly<Record<string, never>> {
  const key = (ofCaller ?? ofServer)?.reveal()
  if (key === undefined) return {}
  if (key.includes(':')) return { authorization: `Basic ${Buffer.from(key, 'utf8').toString('base64')}` }
  return { authorization: `Bearer ${key}` }
}
