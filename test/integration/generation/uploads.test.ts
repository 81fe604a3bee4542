import { beforeEach, expect, it } from 'vitest'
import { InvalidInputError } from '../../../src/errors.ts'
import { MAX_END_USER_BYTES, UPLOAD_LIFE_MS } from '../../../src/references/uploads.ts'
import { MAX_FOREIGN_BYTES } from '../../../src/storage/input-image.ts'
import type { Database } from '../../../src/store/database.ts'
import type { Viewer } from '../../../src/viewer.ts'
import { describeOnEachDatabase } from '../../support/databases.ts'
import { makeTaggedPhoto } from '../../support/foreign-pictures.ts'
import { buildHouse, type House, viewerOf } from '../../support/house.ts'
import { fileOf } from '../../support/picture-shelf.ts'
import { paintImage } from '../../unit/storage/image-fixtures.ts'

describeOnEachDatabase('an upload', (open) => {
  let database: Database
  let house: House
  let viewer: Viewer

  beforeEach(async () => {
    database = await open()
    house = buildHouse({ database })
    viewer = await house.account()
  })

  const upload = async (who = viewer, bytes?: Uint8Array) =>
    house.domain.uploads.create(who, fileOf(bytes ?? (await paintImage({ width: 40, height: 30, format: 'png' }))))

  async function problemOf(work: Promise<unknown>) {
    const error = await work.catch((reason: unknown) => reason)
    if (!(error instanceof InvalidInputError)) throw error
    return error.fields[0]
  }

  async function listKeys(): Promise<string[]> {
    const keys: string[] = []
    for await (const { key } of house.storage.list('')) keys.push(key)
    return keys
  }

  it('is kept for a day, upright and without what was hidden in it', async () => {
    const made = await upload(viewer, await makeTaggedPhoto('jpeg'))
    expect(made).toMatchObject({
      id: expect.stringMatching(/^upl_/),
      width: 20,
      height: 40,
      mimeType: 'image/jpeg',
      expiresAt: house.clock.now() + UPLOAD_LIFE_MS,
    })
    const [key = ''] = await listKeys()
    expect(key).toMatch(/^uploads\/upl_\w+\/[0-9a-f]{64}\.jpg$/)
    expect(Buffer.from((await house.storage.get(key)) ?? []).toString('latin1')).not.toMatch(/Exif|GPS|Canon/)
    expect(await house.domain.uploads.find(viewer, made.id)).toEqual(made)
    await house.assertInvariants()
  })

  it('is seen by its owner alone', async () => {
    const ann = viewerOf(viewer.accountId, { endUser: 'ann' })
    const { id } = await upload(ann)
    const strangers = [await house.account(), viewerOf(viewer.accountId, { endUser: 'ben' })]
    for (const who of strangers) expect(await house.domain.uploads.find(who, id)).toBeUndefined()
    for (const who of [viewer, ann]) expect(await house.domain.uploads.find(who, id)).toMatchObject({ id })
  })

  it('goes when its time is over, row and bytes', async () => {
    const [old, young] = [await upload(), await upload()]
    const expiresAt = house.clock.now() + 30_000
    await database.transact((trx) => trx.updateTable('uploads').set({ expiresAt }).where('id', '=', old.id).execute())
    await house.start()
    await house.pass(31_000)
    expect(await house.domain.uploads.find(viewer, old.id)).toBeUndefined()
    await house.pass(60_000)
    const rows = await database.read.selectFrom('uploads').select('id').execute()
    expect(rows).toEqual([{ id: young.id }])
    expect(await listKeys()).toEqual([young.blobKey])
    expect(await database.read.selectFrom('doomedBlobs').selectAll().execute()).toEqual([])
    await house.assertInvariants()
  })

  it('of a server that died before its row was written is swept', async () => {
    const put = house.storage.put
    let written = ''
    const storage = {
      ...house.storage,
      put: async (key: string, bytes: Uint8Array) => {
        await put(key, bytes)
        written = key
        dying.kill()
      },
    }
    const dying = buildHouse({ ...house, storage })
    void dying.domain.uploads.create(viewer, fileOf(await paintImage({ width: 8, height: 8, format: 'png' })))
    await expect.poll(() => written).not.toBe('')
    await house.assertInvariants()
    await house.clock.advance(10 * 60_000)
    await house.start()
    await house.pass(500)
    expect(await listKeys()).toEqual([])
  })

  it('that cannot be stored leaves nothing', async () => {
    const storage = { ...house.storage, put: async () => Promise.reject(new Error('The disk is full.')) }
    const full = buildHouse({ ...house, storage })
    const file = fileOf(await paintImage({ width: 8, height: 8, format: 'png' }))
    await expect(full.domain.uploads.create(viewer, file)).rejects.toThrow('The disk is full.')
    await house.start()
    await house.pass(500)
    for (const table of ['uploads', 'doomedBlobs'] as const) {
      expect(await database.read.selectFrom(table).selectAll().execute()).toEqual([])
    }
  })

  it('is refused at `file` where it is no picture, empty, or too large', async () => {
    const files = [Buffer.from('<svg/>'), Buffer.alloc(0), Buffer.alloc(MAX_FOREIGN_BYTES + 1)]
    const problems = await Promise.all(files.map((bytes) => problemOf(upload(viewer, bytes))))
    expect(problems).toEqual([
      { path: 'file', message: 'It is neither PNG nor JPEG nor WebP. Send one of these.', allowed: [] },
      { path: 'file', message: 'It is neither PNG nor JPEG nor WebP. Send one of these.', allowed: [] },
      { path: 'file', message: 'It has more than 20 MiB. Send a smaller one.', allowed: [] },
    ])
  })

  it('counts as a request', async () => {
    const busy = await house.account({ limits: { requestsPerMinute: 1 } })
    await upload(busy)
    await expect(upload(busy)).rejects.toMatchObject({ code: 'RATE_LIMITED' })
  })

  it('is refused where an end user keeps too many, and others are not kept by it', async () => {
    const ann = viewerOf(viewer.accountId, { endUser: 'ann' })
    const { id } = await upload(ann)
    const sizeBytes = MAX_END_USER_BYTES
    await database.transact((trx) => trx.updateTable('uploads').set({ sizeBytes }).where('id', '=', id).execute())
    expect(await problemOf(upload(ann))).toMatchObject({
      path: 'file',
      message: 'This user keeps 256 MiB of uploads already. They go by themselves, 24 hours after they came.',
    })
    await upload(viewerOf(viewer.accountId, { endUser: 'ben' }))
    await upload(viewer)
  })
})
