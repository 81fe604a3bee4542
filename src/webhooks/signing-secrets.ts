import { hkdfSync, randomBytes as systemRandomBytes } from 'node:crypto'
import type { SecretBox } from '../identity/secret-box.ts'
import { Secret } from '../secret.ts'
import type { WebhookEndpointRow } from '../store/webhook-tables.ts'

/** How long a secret that was replaced signs too, in milliseconds. */
export const OVERLAP_MS = 24 * 3_600_000
const SECRET_BYTES = 32

/** What messages are signed with: `whsec_` and base64, as Standard Webhooks has it. */
export type SigningSecrets = {
  create(): Secret
  seal(secret: Secret, endpoint: { readonly id: string; readonly accountId: string }): string
  /** Those that sign now, the current one first. Empty: no secret of this server opens them any more. */
  ofEndpoint(endpoint: WebhookEndpointRow, now: number): readonly Secret[]
  /**
   * For the address that came with a generation: always the same for one account and address. Under the server's secret
   * first, then under its earlier ones.
   */
  ofAddress(accountId: string, url: string): readonly [Secret, ...Secret[]]
}

export function createSigningSecrets(deps: {
  readonly box: SecretBox
  /** The server's. */
  readonly secret: Secret
  readonly previous: readonly Secret[]
  readonly randomBytes?: (size: number) => Buffer
}): SigningSecrets {
  const { box, randomBytes = systemRandomBytes } = deps
  const open = (sealed: string, { id, accountId }: Pick<WebhookEndpointRow, 'id' | 'accountId'>) =>
    box.open(sealed, ownerOf({ id, accountId }))
  const derive = (secret: Secret, accountId: string, url: string) =>
    toText(
      Buffer.from(
        hkdfSync('sha256', secret.reveal(), JSON.stringify([accountId, url]), 'pictor webhook v1', SECRET_BYTES),
      ),
    )

  return {
    create: () => toText(randomBytes(SECRET_BYTES)),
    seal: (secret, endpoint) => box.seal(secret, ownerOf(endpoint)),
    ofEndpoint(endpoint, now) {
      const { secret, previousSecret, previousSecretExpiresAt } = endpoint
      const hasPrevious = previousSecret !== null && (previousSecretExpiresAt ?? 0) > now
      const sealed = hasPrevious ? [secret, previousSecret] : [secret]
      return sealed.map((each) => open(each, endpoint)).filter((each) => each !== undefined)
    },
    ofAddress: (accountId, url) => [
      derive(deps.secret, accountId, url),
      ...deps.previous.map((secret) => derive(secret, accountId, url)),
    ],
  }
}

function toText(bytes: Buffer): Secret {
  return new Secret(`whsec_${bytes.toString('base64')}`)
}

/** In the place of a provider stands the endpoint: a sealed secret opens for no other. */
function ownerOf({ id, accountId }: { readonly id: string; readonly accountId: string }) {
  return { accountId, provider: `webhook ${id}`, generationId: null }
}
