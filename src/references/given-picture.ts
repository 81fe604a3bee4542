import { createHash } from 'node:crypto'
import type { FieldProblem } from '../errors.ts'
import { MAX_FOREIGN_BYTES, tooManyBytes } from '../storage/input-image.ts'
import type { InputRole, ReferenceImageInput } from './reference-image.ts'

/** A picture of a request, after the bytes were taken out of it. */
export type GivenPicture = {
  readonly role: InputRole
  /** The field that a client would mark: `referenceImages.0.url`. */
  readonly path: string
  /** Never base64, never bytes. */
  readonly input: ReferenceImageInput
  /** Where they came with the request. */
  readonly bytes: Uint8Array | null
}

export type TakenPicture = { readonly picture: GivenPicture } | { readonly problem: FieldProblem }

/** `place` is the field that holds the picture: `referenceImages.0` or `mask`. */
export function takePicture(input: ReferenceImageInput, role: InputRole, place: string): TakenPicture {
  const path = `${place}.${wayOf(input)}`
  const bytes = 'base64' in input ? decodeBase64(input.base64) : 'bytes' in input ? takeBytes(input.bytes) : null
  if (bytes === null) return { picture: { role, path, input, bytes } }
  if (typeof bytes === 'string') return { problem: { path, message: bytes, allowed: [] } }
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  return { picture: { role, path, input: { sha256 }, bytes } }
}

function wayOf(input: ReferenceImageInput): string {
  return Object.keys(input)[0] ?? ''
}

const DATA_URI = /^data:[^,]{0,200};base64,/i
const NOT_BASE64 = 'It must be the base64 of a picture, bare or as a data: URI.'

function takeBytes(bytes: Uint8Array): Uint8Array | string {
  return bytes.length > MAX_FOREIGN_BYTES ? tooManyBytes().message : bytes
}

/** Whole or not at all: what Node's decoder would pass over in silence is refused. A text says what is wrong. */
function decodeBase64(text: string): Uint8Array | string {
  const start = DATA_URI.exec(text)?.[0].length ?? 0
  // Lines and padding take a little more than four letters for three bytes.
  if (text.length - start > (MAX_FOREIGN_BYTES / 3) * 4.2) return tooManyBytes().message
  const letters = text
    .slice(start)
    .replace(/\s+/g, '')
    .replace(/={0,2}$/, '')
  if (letters === '' || letters.length % 4 === 1 || /[^A-Za-z0-9+/_-]/.test(letters)) return NOT_BASE64
  return Buffer.from(letters, 'base64')
}
