import { describe, expect, it, onTestFinished } from 'vitest'
import { GenerationDocument } from '../../schema/generated/operations.ts'
import { createSystemClock } from '../../src/clock.ts'
import { S3_LIMITS, type S3Limits } from '../../src/storage/s3/s3-client.ts'
import { createS3Storage } from '../../src/storage/s3/s3-storage.ts'
import { createFastClock } from '../support/fast-clock.ts'
import { follow, generate, make, QUICK } from '../support/generating.ts'
import { assertInvariants } from '../support/invariants.ts'
import { readPlace } from '../support/object-store.ts'
import { createRecordingLogger } from '../support/recording-logger.ts'
import { createTestAccount, PRICED_PAINTER, startApp } from '../support/start-app.ts'
import { createTinyPng } from '../support/tiny-png.ts'
import { askUpload } from '../support/uploading.ts'
import { expectWholeStory } from '../support/watch-client.ts'
import { playStore } from '../support/wire/s3.ts'
import { startWireServer } from '../support/wire/wire-server.ts'

const KEY = 'gen_a/1.png'
const BYTES = Buffer.from('the bytes of a picture')
const A_CHECK_HOLDS_MS = 10_000
const MEBIBYTE = 1024 * 1024
/** Pauses of seconds pass in a twentieth of the time. */
const QUICKLY = { clock: createFastClock(20), leaseMs: 600_000 }

async function open(limits: Partial<S3Limits> = {}) {
  const store = playStore()
  const wire = await startWireServer(store.create)
  onTestFinished(() => wire.close())
  const place = readPlace(store.environment(wire.origin))
  const storage = createS3Storage(place, { clock: createSystemClock(), limits: { ...S3_LIMITS, tries: 1, ...limits } })
  return { store, wire, storage }
}

describe('a store of pictures', () => {
  const UNAVAILABLE = { code: 'UNAVAILABLE' }

  it.each([
    ['that answers 503', 'status code=503'],
    ['that loses what it took', 'lost'],
    ['that keeps other bytes than it was sent', 'damaged'],
    ['that ends the connection', 'reset'],
  ])('F27 %s has not stored, and may be asked again', async (_, mode) => {
    const { wire, storage } = await open()
    wire.script(mode)
    await expect(storage.put(KEY, BYTES)).rejects.toMatchObject(UNAVAILABLE)
    await storage.put(KEY, BYTES)
    expect(Buffer.from((await storage.get(KEY)) ?? []).equals(BYTES)).toBe(true)
  })

  it('F27 that tells no digest has its bytes read again, whatever it says', async () => {
    const { wire, storage } = await open()
    wire.script('sealed')
    await storage.put(KEY, BYTES)
    expect(wire.requests.map(({ method }) => method)).toEqual(['PUT', 'HEAD', 'GET'])
    wire.script('damaged', 'ok')
    await expect(storage.put(KEY, BYTES)).rejects.toMatchObject(UNAVAILABLE)
  })

  it('F27 that never answers is waited for so long and no longer', async () => {
    const { wire, storage } = await open({ answerMs: 100, uploadMs: 100 })
    wire.script('hang', 'hang')
    await expect(storage.put(KEY, BYTES)).rejects.toMatchObject(UNAVAILABLE)
    await expect(storage.get(KEY)).rejects.toMatchObject(UNAVAILABLE)
  })

  it('F27 that stops in the midst of a picture fails the reader, who never takes it for whole', async () => {
    const { wire, storage } = await open({ idleMs: 100 })
    await storage.put(KEY, BYTES)
    wire.script('truncate', 'dribble every=2000 bytes=4', 'ok')
    await expect(storage.get(KEY)).rejects.toMatchObject(UNAVAILABLE)
    await expect(storage.get(KEY)).rejects.toMatchObject(UNAVAILABLE)
    expect(await storage.get(KEY)).toHaveLength(BYTES.length)
  })

  it('F27 that fails at one part of a large picture is left without the others', async () => {
    const { store, wire, storage } = await open()
    const large = Buffer.alloc(33 * MEBIBYTE, 'x')
    wire.script('ok', 'status code=503')
    await expect(storage.put(KEY, large)).rejects.toMatchObject(UNAVAILABLE)
    expect(await storage.removeLeftovers()).toBe(0)
    expect(store.objects.size).toBe(0)
    await storage.put(KEY, large)
    expect([...store.objects.values()].map((bytes) => bytes.length)).toEqual([large.length])
  })

  it('F27 that gives its list in pages has all of it listed and deleted, and no more', async () => {
    const { storage } = await open()
    for (let index = 0; index < 8; index += 1) await storage.put(`gen_a/${index}.png`, BYTES)
    await storage.put('gen_b/1.png', BYTES)
    const keys: string[] = []
    for await (const { key } of storage.list('')) keys.push(key)
    expect(keys).toHaveLength(9)
    await storage.deletePrefix('gen_a/')
    for await (const { key } of storage.list('')) expect(key).toBe('gen_b/1.png')
  })

  it('F27 that is asked for readiness by many is asked once', async () => {
    const { wire, storage } = await open()
    await Promise.all(Array.from({ length: 50 }, () => storage.check()))
    await storage.check()
    expect(wire.requests.map(({ method }) => method)).toEqual(['PUT', 'HEAD', 'DELETE'])
  })
})

it('F27 a picture that the store loses, damages or cannot take is stored again: made once, paid once', async () => {
  const store = playStore()
  await using wire = await startWireServer(store.create)
  await using server = await startApp({ models: [PRICED_PAINTER], ...QUICKLY, env: store.environment(wire.origin) })
  const before = wire.requests.length
  // Behind `damaged` it is read again; and what fails with 500 is tried three times by one put.
  wire.script('lost', 'damaged', 'ok', 'status code=500', 'status code=500', 'status code=500')
  const { id, events } = await make(server.client, QUICK)
  expectWholeStory(events)
  const ended = (await server.client.run(GenerationDocument, { id })).generation
  expect(ended).toMatchObject({ status: 'COMPLETED', attempts: [{ number: 1 }], problems: [] })
  expect(wire.requests.slice(before).filter(({ method }) => method === 'PUT')).toHaveLength(6)
  const image = await fetch(ended?.images[0]?.url ?? '')
  expect([image.status, (await image.arrayBuffer()).byteLength]).toEqual([200, ended?.images[0]?.sizeBytes])
  const { database, storage, clock } = server.app.foundations
  await assertInvariants(database, storage, { now: clock.now() })
})

it('F27 while the store is away readers are told so, what was made waits for it, and all goes on when it is back', async () => {
  const store = playStore()
  await using wire = await startWireServer(store.create)
  const logger = createRecordingLogger()
  const env = store.environment(wire.origin)
  let aheadMs = 0
  const clock = { ...QUICKLY.clock, now: () => QUICKLY.clock.now() + aheadMs }
  await using server = await startApp({ models: [PRICED_PAINTER], ...QUICKLY, clock, logger, env })
  const { secret } = await createTestAccount(server.app)
  const client = server.clientOf(secret)
  const first = await make(client, QUICK)
  const url = (await client.run(GenerationDocument, { id: first.id })).generation?.images[0]?.url ?? ''

  store.setAway(503)
  const away = await fetch(url)
  expect([away.status, away.headers.get('retry-after')]).toEqual([503, '1'])
  const { errors } = await askUpload(server.url, secret, createTinyPng(1))
  expect(errors.map(({ extensions }) => extensions.code)).toEqual(['UNAVAILABLE'])
  aheadMs = A_CHECK_HOLDS_MS
  expect((await fetch(`${server.origin}/readyz`)).status).toBe(503)
  const { generation } = await generate(client, QUICK)
  await logger.said('A picture waits for its storage')
  store.setAway(null)

  expectWholeStory(await follow(client, generation.id))
  const ended = (await client.run(GenerationDocument, { id: generation.id })).generation
  expect(ended).toMatchObject({ status: 'COMPLETED', attempts: [{ number: 1 }], problems: [] })
  expect((await fetch(url)).status).toBe(200)
  expect((await fetch(`${server.origin}/readyz`)).status).toBe(200)
  const { database, storage } = server.app.foundations
  await assertInvariants(database, storage, { now: clock.now() })
})
