import { join } from 'node:path'
import type { Clock } from '../clock.ts'
import type { Config } from '../config.ts'
import { RequestError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { BlobStorage } from '../storage/blob-storage.ts'
import { createPublicDelivery, type DirectDelivery } from '../storage/direct-delivery.ts'
import { createLocalStorage } from '../storage/local-storage.ts'

// The SDK of S3 takes a tenth of a second and 22 MB to load: whoever keeps files does not wait for it.

export async function openStorage({ storage }: Pick<Config, 'storage'>, clock: Clock): Promise<BlobStorage> {
  if (storage.kind === 'file') return createLocalStorage(storage)
  const { createS3Storage } = await import('../storage/s3/s3-storage.ts')
  return createS3Storage(storage, { clock })
}

/**
 * Before anything is accepted and paid for: a bucket that refuses us would refuse its pictures. Rejects with what it has
 * against us; one that is away may be back by the time there is a picture.
 */
export async function assertUsable({ storage: { kind } }: Config, storage: BlobStorage, logger: Logger): Promise<void> {
  if (kind === 'file') return
  await storage.check().catch((error: unknown) => {
    if (!(error instanceof RequestError)) throw error
    logger.warn({ err: error }, 'The storage of pictures does not answer')
  })
}

/** As people write it, without anything secret. */
export function describeStorage({ storage }: Pick<Config, 'storage'>): string {
  if (storage.kind === 'file') return storage.directory
  const at = storage.endpoint === null ? '' : ` at ${storage.endpoint}`
  return `s3://${storage.bucket}/${storage.prefix}${at}`
}

/** undefined: variants lie beside their images. Those of images in a bucket are made and kept on this machine. */
export function openVariantStorage({ storage, dataDir }: Config): BlobStorage | undefined {
  return storage.kind === 's3' ? createLocalStorage({ directory: join(dataDir, 'cache') }) : undefined
}

/** null: Pictor itself hands pictures out. */
export async function openDelivery({ storage }: Config, clock: Clock): Promise<DirectDelivery | null> {
  if (storage.kind === 'file' || storage.delivery.kind === 'pictor') return null
  if (storage.delivery.kind === 'public') return createPublicDelivery(storage.delivery.baseUrl)
  const { createPresignedDelivery } = await import('../storage/s3/s3-delivery.ts')
  return createPresignedDelivery(storage, { clock, endpoint: storage.delivery.endpoint })
}
