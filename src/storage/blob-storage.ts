import type { Readable } from 'node:stream'

/**
 * Where bytes live, under keys such as `gen_0193…/5f2c….png`. A key is made of segments parted by `/`, and no key is the
 * folder of another. Every call checks its key or prefix and rejects with `InvalidBlobKeyError` before it touches anything.
 */
export type BlobStorage = {
  /**
   * All or nothing: a reader sees the old bytes or the new, a crash leaves the old. Durable when it resolves. Safe to repeat,
   * also at the same time; but whoever writes a key at the same time writes the same bytes.
   */
  put(key: string, bytes: Uint8Array): Promise<void>
  get(key: string): Promise<Uint8Array | undefined>
  /** The caller reads the stream to its end or destroys it. A blob deleted meanwhile can still be read to its end. */
  open(key: string, range?: ByteRange): Promise<OpenBlob | undefined>
  find(key: string): Promise<BlobInfo | undefined>
  has(key: string): Promise<boolean>
  /** Deleting what is not there is no error. */
  delete(key: string): Promise<void>
  /** Everything below a folder: the prefix ends in `/`, so that `gen_1/` never takes `gen_10/` with it. */
  deletePrefix(prefix: string): Promise<void>
  /** In no order. `prefix` is a folder (`gen_1/`) or empty, which is everything. */
  list(prefix: string): AsyncIterable<BlobInfo>
  /** Takes away what writes and deletions that were cut off have left, and returns how much; what is under way is left alone. */
  removeLeftovers(): Promise<number>
  /** Resolves when bytes can be written and deleted right now; otherwise rejects with the cause. */
  check(): Promise<void>
}

/** First and last byte, both included, as in HTTP. */
export type ByteRange = { readonly start: number; readonly end: number }

/** `sizeBytes` is that of the whole blob, whatever the range. */
export type OpenBlob = { readonly sizeBytes: number; readonly stream: Readable }

export type BlobInfo = {
  readonly key: string
  readonly sizeBytes: number
  /** When the bytes came to this place, in milliseconds since 1970. */
  readonly modifiedAt: number
}

export class InvalidBlobKeyError extends Error {
  override readonly name = 'InvalidBlobKeyError'
  constructor(what: 'key' | 'prefix') {
    super(`This is no valid blob ${what}.`)
  }
}

/** A segment starts with no dot: `.` and `..` cannot be written, and an adapter may keep its own files behind one. */
const SEGMENT = /^[a-z0-9_-][a-z0-9_.-]{0,199}$/
const MAX_KEY_LENGTH = 512

export function isBlobKeySegment(text: string): boolean {
  return SEGMENT.test(text)
}

export function isBlobKey(text: string): boolean {
  return text.length <= MAX_KEY_LENGTH && text.split('/').every(isBlobKeySegment)
}

export function assertBlobKey(key: string): void {
  if (!isBlobKey(key)) throw new InvalidBlobKeyError('key')
}

/** A folder with its closing slash. Empty is no prefix here: nothing may delete everything by a slip. */
export function assertBlobPrefix(prefix: string): void {
  const folder = prefix.endsWith('/') ? prefix.slice(0, -1) : ''
  if (prefix.length > MAX_KEY_LENGTH || !folder.split('/').every(isBlobKeySegment))
    throw new InvalidBlobKeyError('prefix')
}
