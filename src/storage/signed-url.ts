import { createHmac, hkdfSync } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { isSameSecret } from '../secret.ts'
import { type ImageAddress, parseSignedPath, signedPath, unsignedPath } from './image-address.ts'
import { type ImageExtension, imageTypeOfMimeType } from './image-formats.ts'
import { chooseExpiry, DEFAULT_URL_LIFE_SECONDS } from './url-expiry.ts'
import { formatVariant, parseVariant, type VariantSpec, variantExtension } from './variant-spec.ts'

/**
 * Whoever holds such a URL may see the picture until it expires, without any other proof. It tells nothing but the image's
 * id: account and blob key are bound into it by a keyed digest. A URL that we did not make is refused without a look-up.
 */
export type UrlSigner = {
  /** Without a variant: the image itself. InvalidInputError for a life that is out of bounds. */
  signImage(image: SignableImage, options?: ImageUrlOptions): string
  signPreview(previewId: string, options?: UrlOptions): string
  verify(url: URL): UrlVerdict
  /** Is this still what the URL was made for? Call it with what the store says about the id. */
  isBoundTo(image: SignableImage, verified: VerifiedImage): boolean
}

export type SignableImage = {
  readonly id: string
  readonly accountId: string
  readonly blobKey: string
  readonly mimeType: string
}

/** null or left out: 7 days. Up to 365 days; the URL may live a little longer, see url-expiry.ts. */
export type UrlOptions = { readonly expiresInSeconds?: number | null }
export type ImageUrlOptions = UrlOptions & { readonly variant?: VariantSpec | undefined }

export type VerifiedImage = {
  readonly kind: 'IMAGE'
  readonly imageId: string
  readonly extension: ImageExtension
  readonly variant: VariantSpec | undefined
  readonly binding: string
  readonly secondsLeft: number
}
export type VerifiedPreview = { readonly kind: 'PREVIEW'; readonly previewId: string; readonly secondsLeft: number }

/** UNKNOWN: no address of a picture at all. FORGED: nothing that we signed. EXPIRED: ours, and its time is over. */
export type UrlVerdict = VerifiedImage | VerifiedPreview | { readonly kind: 'UNKNOWN' | 'FORGED' | 'EXPIRED' }

export type UrlSignerDeps = {
  /** The server's secret, at least 32 bytes. The key for URLs is derived from it and good for nothing else. */
  readonly secret: Uint8Array
  /** What every URL starts with: `https://pictures.example`, or with a path that a proxy takes off again. Asked for each time: the port is known late. */
  readonly publicUrl: () => string
  readonly clock: Pick<Clock, 'now'>
}

export function createUrlSigner(deps: UrlSignerDeps): UrlSigner {
  const { clock } = deps
  const digest = createDigest(deps.secret)
  const base = () => deps.publicUrl().replace(/\/+$/, '')
  const bindingOf = (image: SignableImage) => digest('binding', image.id, image.accountId, image.blobKey).slice(0, 22)
  const signatureOf = (address: ImageAddress) => digest('url', unsignedPath(address))
  const sign = (address: ImageAddress) => `${base()}${signedPath({ address, signature: signatureOf(address) })}`
  const expiryOf = (options: UrlOptions) =>
    chooseExpiry(clock.now(), options.expiresInSeconds ?? DEFAULT_URL_LIFE_SECONDS)
  return {
    signImage: (image, options = {}) =>
      sign({
        kind: 'IMAGE',
        imageId: image.id,
        extension: options.variant ? variantExtension(options.variant) : imageTypeOfMimeType(image.mimeType).extension,
        variant: options.variant && formatVariant(options.variant),
        binding: bindingOf(image),
        expiresAtSeconds: expiryOf(options),
      }),
    signPreview: (previewId, options = {}) => sign({ kind: 'PREVIEW', previewId, expiresAtSeconds: expiryOf(options) }),
    verify: (url) => {
      const signed = parseSignedPath(url)
      if (signed === 'UNKNOWN') return { kind: 'UNKNOWN' }
      if (signed === 'ALTERED' || !isSameSecret(signed.signature, signatureOf(signed.address)))
        return { kind: 'FORGED' }
      return judge(signed.address, clock.now())
    },
    isBoundTo: (image, verified) => isSameSecret(verified.binding, bindingOf(image)),
  }
}

type Digest = (purpose: 'url' | 'binding', ...fields: readonly string[]) => string

/** JSON keeps the fields apart: no two lists of fields are the same text. */
function createDigest(secret: Uint8Array): Digest {
  if (secret.byteLength < 32) throw new RangeError('The secret that signs URLs needs at least 32 bytes.')
  const key = new Uint8Array(hkdfSync('sha256', secret, new Uint8Array(), 'pictor image url v1', 32))
  return (...fields) => createHmac('sha256', key).update(JSON.stringify(fields)).digest('base64url')
}

function judge(address: ImageAddress, nowMs: number): UrlVerdict {
  const secondsLeft = address.expiresAtSeconds - Math.floor(nowMs / 1000)
  if (secondsLeft <= 0) return { kind: 'EXPIRED' }
  if (address.kind === 'PREVIEW') return { kind: 'PREVIEW', previewId: address.previewId, secondsLeft }
  const { imageId, extension, binding } = address
  if (address.variant === undefined)
    return { kind: 'IMAGE', imageId, extension, variant: undefined, binding, secondsLeft }
  const variant = parseVariant(address.variant, extension)
  return variant ? { kind: 'IMAGE', imageId, extension, variant, binding, secondsLeft } : { kind: 'FORGED' }
}

/** Compared as text and in constant time: nothing is decoded, so there is one spelling of each signature. */
