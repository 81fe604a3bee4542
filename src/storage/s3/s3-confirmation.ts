import { createHash } from 'node:crypto'
import { HeadObjectCommand } from '@aws-sdk/client-s3'
import { addressOf, type S3Bucket } from './s3-bucket.ts'
import type { SentDigests } from './s3-digests.ts'
import { orAbsent, StorageUnavailableError } from './s3-failures.ts'
import { openObject } from './s3-reading.ts'

/**
 * Has the store what it said that it took? Asked anew, after the upload: there it is, it is as long, and its digest is the
 * one that was sent. A store that tells no digest we know (encrypted ETags, for instance) has the bytes read again.
 * Rejects with StorageUnavailableError where it has not.
 */
export async function confirmStored(
  bucket: S3Bucket,
  key: string,
  bytes: Uint8Array,
  sent: SentDigests,
): Promise<void> {
  const command = new HeadObjectCommand({ ...addressOf(bucket, key), ChecksumMode: 'ENABLED' })
  const head = await orAbsent(bucket.client.send(command))
  if (head === undefined) throw notKept(key, 'it is not there')
  if (head.ContentLength !== sent.sizeBytes)
    throw notKept(key, `it has ${head.ContentLength} bytes where ${sent.sizeBytes} were sent`)
  const isTold = head.ChecksumSHA256 === sent.sha256 || head.ETag?.replaceAll('"', '') === sent.etag
  if (!isTold && !(await isSameAgain(bucket, key, bytes))) throw notKept(key, 'its bytes are others')
}

async function isSameAgain(bucket: S3Bucket, key: string, bytes: Uint8Array): Promise<boolean> {
  const object = await openObject(bucket, key)
  if (object === undefined) return false
  const [stored, sent] = [createHash('sha256'), createHash('sha256').update(bytes)]
  for await (const chunk of object.stream) stored.update(chunk)
  return stored.digest().equals(sent.digest())
}

function notKept(key: string, what: string): StorageUnavailableError {
  return new StorageUnavailableError(new Error(`The store took ${key} and has not kept it: ${what}.`))
}
