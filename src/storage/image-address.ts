import { IMAGE_TYPES, type ImageExtension } from './image-formats.ts'

/** What a picture's URL says, before anyone asks whether it is true. */
export type ImageAddress = StoredImageAddress | PreviewAddress

export type StoredImageAddress = {
  readonly kind: 'IMAGE'
  readonly imageId: string
  readonly extension: ImageExtension
  /** As `formatVariant` writes it; undefined: the image itself. */
  readonly variant: string | undefined
  readonly binding: string
  readonly expiresAtSeconds: number
}

export type PreviewAddress = { readonly kind: 'PREVIEW'; readonly previewId: string; readonly expiresAtSeconds: number }

export type SignedAddress = { readonly address: ImageAddress; readonly signature: string }

const IMAGE_PATH = new RegExp(
  `^/images/(img_[a-z0-9]{1,64})\\.(${IMAGE_TYPES.map((type) => type.extension).join('|')})$`,
)
const PREVIEW_PATH = /^\/images\/previews\/([A-Za-z0-9_-]{1,64}\.[0-9]{1,9})$/

/** Path and query without the signature: the text that is signed. */
export function unsignedPath(address: ImageAddress): string {
  if (address.kind === 'PREVIEW') return `/images/previews/${address.previewId}?e=${address.expiresAtSeconds}`
  const variant = address.variant === undefined ? '' : `v=${address.variant}&`
  const query = `${variant}e=${address.expiresAtSeconds}&b=${address.binding}`
  return `/images/${address.imageId}.${address.extension}?${query}`
}

export function signedPath({ address, signature }: SignedAddress): string {
  return `${unsignedPath(address)}&s=${signature}`
}

/**
 * UNKNOWN: the path is not one of a picture. ALTERED: the query is not what `signedPath` writes. There is one spelling of
 * each address, so that a repeated, reordered, encoded or added parameter is no second way to the same picture.
 */
export function parseSignedPath(url: URL): SignedAddress | 'UNKNOWN' | 'ALTERED' {
  const address = parseAddress(url)
  if (!address) return 'UNKNOWN'
  const signed = { address, signature: url.searchParams.get('s') ?? '' }
  return signedPath(signed) === url.pathname + url.search ? signed : 'ALTERED'
}

function parseAddress(url: URL): ImageAddress | undefined {
  const query = url.searchParams
  const expiresAtSeconds = Number(query.get('e'))
  const previewId = PREVIEW_PATH.exec(url.pathname)?.[1]
  if (previewId !== undefined) return { kind: 'PREVIEW', previewId, expiresAtSeconds }
  const [, imageId, extensionText] = IMAGE_PATH.exec(url.pathname) ?? []
  const extension = IMAGE_TYPES.find((type) => type.extension === extensionText)?.extension
  if (imageId === undefined || !extension) return undefined
  const variant = query.get('v') ?? undefined
  return { kind: 'IMAGE', imageId, extension, variant, binding: query.get('b') ?? '', expiresAtSeconds }
}
