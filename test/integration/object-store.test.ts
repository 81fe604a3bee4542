import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { DeleteGenerationDocument, GenerationDocument } from '../../schema/generated/operations.ts'
import { backUpInstallation, restoreInstallation } from '../../src/composition/backup.ts'
import { verifyInstallation } from '../../src/composition/verification.ts'
import { readConfig } from '../../src/config.ts'
import { make, QUICK } from '../support/generating.ts'
import { type ObjectStore, openObjectStore } from '../support/object-store.ts'
import { runCommand } from '../support/run-command.ts'
import { createScratchFolder } from '../support/scratch-folder.ts'
import { startApp, type TestApp } from '../support/start-app.ts'

const silent = { onStep: () => undefined }

describe.skipIf(inject('obstacles').objectStore)('pictures in a bucket', () => {
  let store: ObjectStore
  let place: Readonly<Record<string, string>>
  let server: TestApp
  let scratch: Awaited<ReturnType<typeof createScratchFolder>>
  beforeAll(async () => {
    store = await openObjectStore()
    place = store.newPlace()
    server = await startApp({ env: place })
    scratch = await createScratchFolder()
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
    await scratch.remove()
    await store.close()
  })

  async function newImage() {
    const { id } = await make(server.client, QUICK)
    const image = (await server.client.run(GenerationDocument, { id })).generation?.images[0]
    if (!image) throw new Error('There is no image.')
    return { id, url: image.url, sizeBytes: image.sizeBytes }
  }
  const environment = () => ({ ...place, PICTOR_DATA_DIR: server.dataDir })
  const listBytes = async () => {
    const keys: string[] = []
    for await (const { key } of server.app.foundations.storage.list('')) keys.push(key)
    return keys
  }

  it('are made, shown whole and in part, and deleted for good', async () => {
    const { id, url, sizeBytes } = await newImage()
    const whole = await fetch(url)
    expect([whole.status, (await whole.arrayBuffer()).byteLength]).toEqual([200, sizeBytes])
    const part = await fetch(url, { headers: { range: 'bytes=1-3' } })
    expect([part.status, await part.text()]).toEqual([206, 'PNG'])
    expect((await fetch(url, { method: 'HEAD' })).headers.get('content-length')).toBe(String(sizeBytes))
    await server.client.run(DeleteGenerationDocument, { id })
    expect((await fetch(url)).status).toBe(404)
    await expect.poll(listBytes).toEqual([])
  })

  it('have their variants on this machine', async () => {
    const { id } = await newImage()
    const [image] = await server.app.domain.reader.imagesOf([id])
    if (!image) throw new Error('There is no image.')
    const variant = { width: 16, height: null, fit: 'INSIDE', format: null, quality: null } as const
    const url = server.app.domain.images.url(image, variant, null)
    expect((await fetch(url)).status).toBe(200)
    expect(await readdir(join(server.dataDir, 'cache', 'variants'))).toEqual([id])
    expect((await listBytes()).filter((key) => key.startsWith('variants/'))).toEqual([])
  })

  it('are led to the store itself where that is wished, by an address that lives no longer than theirs', async () => {
    await using direct = await startApp({ env: { ...store.newPlace(), STORAGE_PUBLIC_URL: 'presigned' } })
    const { id } = await make(direct.client, QUICK)
    const url = (await direct.client.run(GenerationDocument, { id })).generation?.images[0]?.url ?? ''
    const led = await fetch(url, { redirect: 'manual' })
    const location = new URL(led.headers.get('location') ?? '')
    expect([led.status, led.headers.get('cache-control')]).toEqual([302, 'no-store'])
    expect(location.origin).not.toBe(direct.origin)
    expect(Number(location.searchParams.get('X-Amz-Expires'))).toBeLessThanOrEqual(7 * 24 * 3600)
    expect((await fetch(url, { redirect: 'manual' })).headers.get('location')).toBe(location.href)
    const answer = await fetch(url)
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'image/png'])
    await direct.client.run(DeleteGenerationDocument, { id })
    expect((await fetch(url)).status).toBe(404)
    await expect.poll(async () => (await fetch(location)).status).toBe(404)
  })

  it('are verified, backed up to a folder, and put back into another bucket', async () => {
    const { id } = await newImage()
    const { clock, ids } = server.app.foundations
    const tools = { clock, ids, ...silent }
    expect((await verifyInstallation(readConfig(environment()), silent)).breaches).toEqual([])
    const backup = await backUpInstallation(readConfig(environment()), join(scratch.folder, 'backup'), {
      ...tools,
      pictorVersion: '1.2.3',
    })
    expect(backup).toMatchObject({ lost: [], kept: 0 })
    const target = { ...store.newPlace(), PICTOR_DATA_DIR: join(scratch.folder, 'restored') }
    const restore = () =>
      restoreInstallation(readConfig(target), join(scratch.folder, 'backup'), { ...tools, resume: false })
    await restore()
    const report = await verifyInstallation(readConfig(target), silent)
    expect(report.breaches).toEqual([])
    expect(report.checked.storedBlobs).toBe(backup.pictures)
    await using restored = await startApp({ env: target })
    const image = (await restored.client.run(GenerationDocument, { id })).generation?.images[0]
    expect((await fetch(image?.url ?? '')).status).toBe(200)
  })

  it('have a doctor who tries the bucket, and a server that does not start on one that refuses it', async () => {
    const well = await runCommand(['doctor'], { ...environment(), PORT: '0' })
    expect(well.stdout).toMatch(/storage .*s3:\/\/.* takes, gives back and deletes/)
    const wrong = { ...place, AWS_SECRET_ACCESS_KEY: 'not-the-key' }
    const ill = await runCommand(['doctor'], { ...wrong, PICTOR_DATA_DIR: scratch.folder, PORT: '0' })
    expect(ill.stdout).toMatch(/storage .*SignatureDoesNotMatch/)
    expect(ill.stdout).not.toContain('not-the-key')
    await expect(startApp({ env: wrong })).rejects.toThrow(/SignatureDoesNotMatch/)
  })
})
