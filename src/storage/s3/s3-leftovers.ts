import { AbortMultipartUploadCommand, ListMultipartUploadsCommand, type MultipartUpload } from '@aws-sdk/client-s3'
import type { S3Bucket } from './s3-bucket.ts'
import { orAbsent, translated } from './s3-failures.ts'

/** No upload takes so long, and no two clocks are so far apart. */
const LEFTOVER_AGE_MS = 3_600_000

/**
 * Ends uploads in parts that nobody will finish, and returns how many. Some stores list these only by their whole key: for
 * them, and for the time that no server runs, the bucket needs a rule of its own (docs/storage.md).
 */
export async function abortOldUploads(bucket: S3Bucket, nowMs: number): Promise<number> {
  let aborted = 0
  for await (const { Key, UploadId, Initiated } of listUploads(bucket)) {
    if (Initiated === undefined || nowMs - Initiated.getTime() <= LEFTOVER_AGE_MS) continue
    await orAbsent(bucket.client.send(new AbortMultipartUploadCommand({ Bucket: bucket.name, Key, UploadId })))
    aborted += 1
  }
  return aborted
}

async function* listUploads(bucket: S3Bucket): AsyncGenerator<MultipartUpload> {
  let markers: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } | undefined = {}
  while (markers !== undefined) {
    const command: ListMultipartUploadsCommand = new ListMultipartUploadsCommand({
      Bucket: bucket.name,
      Prefix: bucket.prefix,
      ...markers,
    })
    const page = await translated(bucket.client.send(command))
    yield* page.Uploads ?? []
    markers = page.IsTruncated ? { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker } : undefined
  }
}
