import type { Secret } from '../../secret.ts'

/** A bucket, or a folder of one, and how to get there. */
export type S3Place = {
  readonly bucket: string
  /** Ends in `/`; empty: the whole bucket. */
  readonly prefix: string
  readonly region: string
  /** null: Amazon's own. */
  readonly endpoint: string | null
  /** `endpoint/bucket/key` in the place of `bucket.endpoint/key`. */
  readonly pathStyle: boolean
  /** null: from wherever the SDK finds them, such as the role of the machine. */
  readonly credentials: S3Credentials | null
}

export type S3Credentials = {
  readonly accessKeyId: string
  readonly secretAccessKey: Secret
  readonly sessionToken: Secret | null
}
