/** A picture that a caller brings: exactly one way of naming it. */
export type ReferenceImageInput =
  /** An image that an earlier generation of the caller's made. */
  | { readonly imageId: string }
  | { readonly uploadId: string }
  | { readonly url: string }
  /** Bare, or as a `data:` URI. */
  | { readonly base64: string }
  /** As they came in a form. */
  | { readonly bytes: Uint8Array }
  /** What is kept of base64 and bytes: bytes never travel in rows. Of the decoded bytes, in hexadecimal. */
  | { readonly sha256: string }

export type InputRole = 'reference' | 'mask'

/** A picture that goes into a generation. JSON, in the generation's row; the bytes lie under the generation's prefix. */
export type StoredInput = {
  readonly role: InputRole
  readonly blobKey: string
  readonly mimeType: 'image/png' | 'image/jpeg' | 'image/webp'
  readonly width: number
  readonly height: number
  readonly sizeBytes: number
}

export type PictureSize = { readonly width: number; readonly height: number }

/** Of one request, whatever its model takes. */
export const MAX_REFERENCE_IMAGES = 16
/** Of all pictures of one request together, the mask among them, as they are kept. */
export const MAX_TOGETHER_BYTES = 64 * 1024 * 1024
export const MAX_URL_LENGTH = 4_096

export function readInputs(text: string): readonly StoredInput[] {
  return text === '[]' ? [] : JSON.parse(text)
}
