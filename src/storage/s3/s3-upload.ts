import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { IMAGE_TYPES } from '../image-formats.ts'
import { addressOf, type S3Bucket } from './s3-bucket.ts'
import { digestsOf, digestsOfParts, type SentDigests } from './s3-digests.ts'

/** Larger ones go up in parts: one that fails is sent again alone. Amazon takes none below 5 MiB. */
const PART_BYTES = 16 * 1024 * 1024
const PARTS_AT_ONCE = 3

/**
 * For whatever stands between the store and a browser. Pictor's own answers and presigned addresses say something else;
 * and a CDN forgets a picture so soon after its deletion.
 */
const CACHE_CONTROL = 'public, max-age=300'

/** Every byte goes up under its own digest, which the store compares. What it then has, `confirmStored` asks. */
export async function upload(bucket: S3Bucket, key: string, bytes: Uint8Array): Promise<SentDigests> {
  return bytes.byteLength > PART_BYTES ? uploadParts(bucket, key, bytes) : uploadWhole(bucket, key, bytes)
}

async function uploadWhole(bucket: S3Bucket, key: string, bytes: Uint8Array): Promise<SentDigests> {
  const digests = digestsOf(bytes)
  const command = new PutObjectCommand({
    ...addressOf(bucket, key),
    ...headersOf(key),
    Body: bytes,
    ContentLength: bytes.byteLength,
    ChecksumSHA256: digests.sha256,
  })
  await bucket.client.send(command, { requestTimeout: bucket.limits.uploadMs })
  return digests
}

async function uploadParts(bucket: S3Bucket, key: string, bytes: Uint8Array): Promise<SentDigests> {
  const address = addressOf(bucket, key)
  const command = new CreateMultipartUploadCommand({ ...address, ...headersOf(key), ChecksumAlgorithm: 'SHA256' })
  const { UploadId } = await bucket.client.send(command)
  const upload = { ...address, UploadId }
  try {
    const sent = await sendParts(bucket, upload, bytes)
    const Parts = sent.map(({ ETag, ChecksumSHA256 }, index) => ({ PartNumber: index + 1, ETag, ChecksumSHA256 }))
    await bucket.client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }), {
      requestTimeout: bucket.limits.uploadMs,
    })
    return digestsOfParts(sent.map(({ digests }) => digests))
  } catch (error) {
    // What cannot be taken away now is a leftover: `removeLeftovers`, or a rule of the bucket, does it later.
    await bucket.client.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined)
    throw error
  }
}

type PartAddress = ReturnType<typeof addressOf> & { readonly UploadId: string | undefined }
type SentPart = {
  readonly digests: SentDigests
  readonly ETag: string | undefined
  readonly ChecksumSHA256: string | undefined
}

/** Views of the same memory, a few at a time and in order. None is still on its way when it rejects. */
async function sendParts(bucket: S3Bucket, upload: PartAddress, bytes: Uint8Array): Promise<readonly SentPart[]> {
  const sent: SentPart[] = []
  const count = Math.ceil(bytes.byteLength / PART_BYTES)
  for (let first = 0; first < count; first += PARTS_AT_ONCE) {
    const numbers = Array.from({ length: Math.min(PARTS_AT_ONCE, count - first) }, (_, at) => first + at)
    const outcomes = await Promise.allSettled(numbers.map(sendPart))
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') throw outcome.reason
      sent.push(outcome.value)
    }
  }
  return sent

  async function sendPart(index: number): Promise<SentPart> {
    const part = bytes.subarray(index * PART_BYTES, (index + 1) * PART_BYTES)
    const digests = digestsOf(part)
    const command = new UploadPartCommand({
      ...upload,
      PartNumber: index + 1,
      Body: part,
      ContentLength: part.byteLength,
      ChecksumSHA256: digests.sha256,
    })
    const { ETag, ChecksumSHA256 } = await bucket.client.send(command, { requestTimeout: bucket.limits.uploadMs })
    return { digests, ETag, ChecksumSHA256 }
  }
}

function headersOf(key: string) {
  const type = IMAGE_TYPES.find(({ extension }) => key.endsWith(`.${extension}`))
  return { CacheControl: CACHE_CONTROL, ContentType: type?.mimeType ?? 'application/octet-stream' }
}
