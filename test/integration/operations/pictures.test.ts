import { createHash } from 'node:crypto'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DeleteGenerationDocument, GenerationDocument } from '../../../schema/generated/operations.ts'
import { generate, make, QUICK, quick } from '../../support/generating.ts'
import { SOON } from '../../support/metrics.ts'
import { startApp, type TestApp } from '../../support/start-app.ts'

let server: TestApp

beforeAll(async () => {
  server = await startApp()
})
afterAll(() => server[Symbol.asyncDispose]())

async function makePicture(input = QUICK) {
  const { id } = await make(server.client, input)
  const { generation } = await server.client.run(GenerationDocument, { id })
  const image = generation?.images[0]
  if (image === undefined) throw new Error('There is no picture.')
  return { id, image }
}

const urlOf = (image: string) => `query ($id: ID!) { node(id: $id) { ... on Image { url${image} } } }`

async function askUrl(id: string, args: string): Promise<string> {
  const { data } = await server.client.ask<{ node: { url: string } }>(urlOf(args), { id })
  return data?.node.url ?? ''
}

describe('the pictures of a generation', () => {
  it('are fetched by their signed URL, and are what the API says of them', async () => {
    const { image } = await makePicture()
    const response = await fetch(image.url)
    const bytes = Buffer.from(await response.arrayBuffer())
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe(image.mimeType)
    expect(response.headers.get('cache-control')).toMatch(/immutable/)
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(image.sha256)
    expect(bytes.byteLength).toBe(image.sizeBytes)
    expect(await sharp(bytes).metadata()).toMatchObject({ format: 'png', width: image.width, height: image.height })
  })

  it('are not sent again to a client that has them', async () => {
    const { image } = await makePicture()
    const etag = (await fetch(image.url)).headers.get('etag') ?? ''
    expect(etag).toMatch(/^"/)
    const again = await fetch(image.url, { headers: { 'if-none-match': etag } })
    expect({ status: again.status, body: await again.text() }).toEqual({ status: 304, body: '' })
  })

  it('are sent in parts', async () => {
    const { image } = await makePicture()
    const whole = Buffer.from(await (await fetch(image.url)).arrayBuffer())
    const part = await fetch(image.url, { headers: { range: 'bytes=8-15' } })
    expect(part.status).toBe(206)
    expect(part.headers.get('content-range')).toBe(`bytes 8-15/${image.sizeBytes}`)
    expect(Buffer.from(await part.arrayBuffer())).toEqual(whole.subarray(8, 16))
  })

  it('have variants in other sizes and formats', async () => {
    const { image } = await makePicture({ ...QUICK, size: '256x128' })
    const variant = await fetch(await askUrl(image.id, '(width: 64, format: WEBP)'))
    expect(variant.headers.get('content-type')).toBe('image/webp')
    const metadata = await sharp(Buffer.from(await variant.arrayBuffer())).metadata()
    expect(metadata).toMatchObject({ format: 'webp', width: 64, height: 32 })
  })

  it('are refused where the URL was changed', async () => {
    const { image } = await makePicture()
    const other = await makePicture()
    const forged = image.url.replace(image.id, other.image.id)
    expect((await fetch(forged)).status).toBe(403)
    expect((await fetch(image.url.replace(/e=\d+/, 'e=4102444800'))).status).toBe(403)
  })

  it('are the same picture for the same seed', async () => {
    const one = await makePicture({ ...QUICK, seed: 7 })
    const two = await makePicture({ ...QUICK, seed: 7 })
    const three = await makePicture({ ...QUICK, seed: 8 })
    expect(two.image.sha256).toBe(one.image.sha256)
    expect(three.image.sha256).not.toBe(one.image.sha256)
  })

  it('say so where their bytes have gone from the storage, by address and as bytes', async () => {
    const { id, image } = await makePicture()
    await server.app.foundations.storage.deletePrefix(`${id}/`)
    const response = await fetch(image.url)
    expect({ status: response.status, cache: response.headers.get('cache-control') }).toEqual({
      status: 410,
      cache: 'no-store',
    })
    expect(await response.text()).toContain('gone')
    const query = 'query ($id: ID!) { node(id: $id) { ... on Image { base64 } } }'
    const { errors } = await server.client.ask(query, { id: image.id })
    expect(errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' }, message: expect.stringContaining(image.id) }])
  })

  it('are gone for good when their generation is deleted', async () => {
    const { id, image } = await makePicture()
    const thumbnail = await askUrl(image.id, '(width: 32)')
    expect((await fetch(thumbnail)).status).toBe(200)
    const { deleteGeneration } = await server.client.run(DeleteGenerationDocument, { id })
    expect(deleteGeneration).toEqual({ __typename: 'DeleteGenerationSuccess', id })
    expect((await fetch(image.url)).status).toBe(404)
    expect((await fetch(thumbnail)).status).toBe(404)
    expect((await server.client.run(GenerationDocument, { id })).generation).toBeNull()
    const left = () => collectKeys(server, id)
    await expect.poll(left, SOON).toEqual([])
  })

  it('cannot be deleted while they are being made', async () => {
    const { generation } = await generate(server.client, quick('delay=600000'))
    const { deleteGeneration } = await server.client.run(DeleteGenerationDocument, { id: generation.id })
    expect(deleteGeneration).toMatchObject({ __typename: 'NotFinishedError', generation: { id: generation.id } })
  })
})

describe('previews', () => {
  it('arrive in order while an attempt runs, and their URLs serve a picture', async () => {
    const { events } = await make(server.client, quick('delay=600 steps=1', { previews: 3 }))
    const previews = events.filter((event) => event.kind === 'PREVIEW')
    expect(previews).toHaveLength(3)
    for (const { preview, sequence } of previews) {
      expect(sequence).toBe(2)
      const response = await fetch(preview?.url ?? '')
      expect(response.status).toBe(200)
      expect((await sharp(Buffer.from(await response.arrayBuffer())).metadata()).width).toBeGreaterThan(0)
    }
    expect(events.map((event) => event.kind)).toEqual([
      'QUEUED',
      'STARTED',
      'PREVIEW',
      'PREVIEW',
      'PREVIEW',
      'IMAGE_READY',
      'PROGRESS',
      'COMPLETED',
    ])
  })
})

async function collectKeys({ app }: TestApp, generationId: string): Promise<string[]> {
  const keys: string[] = []
  for (const prefix of [`${generationId}/`, `variants/${generationId}/`]) {
    for await (const { key } of app.foundations.storage.list(prefix)) keys.push(key)
  }
  return keys
}
