import { buffer } from 'node:stream/consumers'
import { CreateMultipartUploadCommand, ListMultipartUploadsCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { createSystemClock } from '../../src/clock.ts'
import { Secret } from '../../src/secret.ts'
import { createS3Client, S3_LIMITS } from '../../src/storage/s3/s3-client.ts'
import { createPresignedDelivery } from '../../src/storage/s3/s3-delivery.ts'
import { createS3Storage } from '../../src/storage/s3/s3-storage.ts'
import { type ObjectStore, openObjectStore, readPlace } from '../support/object-store.ts'
import { describeBlobStorage } from './blob-storage-contract.ts'

const HOUR_MS = 3_600_000
const LARGE_BYTES = 33 * 1024 * 1024
const KEY = 'gen_a/11.png'

describe.skipIf(inject('obstacles').objectStore)('a store that speaks S3', () => {
  const clock = createSystemClock()
  let store: ObjectStore
  beforeAll(async () => {
    store = await openObjectStore()
  })
  afterAll(() => store.close())

  describeBlobStorage('S3 storage', async () => ({
    storage: createS3Storage(readPlace(store.newPlace()), { clock, limits: { ...S3_LIMITS, sockets: 8 } }),
    close: async () => undefined,
  }))

  it('takes what is large in parts, and gives it back whole and in part', async () => {
    const storage = createS3Storage(readPlace(store.newPlace()), { clock })
    const large = Buffer.alloc(LARGE_BYTES)
    for (let at = 0; at < large.length; at += 4093) large[at] = at % 251
    await storage.put(KEY, large)
    expect(large.equals((await storage.get(KEY)) ?? Buffer.alloc(0))).toBe(true)
    const seam = 16 * 1024 * 1024
    const part = await storage.open(KEY, { start: seam - 2000, end: seam + 1999 })
    expect(part?.sizeBytes).toBe(LARGE_BYTES)
    expect(part && large.subarray(seam - 2000, seam + 2000).equals(await buffer(part.stream))).toBe(true)
  })

  it('keeps to its own folder of the bucket', async () => {
    const [mine, theirs] = [store.newPlace(), store.newPlace()].map((place) =>
      createS3Storage(readPlace(place), { clock }),
    )
    await theirs?.put(KEY, Buffer.from('theirs'))
    await mine?.deletePrefix('gen_a/')
    expect(await mine?.has(KEY)).toBe(false)
    expect(await theirs?.has(KEY)).toBe(true)
  })

  it('ends uploads that nobody will finish, and spares those that are under way', async () => {
    const place = readPlace(store.newPlace())
    const client = createS3Client(place, S3_LIMITS)
    const address = { Bucket: place.bucket, Prefix: place.prefix }
    await client.send(new CreateMultipartUploadCommand({ Bucket: place.bucket, Key: `${place.prefix}${KEY}` }))
    expect(await createS3Storage(place, { clock }).removeLeftovers()).toBe(0)
    expect((await client.send(new ListMultipartUploadsCommand(address))).Uploads).toHaveLength(1)
    const later = { now: () => clock.now() + 2 * HOUR_MS }
    expect(await createS3Storage(place, { clock: later }).removeLeftovers()).toBe(1)
    expect((await client.send(new ListMultipartUploadsCommand(address))).Uploads ?? []).toHaveLength(0)
  })

  it('tells operators what the store has against it, and readers nothing', async () => {
    const place = readPlace(store.newPlace())
    const strange = { ...place, bucket: 'not-there' }
    await expect(createS3Storage(strange, { clock }).check()).rejects.toThrow(/NoSuchBucket/)
    const wrongKey = { accessKeyId: 'test:pictor', secretAccessKey: new Secret('wrong-key'), sessionToken: null }
    const check = createS3Storage({ ...place, credentials: wrongKey }, { clock }).check()
    await expect(check).rejects.toThrow(/SignatureDoesNotMatch/)
    await expect(check).rejects.not.toThrow(/wrong-key/)
  })

  it('hands out addresses that the store answers, for one picture and for their time alone', async () => {
    const place = readPlace(store.newPlace())
    await createS3Storage(place, { clock }).put(KEY, Buffer.from('a picture'))
    const picture = { key: KEY, mimeType: 'image/png', filename: 'img_1.png', secondsLeft: 60 }
    const url = await createPresignedDelivery(place, { clock, endpoint: null }).addressOf(picture)
    const answer = await fetch(url)
    expect(await answer.text()).toBe('a picture')
    expect(answer.headers.get('content-type')).toBe('image/png')
    expect(answer.headers.get('cache-control')).toMatch(/^private, max-age=\d+, immutable$/)
    expect((await fetch(url.replace('11.png', '12.png'))).status).toBe(403)
    const yesterday = { now: () => clock.now() - 24 * HOUR_MS }
    const expired = await createPresignedDelivery(place, { clock: yesterday, endpoint: null }).addressOf(picture)
    expect((await fetch(expired)).status).toBe(403)
  })
})
