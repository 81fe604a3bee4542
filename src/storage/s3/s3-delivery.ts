import { GetObjectCommand } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import type { Clock } from '../../clock.ts'
import type { DirectDelivery } from '../direct-delivery.ts'
import { addressOf } from './s3-bucket.ts'
import { createS3Client, S3_LIMITS } from './s3-client.ts'
import { translated } from './s3-failures.ts'
import type { S3Place } from './s3-place.ts'

const DAY_SECONDS = 24 * 3600
/** The longest that the signature of S3 can hold. */
const MAX_LIFE_SECONDS = 7 * DAY_SECONDS

/**
 * Addresses that the store itself answers, for as long as the one that leads to them and for seven days at most. They are
 * dated to the beginning of the day, so that the same picture has the same address all day and a browser's cache answers.
 * `endpoint`: where browsers reach the store, if that is elsewhere than for us.
 */
export function createPresignedDelivery(
  place: S3Place,
  { clock, endpoint }: { readonly clock: Pick<Clock, 'now'>; readonly endpoint: string | null },
): DirectDelivery {
  const client = createS3Client({ ...place, endpoint: endpoint ?? place.endpoint }, S3_LIMITS)
  return {
    async addressOf({ key, mimeType, filename, secondsLeft }) {
      const nowSeconds = Math.floor(clock.now() / 1000)
      const signedAt = nowSeconds - (nowSeconds % DAY_SECONDS)
      const expiresIn = Math.min(nowSeconds + secondsLeft - signedAt, MAX_LIFE_SECONDS)
      const command = new GetObjectCommand({
        ...addressOf({ name: place.bucket, prefix: place.prefix }, key),
        ResponseContentType: mimeType,
        ResponseContentDisposition: `inline; filename="${filename}"`,
        ResponseCacheControl: `private, max-age=${expiresIn}, immutable`,
      })
      return translated(getSignedUrl(client, command, { expiresIn, signingDate: new Date(signedAt * 1000) }))
    },
  }
}
