import { randomUUID } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { DeleteObjectCommand } from '@aws-sdk/client-s3'
import type { Clock } from '../../clock.ts'
import { assertBlobKey, assertBlobPrefix, type BlobStorage } from '../blob-storage.ts'
import { addressOf, type S3Bucket } from './s3-bucket.ts'
import { createS3Client, S3_LIMITS, type S3Limits } from './s3-client.ts'
import { confirmStored } from './s3-confirmation.ts'
import { orAbsent, translated } from './s3-failures.ts'
import { abortOldUploads } from './s3-leftovers.ts'
import { deleteBelow, listPages } from './s3-listing.ts'
import type { S3Place } from './s3-place.ts'
import { findObject, openObject } from './s3-reading.ts'
import { upload } from './s3-upload.ts'

/** A check writes and deletes, which costs money: whoever asks within this time shares one. */
const CHECK_HOLDS_MS = 10_000

/**
 * Blobs as objects of a bucket, each under its key behind the place's prefix. A put resolves when the store, asked anew,
 * has the bytes. Rejects with StorageUnavailableError where the store is away, overloaded or forgetful, and with
 * StorageRefusedError where it will not do as it is told.
 */
export function createS3Storage(
  place: S3Place,
  deps: { readonly clock: Pick<Clock, 'now'>; readonly limits?: S3Limits },
): BlobStorage {
  const limits = deps.limits ?? S3_LIMITS
  const bucket: S3Bucket = { client: createS3Client(place, limits), name: place.bucket, prefix: place.prefix, limits }
  const put = async (key: string, bytes: Uint8Array) => {
    assertBlobKey(key)
    const sent = await translated(upload(bucket, key, bytes))
    await confirmStored(bucket, key, bytes, sent)
  }
  const open: BlobStorage['open'] = async (key, range) => {
    assertBlobKey(key)
    return openObject(bucket, key, range)
  }
  const find: BlobStorage['find'] = async (key) => {
    assertBlobKey(key)
    return findObject(bucket, key)
  }
  const remove = async (key: string) => {
    assertBlobKey(key)
    await orAbsent(bucket.client.send(new DeleteObjectCommand(addressOf(bucket, key))))
  }
  const probe = async () => {
    const key = `check-${randomUUID()}`
    await put(key, Buffer.from('writable'))
    await remove(key)
  }
  return {
    put,
    get: async (key) => {
      const blob = await open(key)
      return blob && buffer(blob.stream)
    },
    open,
    find,
    has: async (key) => (await find(key)) !== undefined,
    delete: remove,
    deletePrefix: async (prefix) => {
      assertBlobPrefix(prefix)
      await deleteBelow(bucket, prefix)
    },
    list: async function* (prefix) {
      if (prefix !== '') assertBlobPrefix(prefix)
      for await (const page of listPages(bucket, prefix)) yield* page
    },
    removeLeftovers: () => abortOldUploads(bucket, deps.clock.now()),
    check: shareFor(CHECK_HOLDS_MS, deps.clock, probe),
  }
}

/** One at a time, and one that succeeded answers for a while. */
function shareFor(holdsMs: number, clock: Pick<Clock, 'now'>, work: () => Promise<void>): () => Promise<void> {
  let current: Promise<void> | undefined
  let goodUntil = 0
  return () => {
    if (current === undefined || (goodUntil > 0 && clock.now() >= goodUntil)) {
      goodUntil = 0
      current = work().then(
        () => {
          goodUntil = clock.now() + holdsMs
        },
        (error: unknown) => {
          current = undefined
          throw error
        },
      )
    }
    return current
  }
}
