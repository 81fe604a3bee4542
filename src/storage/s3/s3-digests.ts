import { createHash } from 'node:crypto'

/** What the store should say of bytes that it has: an ETag in hexadecimal, a checksum in base64. */
export type SentDigests = { readonly sizeBytes: number; readonly etag: string; readonly sha256: string }

/** Of an object, or of a part, that went up in one piece. */
export function digestsOf(bytes: Uint8Array): SentDigests {
  return {
    sizeBytes: bytes.byteLength,
    etag: createHash('md5').update(bytes).digest('hex'),
    sha256: createHash('sha256').update(bytes).digest('base64'),
  }
}

/** Of an object that went up in parts: a digest of their digests, and how many they were. */
export function digestsOfParts(parts: readonly SentDigests[]): SentDigests {
  const [etags, checksums] = [createHash('md5'), createHash('sha256')]
  for (const { etag, sha256 } of parts) {
    etags.update(etag, 'hex')
    checksums.update(sha256, 'base64')
  }
  return {
    sizeBytes: parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    etag: `${etags.digest('hex')}-${parts.length}`,
    sha256: `${checksums.digest('base64')}-${parts.length}`,
  }
}
