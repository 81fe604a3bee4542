import type { Config } from './config.ts'
import type { Secret } from './secret.ts'

/** All that must never be read in a log. */
export function listSecrets({
  secret,
  previousSecrets,
  redisUrl,
  vendors,
  engineKeys,
  storage,
}: Config): readonly Secret[] {
  const credentials = storage.kind === 's3' ? storage.credentials : null
  const stored = [credentials?.secretAccessKey ?? null, credentials?.sessionToken ?? null]
  const keys = [secret, redisUrl, ...stored, ...Object.values(vendors).map(({ apiKey }) => apiKey)]
  return [...keys.filter((key) => key !== null), ...previousSecrets, ...engineKeys.values()]
}
