import { Readable } from 'node:stream'
import { GetObjectCommand, type GetObjectCommandOutput, HeadObjectCommand } from '@aws-sdk/client-s3'
import type { BlobInfo, ByteRange, OpenBlob } from '../blob-storage.ts'
import { addressOf, type S3Bucket } from './s3-bucket.ts'
import { isNamed, orAbsent, StorageUnavailableError, translate } from './s3-failures.ts'

export async function findObject(bucket: S3Bucket, key: string): Promise<BlobInfo | undefined> {
  const head = await orAbsent(bucket.client.send(new HeadObjectCommand(addressOf(bucket, key))))
  return head && { key, sizeBytes: head.ContentLength ?? 0, modifiedAt: head.LastModified?.getTime() ?? 0 }
}

/** Nothing is buffered beyond what a socket holds: the store waits for the reader. */
export async function openObject(bucket: S3Bucket, key: string, range?: ByteRange): Promise<OpenBlob | undefined> {
  const Range = range && `bytes=${range.start}-${range.end}`
  const command = new GetObjectCommand({ ...addressOf(bucket, key), Range })
  const answer = await bucket.client.send(command).catch((error: unknown) => {
    if (isNamed(error, ['InvalidRange'])) return 'BEYOND' as const
    return orAbsent(Promise.reject(error))
  })
  if (answer === undefined) return undefined
  if (answer === 'BEYOND') return openNothing(bucket, key)
  const { Body: body, ContentLength: length = 0 } = answer
  if (!(body instanceof Readable)) throw new TypeError('The store answered without a body.')
  return { sizeBytes: sizeOf(answer), stream: wholeStream(body, length) }
}

/** A part that begins behind the end, as of an empty object, is no part at all. */
async function openNothing(bucket: S3Bucket, key: string): Promise<OpenBlob | undefined> {
  const info = await findObject(bucket, key)
  return info && { sizeBytes: info.sizeBytes, stream: Readable.from([]) }
}

/** That of the whole object stands behind the slash: `bytes 0-9/1234`. */
function sizeOf({ ContentRange, ContentLength = 0 }: GetObjectCommandOutput): number {
  return ContentRange === undefined ? ContentLength : Number(ContentRange.slice(ContentRange.indexOf('/') + 1))
}

/** The body, which fails when it is cut off. Whoever destroys it unread lets go of the connection too. */
function wholeStream(body: Readable, length: number): Readable {
  body.on('error', () => undefined)
  const stream = Readable.from(readWhole(body, length), { objectMode: false })
  stream.once('close', () => body.destroy())
  return stream
}

async function* readWhole(body: Readable, length: number): AsyncGenerator<Uint8Array> {
  let came = 0
  try {
    for await (const chunk of body) {
      came += chunk.length
      yield chunk
    }
  } catch (error) {
    throw translate(error)
  }
  if (came !== length)
    throw new StorageUnavailableError(new Error(`The store sent ${came} bytes where it promised ${length}.`))
}
