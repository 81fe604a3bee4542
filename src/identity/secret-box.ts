import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes as systemRandomBytes } from 'node:crypto'
import { Secret } from '../secret.ts'

/** Whose a sealed secret is and what it is for: it opens for nothing else, so that it is of no use in another row. */
export type SealOwner = {
  readonly accountId: string
  readonly provider: string
  /** null: the account's own, for all of its generations. */
  readonly generationId: string | null
}

/** Secrets at rest: AES-256-GCM under a key that is derived from the server's secret and good for nothing else. */
export type SecretBox = {
  seal(secret: Secret, owner: SealOwner): string
  /** Undefined where no secret of this server opens it for this owner: it was changed, or it is somebody else's. */
  open(sealed: string, owner: SealOwner): Secret | undefined
  /** Sealed under the current secret, and not under an earlier one? */
  isCurrent(sealed: string): boolean
  /** Tells two secrets apart without saying what they are: under the current server secret first, then the earlier ones. */
  digests(secret: Secret): readonly string[]
}

const VERSION = 'v1'
const CIPHER = 'aes-256-gcm'
const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
const KEY_ID_BYTES = 6
/** The version, which of our keys, and nonce, text and tag. */
const SEALED = /^v1\.([\w-]{8})\.([\w-]+)$/

export function createSecretBox(deps: {
  readonly secret: Secret
  /** Earlier ones of the server's: they open, and seal nothing. */
  readonly previous: readonly Secret[]
  readonly randomBytes?: (size: number) => Buffer
}): SecretBox {
  const { randomBytes = systemRandomBytes } = deps
  const current = deriveKeys(deps.secret)
  const all = [current, ...deps.previous.map(deriveKeys)]

  return {
    seal(secret, owner) {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv(CIPHER, current.sealing, nonce, { authTagLength: TAG_BYTES })
      cipher.setAAD(bindingOf(current.id, owner))
      const text = Buffer.concat([cipher.update(secret.reveal(), 'utf8'), cipher.final()])
      return [VERSION, current.id, Buffer.concat([nonce, text, cipher.getAuthTag()]).toString('base64url')].join('.')
    },
    open(sealed, owner) {
      const [, id, body = ''] = SEALED.exec(sealed) ?? []
      const keys = all.filter((each) => each.id === id)
      return firstDefined(keys, (key) => unseal(key, Buffer.from(body, 'base64url'), owner))
    },
    isCurrent: (sealed) => SEALED.exec(sealed)?.[1] === current.id,
    digests: (secret) =>
      all.map(({ digesting }) => createHmac('sha256', digesting).update(secret.reveal(), 'utf8').digest('base64url')),
  }
}

type Keys = { readonly id: string; readonly sealing: Buffer; readonly digesting: Buffer }

function deriveKeys(secret: Secret): Keys {
  const derive = (purpose: string, bytes: number) =>
    Buffer.from(hkdfSync('sha256', secret.reveal(), new Uint8Array(), purpose, bytes))
  return {
    id: derive('pictor provider key id v1', KEY_ID_BYTES).toString('base64url'),
    sealing: derive('pictor provider key v1', KEY_BYTES),
    digesting: derive('pictor provider key digest v1', KEY_BYTES),
  }
}

function unseal(key: Keys, body: Buffer, owner: SealOwner): Secret | undefined {
  if (body.length < NONCE_BYTES + TAG_BYTES) return undefined
  const end = body.length - TAG_BYTES
  const decipher = createDecipheriv(CIPHER, key.sealing, body.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
  decipher.setAAD(bindingOf(key.id, owner)).setAuthTag(body.subarray(end))
  try {
    return new Secret(decipher.update(body.subarray(NONCE_BYTES, end), undefined, 'utf8') + decipher.final('utf8'))
  } catch {
    // The tag does not fit: altered, or bound to another owner.
    return undefined
  }
}

/** JSON keeps the fields apart: no two lists of fields are the same text. */
function bindingOf(keyId: string, { accountId, provider, generationId }: SealOwner): Buffer {
  return Buffer.from(JSON.stringify([VERSION, keyId, accountId, provider, generationId]))
}

function firstDefined<From, To>(from: readonly From[], find: (one: From) => To | undefined): To | undefined {
  for (const one of from) {
    const found = find(one)
    if (found !== undefined) return found
  }
  return undefined
}
