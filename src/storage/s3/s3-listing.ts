import { DeleteObjectsCommand, ListObjectsV2Command, type ListObjectsV2CommandOutput } from '@aws-sdk/client-s3'
import { type BlobInfo, isBlobKey } from '../blob-storage.ts'
import type { S3Bucket } from './s3-bucket.ts'
import { StorageRefusedError, translated } from './s3-failures.ts'

/** Page by page, as the store gives them: a thousand at most. What no key of ours can name is left out. */
export async function* listPages(bucket: S3Bucket, prefix: string): AsyncGenerator<readonly BlobInfo[]> {
  let token: string | undefined
  do {
    const command = new ListObjectsV2Command({
      Bucket: bucket.name,
      Prefix: `${bucket.prefix}${prefix}`,
      ContinuationToken: token,
    })
    const page: ListObjectsV2CommandOutput = await translated(bucket.client.send(command))
    yield (page.Contents ?? []).flatMap(({ Key = '', Size: sizeBytes = 0, LastModified }) => {
      const key = Key.slice(bucket.prefix.length)
      return isBlobKey(key) ? [{ key, sizeBytes, modifiedAt: LastModified?.getTime() ?? 0 }] : []
    })
    token = page.IsTruncated === true ? page.NextContinuationToken : undefined
  } while (token !== undefined)
}

/** A page at a time: one call of the store for a thousand. Rejects where the store keeps any of them. */
export async function deleteBelow(bucket: S3Bucket, prefix: string): Promise<void> {
  for await (const page of listPages(bucket, prefix)) {
    if (page.length === 0) continue
    const Objects = page.map(({ key }) => ({ Key: `${bucket.prefix}${key}` }))
    const command = new DeleteObjectsCommand({ Bucket: bucket.name, Delete: { Objects, Quiet: true } })
    const { Errors = [] } = await translated(bucket.client.send(command))
    const [first] = Errors.filter(({ Code }) => Code !== 'NoSuchKey')
    if (first)
      throw new StorageRefusedError(`The store keeps ${first.Key}, which was deleted: ${first.Code}: ${first.Message}`)
  }
}
