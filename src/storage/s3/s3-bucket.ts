import type { S3Client } from '@aws-sdk/client-s3'
import type { S3Limits } from './s3-client.ts'

/** A client and the place in its bucket under which all our keys lie. */
export type S3Bucket = {
  readonly client: S3Client
  readonly name: string
  readonly prefix: string
  readonly limits: S3Limits
}

/** What every command about one object begins with. */
export function addressOf(bucket: Pick<S3Bucket, 'name' | 'prefix'>, key: string) {
  return { Bucket: bucket.name, Key: `${bucket.prefix}${key}` }
}
