import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import sharp from 'sharp'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createSystemClock } from '../../src/clock.ts'
import { createIds } from '../../src/ids.ts'
import type { BlobStorage } from '../../src/storage/blob-storage.ts'
import { createVariantCache } from '../../src/storage/image-variants.ts'
import { createMemoryStorage } from '../../src/storage/memory-storage.ts'
import { createPreviewStore } from '../../src/storage/preview-store.ts'
import { createUrlSigner } from '../../src/storage/signed-url.ts'
import { resolveVariant, type VariantRequest } from '../../src/storage/variant-spec.ts'
import { createImageRoutes, type ImageRoutesDeps, type ServedImage } from '../../src/transport/image-routes.ts'

const NOON = Date.UTC(2026, 10, 22, 12)
const WEEK_AND_A_HALF_DAY_SECONDS = 7.5 * 24 * 3600

type Scene = Awaited<ReturnType<typeof openScene>>
type Answer = { status: number; headers: IncomingMessage['headers']; body: Buffer; text: string }

async function openScene(changes: Partial<ImageRoutesDeps> = {}) {
  const clock = { nowMs: NOON, now: () => clock.nowMs }
  const png = await sharp({ create: { width: 90, height: 60, channels: 3, background: '#a03010' } })
    .png()
    .toBuffer()
  const sha256 = createHash('sha256').update(png).digest('hex')
  const image: ServedImage = {
    id: 'img_1',
    generationId: 'gen_1',
    accountId: 'acc_1',
    blobKey: `gen_1/${sha256}.png`,
    sha256,
    mimeType: 'image/png',
    sizeBytes: png.length,
  }
  const images = new Map([[image.id, image]])
  const storage: BlobStorage = changes.storage ?? createMemoryStorage({ clock: createSystemClock() })
  await storage.put(image.blobKey, png)
  const errors: unknown[] = []
  const answers: { kind: string; status: number }[] = []
  const looked: string[] = []
  const signer = createUrlSigner({ secret: Buffer.alloc(32, 1), publicUrl: () => 'http://pictures.test', clock })
  const previews = createPreviewStore({ clock, ids: createIds(), ttlMs: 60_000, maxBytes: 1_000_000 })
  const route = createImageRoutes({
    storage,
    variants: createVariantCache({ storage, maxBytes: 1_000_000, maxConcurrent: 2 }),
    previews,
    signer,
    findImage: async (imageId) => {
      looked.push(imageId)
      return images.get(imageId)
    },
    onError: (error) => errors.push(error),
    onAnswer: (answer) => answers.push(answer),
    ...changes,
  })
  const server = createServer((req, res) => void route(req, res, new URL(req.url ?? '/', 'http://pictures.test')))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const pathOf = (url: string) => url.replace('http://pictures.test', '')
  const imagePath = (asked: VariantRequest = {}, expiresInSeconds: number | null = null) =>
    pathOf(signer.signImage(image, { variant: resolveVariant(asked, 'image/png'), expiresInSeconds }))
  const previewPath = (previewId: string) => pathOf(signer.signPreview(previewId))
  const { port } = server.address() as AddressInfo
  return { clock, png, image, images, storage, errors, answers, looked, previews, server, port, imagePath, previewPath }
}

/** By node:http, which sends a path as it is: fetch would tidy up the hostile ones. */
async function fetchFrom(
  scene: Scene,
  path: string,
  options: { method?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const sent = request({ host: '127.0.0.1', port: scene.port, path, agent: false, ...options }).end()
  const [res] = (await once(sent, 'response')) as [IncomingMessage]
  const body = await buffer(res)
  return { status: res.statusCode ?? 0, headers: res.headers, body, text: body.toString() }
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
}

describe('image routes', () => {
  let scene: Scene
  const get = (path: string, headers: Record<string, string> = {}) => fetchFrom(scene, path, { headers })
  beforeEach(async () => {
    scene = await openScene()
  })
  afterEach(() => closeServer(scene.server))

  it('serve the bytes as they are, safe to embed and cached until the link expires', async () => {
    const answer = await get(scene.imagePath())
    expect(answer.status).toBe(200)
    expect(answer.body.equals(scene.png)).toBe(true)
    expect(answer.headers).toMatchObject({
      'accept-ranges': 'bytes',
      'access-control-allow-origin': '*',
      'cache-control': `private, max-age=${WEEK_AND_A_HALF_DAY_SECONDS}, immutable`,
      'content-disposition': 'inline; filename="img_1.png"',
      'content-length': String(scene.png.length),
      'content-security-policy': "default-src 'none'; sandbox",
      'content-type': 'image/png',
      'cross-origin-resource-policy': 'cross-origin',
      etag: `"${scene.image.sha256}"`,
      'timing-allow-origin': '*',
      'x-content-type-options': 'nosniff',
    })
    expect(scene.answers).toEqual([{ kind: 'IMAGE', status: 200 }])
    expect(scene.errors).toEqual([])
  })

  it('answer HEAD with the same headers and no body, whatever range it names', async () => {
    const whole = await get(scene.imagePath())
    const head = await fetchFrom(scene, scene.imagePath(), { method: 'HEAD', headers: { Range: 'bytes=0-3' } })
    expect(head.status).toBe(200)
    expect(head.body).toHaveLength(0)
    const { date: _whole, ...expected } = whole.headers
    expect(head.headers).toMatchObject(expected)
  })

  it('serve variants in the size and format asked for', async () => {
    const answer = await get(scene.imagePath({ width: 30, format: 'WEBP', quality: 70 }))
    expect(answer.status).toBe(200)
    expect(answer.headers).toMatchObject({
      'content-type': 'image/webp',
      'content-disposition': 'inline; filename="img_1.webp"',
      'content-length': String(answer.body.length),
    })
    expect(answer.headers.etag).not.toBe(`"${scene.image.sha256}"`)
    expect(await sharp(answer.body).metadata()).toMatchObject({ format: 'webp', width: 30, height: 20 })
  })

  it('send nothing twice to a client that names what it has', async () => {
    for (const asked of [{}, { width: 30 }]) {
      const path = scene.imagePath(asked)
      const { headers } = await get(path)
      const etag = headers.etag ?? ''
      for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
        const answer = await get(path, { 'If-None-Match': known, Range: 'bytes=0-1' })
        expect(answer.status).toBe(304)
        expect(answer.body).toHaveLength(0)
        expect(answer.headers).toMatchObject({ etag, 'cache-control': headers['cache-control'] })
      }
      expect((await get(path, { 'If-None-Match': '"other"' })).status).toBe(200)
    }
  })

  it('render no variant for a client that has it', async () => {
    const path = scene.imagePath({ width: 30 })
    const { headers } = await get(path)
    await scene.storage.deletePrefix('variants/')
    expect((await get(path, { 'If-None-Match': headers.etag ?? '' })).status).toBe(304)
    for await (const blob of scene.storage.list('variants/')) expect(blob).toBeUndefined()
  })

  it('serve a single range', async () => {
    const size = scene.png.length
    for (const [range, start, end] of [
      ['bytes=0-', 0, size - 1],
      ['bytes=10-19', 10, 19],
      ['bytes=-5', size - 5, size - 1],
    ] as const) {
      const answer = await get(scene.imagePath(), { Range: range })
      expect(answer.status).toBe(206)
      expect(answer.headers['content-range']).toBe(`bytes ${start}-${end}/${size}`)
      expect(answer.headers['content-length']).toBe(String(end - start + 1))
      expect(answer.body.equals(scene.png.subarray(start, end + 1))).toBe(true)
    }
  })

  it('serve a range only of the very picture that the client began with', async () => {
    const rangeIf = async (ifRange: string) =>
      (await get(scene.imagePath(), { Range: 'bytes=0-9', 'If-Range': ifRange })).status
    expect(await rangeIf(`"${scene.image.sha256}"`)).toBe(206)
    expect(await rangeIf('"other"')).toBe(200)
    expect(await rangeIf(`W/"${scene.image.sha256}"`)).toBe(200)
    expect(await rangeIf('Sun, 22 Nov 2026 12:00:00 GMT')).toBe(200)
  })

  it('refuse ranges that lie outside, and more than one at a time', async () => {
    const bomb = `bytes=${Array.from({ length: 1000 }, (_, index) => `${index}-${index}`).join(',')}`
    for (const range of [bomb, 'bytes=0-0,5-6', `bytes=${scene.png.length}-`, 'bytes=-0']) {
      const answer = await get(scene.imagePath(), { Range: range })
      expect(answer.status).toBe(416)
      expect(answer.headers['content-range']).toBe(`bytes */${scene.png.length}`)
    }
    expect((await get(scene.imagePath(), { Range: 'bytes=9-2' })).status).toBe(200)
  })

  it('serve an image as an image to someone who asks for a page', async () => {
    const answer = await get(scene.imagePath(), { Accept: 'text/html' })
    expect(answer.status).toBe(200)
    expect(answer.headers).toMatchObject({
      'content-type': 'image/png',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
    })
  })

  it('serve previews until they are gone', async () => {
    const put = () => scene.previews.put({ generationId: 'gen_1', index: 0, bytes: scene.png }) ?? ''
    const path = scene.previewPath(put())
    const answer = await get(path)
    expect(answer.status).toBe(200)
    expect(answer.body.equals(scene.png)).toBe(true)
    expect(answer.headers).toMatchObject({ 'cache-control': 'private, max-age=60', 'content-type': 'image/png' })
    expect((await get(path, { Range: 'bytes=0-7' })).body.equals(scene.png.subarray(0, 8))).toBe(true)
    scene.previews.deleteGeneration('gen_1')
    expect((await get(path)).status).toBe(404)
  })

  it('refuse a link in which anything was changed, and look nothing up for it', async () => {
    const path = scene.imagePath({ width: 30, format: 'WEBP' })
    const changes = [
      path.replace('img_1', 'img_2'),
      path.replace('.webp', '.png'),
      path.replace('w30', 'w4096'),
      path.replace('v=w30-inside-q80&', ''),
      path.replace(/e=\d+/, 'e=9999999999'),
      path.replace(/b=[\w-]{5}/, 'b=AAAAA'),
      path.replace(/s=(.*)/, (_all, signature: string) => `s=${signature.toLowerCase()}`),
      path.replace(/s=(.*)/, (_all, signature: string) => `s=${signature.toUpperCase()}`),
      path.slice(0, -1),
      path.split('?')[0] ?? '',
      `${path}&e=9999999999`,
      `${path}&v=w4096-inside-q80`,
      path.replace('?', '?v=w4096-inside-q80&'),
    ]
    for (const changed of changes) {
      const answer = await get(changed)
      expect(answer.status, changed).toBe(403)
      expect(answer.headers).toMatchObject({ 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' })
      expect(answer.headers['x-content-type-options']).toBe('nosniff')
    }
    expect(scene.looked).toEqual([])
  })

  it('refuse a link that was signed for another account’s image of that id, or for other bytes', async () => {
    const path = scene.imagePath()
    scene.images.set('img_1', { ...scene.image, accountId: 'acc_2' })
    expect((await get(path)).status).toBe(403)
    scene.images.set('img_1', { ...scene.image, blobKey: 'gen_1/00.png' })
    expect((await get(path)).status).toBe(403)
  })

  it('refuse a link whose time is over, and say so', async () => {
    const path = scene.imagePath({}, 60)
    expect((await get(path)).status).toBe(200)
    scene.clock.nowMs += 65_001
    const answer = await get(path, { 'If-None-Match': '*' })
    expect(answer.status).toBe(403)
    expect(answer.text).toContain('expired')
  })

  it('know nothing of a deleted image, be it asked for whole, in part, resized or as known', async () => {
    const paths = [scene.imagePath(), scene.imagePath({ width: 30 })]
    for (const path of paths) expect((await get(path)).status).toBe(200)
    scene.images.delete('img_1')
    for (const path of paths) {
      for (const headers of [{}, { Range: 'bytes=0-3' }, { 'If-None-Match': '*' }]) {
        expect((await get(path, headers)).status).toBe(404)
      }
    }
    expect(scene.errors).toEqual([])
  })

  it('tell the operator, not the client, when bytes are missing or not whole', async () => {
    await scene.storage.delete(scene.image.blobKey)
    for (const path of [scene.imagePath(), scene.imagePath({ width: 30 }), scene.imagePath()]) {
      const { status, text } = await get(path)
      expect({ status, text }).toEqual({ status: 410, text: expect.stringContaining('gone from the server') })
      expect((await fetchFrom(scene, path, { method: 'HEAD' })).status).toBe(410)
    }
    expect(scene.errors).toHaveLength(1)
    await scene.storage.put(scene.image.blobKey, scene.png.subarray(0, 50))
    const answer = await get(scene.imagePath())
    expect(answer.status).toBe(500)
    expect(answer.text).not.toContain('gen_1')
    expect(scene.errors).toHaveLength(2)
  })

  it.each([
    '/images/%2e%2e%2fpictor.db',
    '/images/..%2f..%2fetc%2fpasswd',
    '/images/../../etc/passwd',
    '/images/%2e%2e/%2e%2e/etc/passwd',
    '/images/..\\..\\etc\\passwd',
    '/images/img_1.png/../../x',
    '/images/img_1.png%00.txt',
    '/images/gen_1/11.png',
    '/images/previews/..%2fx.1',
    '/images//img_1.png',
    '/images/',
  ])('have nothing at %s', async (path) => {
    const query = scene.imagePath().split('?')[1] ?? ''
    for (const tried of [path, `${path}?${query}`]) expect((await get(tried)).status).toBe(404)
    expect(scene.looked).toEqual([])
  })

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])('refuse %s and name what they take', async (method) => {
    const answer = await fetchFrom(scene, scene.imagePath(), { method })
    expect(answer.status).toBe(405)
    expect(answer.headers.allow).toBe('GET, HEAD')
    expect((await fetchFrom(scene, '/images/none', { method })).status).toBe(404)
  })
})

describe('image routes under trouble', () => {
  const opened: Scene[] = []
  const open = async (changes: Partial<ImageRoutesDeps>) => {
    const scene = await openScene(changes)
    opened.push(scene)
    return scene
  }
  afterEach(async () => {
    for (const scene of opened.splice(0)) await closeServer(scene.server)
  })

  it('mask a fault of ours', async () => {
    const fault = new Error('select * from images: disk I/O error')
    const scene = await open({
      findImage: async () => {
        throw fault
      },
    })
    const answer = await fetchFrom(scene, scene.imagePath())
    expect(answer.status).toBe(500)
    expect(answer.text).not.toMatch(/select|disk|at /)
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(scene.errors).toEqual([fault])
  })

  it('ask for patience while too many variants are being rendered', async () => {
    const storage = createMemoryStorage({ clock: createSystemClock() })
    const scene = await open({ variants: createVariantCache({ storage, maxBytes: 1, maxConcurrent: 0, maxQueued: 0 }) })
    const answer = await fetchFrom(scene, scene.imagePath({ width: 30 }))
    expect(answer.status).toBe(503)
    expect(answer.headers).toMatchObject({ 'retry-after': '1', 'cache-control': 'no-store' })
    expect(scene.errors).toEqual([])
  })

  it('cut off a reader that takes nothing, and close what they had opened for it', async () => {
    const endless = Readable.from(
      (function* () {
        for (;;) yield Buffer.alloc(1024 * 1024)
      })(),
      { objectMode: false },
    )
    const sizeBytes = 1e12
    const memory = createMemoryStorage({ clock: createSystemClock() })
    const storage: BlobStorage = { ...memory, open: async () => ({ sizeBytes, stream: endless }) }
    const answered = Promise.withResolvers<void>()
    const scene = await open({ storage, stallTimeoutMs: 100, onAnswer: () => answered.resolve() })
    scene.images.set('img_1', { ...scene.image, sizeBytes })
    const socket = connect(scene.port, '127.0.0.1')
    socket.pause()
    socket.on('error', () => undefined)
    socket.write(`GET ${scene.imagePath()} HTTP/1.1\r\nHost: pictures.test\r\n\r\n`)
    await answered.promise
    expect(endless.destroyed).toBe(true)
    expect(scene.errors).toEqual([])
    socket.destroy()
  })
})
