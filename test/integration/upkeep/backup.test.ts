import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { restoreInstallation } from '../../../src/composition/backup.ts'
import { createRecovery } from '../../../src/composition/recovery.ts'
import { readConfig } from '../../../src/config.ts'
import type { BlobStorage } from '../../../src/storage/blob-storage.ts'
import { createLocalStorage } from '../../../src/storage/local-storage.ts'
import { type Database, openDatabase } from '../../../src/store/database.ts'
import { copySqliteFile } from '../../../src/store/sqlite-copy.ts'
import { backUp } from '../../../src/upkeep/backup.ts'
import type { Manifest } from '../../../src/upkeep/backup-folder.ts'
import type { Viewer } from '../../../src/viewer.ts'
import { assertInvariantsOf } from '../../support/data-directory.ts'
import { buildHouse, type House, PRICE_MICROS } from '../../support/house.ts'
import { createScratchFolder } from '../../support/scratch-folder.ts'
import { holds } from '../../support/scripted-provider.ts'

const SECRET = 'a secret of the server, 32 bytes or more'

let scratch: Awaited<ReturnType<typeof createScratchFolder>>
let source: string
let backups: string
let restored: string
let database: Database
let storage: BlobStorage
let house: House
let viewer: Viewer
/** Which have ended when a test begins; the first has an input. */
let made: string[]

beforeEach(async () => {
  scratch = await createScratchFolder()
  source = join(scratch.folder, 'source')
  backups = join(scratch.folder, 'backups')
  restored = join(scratch.folder, 'restored')
  await mkdir(source, { mode: 0o700 })
  await writeFile(join(source, 'secret'), SECRET, { mode: 0o600 })
  database = await openDatabase({ url: `sqlite:${join(source, 'pictor.db')}` })
  storage = createLocalStorage({ directory: join(source, 'images') })
  house = buildHouse({ database, storage })
  viewer = await house.account({ billing: 'PREPAID', creditMicros: 100 * PRICE_MICROS })
  await house.start()
  made = []
  for (const count of [1, 2, 1]) {
    const id = await house.order(viewer, { count })
    await house.endOf(viewer, id)
    made.push(id)
  }
})

afterEach(async () => {
  house.kill()
  await database.close()
  await scratch.remove()
})

function run(options: { storage?: BlobStorage; now?: number; secretFile?: null } = {}) {
  return backUp({
    folder: backups,
    database,
    storage,
    copyDatabase: (path) => copySqliteFile(join(source, 'pictor.db'), path),
    openCopy: (path) => openDatabase({ url: `sqlite:${path}` }),
    forget: (copy, blob) => createRecovery(readConfig({}), copy, house).forget(blob),
    secretFile: join(source, 'secret'),
    pictorVersion: '1.2.3',
    now: 1,
    ...options,
  })
}

const configOf = (dataDir: string) => readConfig({ PICTOR_DATA_DIR: dataDir })

function restore(options: { resume?: boolean } = {}) {
  const tools = { clock: house.clock, ids: house.ids, onStep: () => undefined, resume: false }
  return restoreInstallation(configOf(restored), backups, { ...tools, ...options })
}

async function rowsOf(dataDir: string): Promise<Record<string, readonly object[]>> {
  const opened = await openDatabase({ url: `sqlite:${join(dataDir, 'pictor.db')}` })
  const tables = [
    'accounts',
    'generations',
    'images',
    'events',
    'ledgerEntries',
    'attempts',
    'jobs',
    'uploads',
  ] as const
  const rows: Record<string, readonly object[]> = {}
  for (const table of tables) rows[table] = await opened.read.selectFrom(table).selectAll().execute()
  await opened.close()
  return rows
}

async function listPictures(folder: string): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of createLocalStorage({ directory: join(folder, 'images') }).list('')) keys.push(key)
  return keys.sort()
}

const modeOf = async (...path: string[]) => ((await stat(join(...path))).mode & 0o777).toString(8)

async function keyOf(id: string): Promise<string> {
  const [image] = await house.domain.reader.imagesOf([id])
  if (image === undefined) throw new Error('There is no image.')
  return image.blobKey
}

describe('a backup', () => {
  it('holds every row, every picture and the secret, for its owner alone, and comes back as it was', async () => {
    const result = await run()
    expect(result).toMatchObject({ generations: 3, pictures: 4, copied: 4, kept: 0, lost: [], pictorVersion: '1.2.3' })
    expect([
      await modeOf(backups),
      await modeOf(backups, 'secret'),
      await modeOf(backups, result.database.file),
    ]).toEqual(['700', '600', '600'])
    expect(await restore()).toMatchObject({ ended: 0 })
    expect(await rowsOf(restored)).toEqual(await rowsOf(source))
    expect(await listPictures(restored)).toEqual(await listPictures(source))
    expect(await readFile(join(restored, 'secret'), 'utf8')).toBe(SECRET)
    for (const [name, mode] of Object.entries({ '.': '700', secret: '600', 'pictor.db': '600', images: '700' })) {
      expect([name, await modeOf(restored, name)]).toEqual([name, mode])
    }
    expect((await readdir(restored)).sort()).toEqual(['images', 'pictor.db', 'secret'])
    await assertInvariantsOf(restored, { live: true })
  })

  it('copies only what is new into a folder that has an earlier one, and keeps nothing that was deleted since', async () => {
    const first = await run()
    await house.domain.generations.delete(viewer, made[0] ?? '')
    await house.pass(1_000)
    const id = await house.order(viewer)
    await house.endOf(viewer, id)
    const second = await run({ now: 2 })
    expect(second).toMatchObject({ generations: 3, pictures: 4, copied: 1, kept: 3 })
    const names = ['backup.lock', 'images', 'manifest.json', second.database.file, 'secret']
    expect((await readdir(backups)).sort()).toEqual(names)
    expect(second.database.file).not.toBe(first.database.file)
    expect(await listPictures(backups)).toEqual(await listPictures(source))
    await restore()
    expect(await rowsOf(restored)).toEqual(await rowsOf(source))
  })

  it('deletes in the copy what is deleted while it copies, be it ended or not', async () => {
    const held = holds(async (turn) => {
      await turn.send()
      await turn.image(0)
    })
    house.provider.plan(held.plan)
    const running = await house.order(viewer, { count: 2 })
    await house.until(viewer, running, 'IMAGE_READY')
    const [first = '', second = ''] = made
    let isDone = false
    const result = await run({
      storage: {
        ...storage,
        async get(key) {
          const bytes = await storage.get(key)
          if (!isDone) {
            isDone = true
            held.release()
            await house.story(viewer, running)
            for (const id of [first, second, running]) await house.domain.generations.delete(viewer, id)
            await house.pass(1_000)
          }
          return bytes
        },
      },
    })
    expect(result).toMatchObject({ lost: [], pictures: 2 })
    await restore()
    await assertInvariantsOf(restored, { live: true })
    const { images = [], generations = [] } = await rowsOf(restored)
    expect(images).toHaveLength(2)
    const gone = generations.filter((row) => 'prompt' in row && row.prompt === '')
    expect(gone).toMatchObject([{ id: second }, { id: running }])
    expect((await listPictures(restored)).map((key) => key.split('/')[0]).sort()).toEqual([first, made[2]].sort())
  })

  it('names what was lost before it, and comes back without it', async () => {
    const key = await keyOf(made[0] ?? '')
    await storage.delete(key)
    const changed = await keyOf(made[2] ?? '')
    await storage.put(changed, Buffer.from('something else'))
    expect((await run()).lost.sort()).toEqual([key, changed].sort())
    expect((await restore()).manifest.pictures).toBe(4)
    expect(await listPictures(restored)).toHaveLength(2)
  })

  it('can be restored also where a row names bytes in a wrong place', async () => {
    const [id = ''] = made
    await database.transact((trx) =>
      trx.updateTable('images').set({ blobKey: '../elsewhere.png' }).where('generationId', '=', id).execute(),
    )
    expect((await run()).lost).toEqual(['../elsewhere.png'])
    expect((await restore()).manifest).toMatchObject({ pictures: 4 })
    expect(await listPictures(restored)).toHaveLength(3)
  })

  it('does not keep a secret that is no longer in a file', async () => {
    await run()
    expect(await run({ now: 2, secretFile: null })).toMatchObject({ secretSha256: null })
    expect(await readdir(backups)).not.toContain('secret')
  })

  it('keeps what an earlier one has of it and the server has lost since', async () => {
    await run()
    const key = await keyOf(made[0] ?? '')
    await storage.delete(key)
    expect(await run({ now: 2 })).toMatchObject({ lost: [], kept: 4 })
    expect(await listPictures(backups)).toContain(key)
  })

  it('leaves the earlier one whole when it comes to no end', async () => {
    const first = await run()
    const order = await house.order(viewer)
    await house.endOf(viewer, order)
    await house.domain.generations.delete(viewer, made[0] ?? '')
    const broken: BlobStorage = { ...storage, get: () => Promise.reject(new Error('EIO')) }
    await expect(run({ storage: broken, now: 2 })).rejects.toThrow('EIO')
    expect((await restore()).manifest.createdAt).toBe(first.createdAt)
    await assertInvariantsOf(restored, { live: true })
  })

  it('is written into a folder by one at a time', async () => {
    const first = run()
    await expect(run({ now: 2 })).rejects.toThrow(`Another backup is being written into ${backups}.`)
    const { createdAt } = await first
    expect((await restore()).manifest.createdAt).toBe(createdAt)
  })

  it('is not written into a folder that holds something else', async () => {
    await mkdir(backups)
    await writeFile(join(backups, 'holiday.txt'), 'mine')
    await expect(run()).rejects.toThrow('holds something else than a backup (holiday.txt)')
    expect(await readdir(backups)).toEqual(['holiday.txt'])
  })
})

describe('a restore', () => {
  type Damage = (manifest: Manifest) => Promise<void>
  const inBackup = (...path: string[]) => join(backups, ...path)
  const flip = async (path: string) => {
    const bytes = await readFile(path)
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
    await writeFile(path, bytes)
  }
  const editManifest = async (change: (manifest: Manifest) => object) => {
    const manifest = JSON.parse(await readFile(inBackup('manifest.json'), 'utf8'))
    await writeFile(inBackup('manifest.json'), JSON.stringify({ ...manifest, ...change(manifest) }))
  }
  const damages: readonly [what: string, says: string, damage: Damage][] = [
    ['no manifest', 'no finished backup', () => rm(inBackup('manifest.json'))],
    ['half a manifest', 'is damaged', () => writeFile(inBackup('manifest.json'), '{"format":1')],
    ['a manifest of a later format', 'newer version', () => editManifest(() => ({ format: 2 }))],
    [
      'a manifest that counts otherwise',
      'does not belong',
      () => editManifest(({ pictures }) => ({ pictures: pictures + 1 })),
    ],
    ['no database', 'is missing', ({ database: { file } }) => rm(inBackup(file))],
    ['another byte in the database', 'is not what was written', ({ database: { file } }) => flip(inBackup(file))],
    ['another secret', 'secret was changed', () => flip(inBackup('secret'))],
    ['no secret', 'secret is missing', () => rm(inBackup('secret'))],
    [
      'another byte in a picture',
      'missing or changed',
      async () => flip(inBackup('images', await keyOf(made[1] ?? ''))),
    ],
    ['a picture less', 'missing or changed', async () => rm(inBackup('images', await keyOf(made[2] ?? '')))],
  ]

  it.each(damages)('writes nothing where there is %s', async (_, says, damage) => {
    await damage(await run())
    await expect(restore()).rejects.toThrow(says)
    await expect(stat(restored)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('goes into an empty place only', async () => {
    await run()
    await mkdir(restored)
    await writeFile(join(restored, 'notes.txt'), 'mine')
    await expect(restore()).rejects.toThrow(`${restored} is not empty (notes.txt)`)
    expect(await readdir(restored)).toEqual(['notes.txt'])
  })

  it('ends what had not ended, unless it is to go on', async () => {
    const held = holds()
    house.provider.plan(held.plan)
    const running = await house.order(viewer)
    await held.begun
    await run()
    expect(await restore()).toMatchObject({ ended: 1 })
    await assertInvariantsOf(restored)
    const ended = (await rowsOf(restored)).generations?.filter((row) => 'id' in row && row.id === running)
    expect(ended).toMatchObject([{ status: 'FAILED', heldMicros: 0 }])
    await rm(restored, { recursive: true })
    expect(await restore({ resume: true })).toMatchObject({ ended: 0 })
    expect(await rowsOf(restored)).toEqual(await rowsOf(source))
  })
})
