import { connect } from 'node:net'
import { fetchExchange, Client as UrqlClient } from '@urql/core'
import { print } from 'graphql'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  GenerateImageDocument,
  GenerationDocument,
  UploadImageDocument,
  type UploadImageMutation,
} from '../../../schema/generated/operations.ts'
import { makeTaggedPhoto } from '../../support/foreign-pictures.ts'
import { follow, QUICK, quick, refuse } from '../../support/generating.ts'
import { fileOf } from '../../support/picture-shelf.ts'
import { openRawSocket } from '../../support/raw-websocket.ts'
import { createTestAccount, PRICED_PAINTER, startApp, type TestAccount, type TestApp } from '../../support/start-app.ts'
import { paintImage } from '../../unit/storage/image-fixtures.ts'

let server: TestApp
let account: TestAccount

beforeAll(async () => {
  server = await startApp({ models: [PRICED_PAINTER] })
  account = await createTestAccount(server.app)
})
afterAll(() => server[Symbol.asyncDispose]())

type Form = Readonly<Record<string, string | Blob>>

const OPERATION = print(UploadImageDocument)

async function pictureFile(): Promise<Blob> {
  return fileOf(await paintImage({ width: 60, height: 40, format: 'png' }))
}

async function formOf(file: Blob, changes: Form = {}): Promise<Form> {
  const operations = JSON.stringify({ query: OPERATION, variables: { file: null } })
  return { operations, map: JSON.stringify({ 0: ['variables.file'] }), 0: file, ...changes }
}

async function send(form: Form, headers: Record<string, string> = { authorization: `Bearer ${account.secret}` }) {
  const body = new FormData()
  for (const [name, value] of Object.entries(form)) body.set(name, value)
  const response = await fetch(server.url, { method: 'POST', headers, body })
  const text = await response.text()
  const { data, errors = [] }: { data?: UploadImageMutation; errors?: { message: string }[] } = JSON.parse(text)
  return { status: response.status, uploaded: data?.uploadImage, errors, text }
}

/** The upload; throws for every other member of the union. */
async function uploaded(file: Blob, secret = account.secret) {
  const { uploaded: result, text } = await send(await formOf(file), { authorization: `Bearer ${secret}` })
  if (result?.__typename !== 'UploadImageSuccess') throw new Error(text)
  return result.upload
}

describe('uploadImage', () => {
  it('takes a picture by multipart request, to start from', async () => {
    const client = server.clientOf(account.secret)
    const upload = await uploaded(fileOf(await makeTaggedPhoto('jpeg')))
    expect(upload).toMatchObject({ width: 20, height: 40, mimeType: 'image/jpeg' })
    expect(Date.parse(upload.expiresAt) - Date.now()).toBeGreaterThan(23 * 3_600_000)

    const { node } = (
      await client.ask<{ node: unknown }>('query ($id: ID!) { node(id: $id) { id __typename } }', {
        id: upload.id,
      })
    ).data ?? { node: null }
    expect(node).toEqual({ __typename: 'Upload', id: upload.id })

    const input = { ...QUICK, referenceImages: [{ uploadId: upload.id }] }
    const { generateImage } = await client.run(GenerateImageDocument, { input })
    if (generateImage.__typename !== 'GenerateImageSuccess') throw new Error(JSON.stringify(generateImage))
    const { id } = generateImage.generation
    expect((await follow(client, id)).at(-1)?.kind).toBe('COMPLETED')
    const { generation } = await client.run(GenerationDocument, { id })
    expect(generation?.parameters.referenceImages).toBe(1)
    const url = generation?.images[0]?.url ?? ''
    const { channels } = await sharp(Buffer.from(await (await fetch(url)).arrayBuffer())).stats()
    // The photo is blue below, and shines through the paint.
    expect((channels[2]?.mean ?? 0) - (channels[1]?.mean ?? 255)).toBeGreaterThan(30)
  })

  it('takes it as urql sends it', async () => {
    const client = new UrqlClient({
      url: server.url,
      exchanges: [fetchExchange],
      preferGetMethod: false,
      fetchOptions: { headers: { authorization: `Bearer ${account.secret}` } },
    })
    const { data, error } = await client.mutation(UploadImageDocument, { file: await pictureFile() })
    expect(error).toBeUndefined()
    expect(data?.uploadImage).toMatchObject({ __typename: 'UploadImageSuccess', upload: { width: 60, height: 40 } })
  })

  it('takes two at once, each under its name', async () => {
    const query = `mutation ($a: File!, $b: File!) {
      first: uploadImage(file: $a) { ... on UploadImageSuccess { upload { width } } }
      second: uploadImage(file: $b) { ... on UploadImageSuccess { upload { width } } }
    }`
    const { text } = await send({
      operations: JSON.stringify({ query, variables: { a: null, b: null } }),
      map: JSON.stringify({ one: ['variables.a'], two: ['variables.b'] }),
      one: await pictureFile(),
      two: fileOf(await paintImage({ width: 10, height: 10, format: 'webp' })),
    })
    expect(JSON.parse(text).data).toEqual({ first: { upload: { width: 60 } }, second: { upload: { width: 10 } } })
  })

  it('says as data what is wrong with a file', async () => {
    const { uploaded: result } = await send(await formOf(new Blob(['<svg onload="secret"/>'], { type: 'image/png' })))
    expect(result).toEqual({
      __typename: 'InvalidInputError',
      code: 'INVALID_INPUT',
      message: 'file: It is neither PNG nor JPEG nor WebP. Send one of these.',
      fields: [{ path: 'file', message: 'It is neither PNG nor JPEG nor WebP. Send one of these.', allowed: [] }],
    })
  })

  it('says as data when an account asks too often', async () => {
    const busy = await createTestAccount(server.app, { limits: { requestsPerMinute: 1 } })
    await uploaded(await pictureFile(), busy.secret)
    const again = await send(await formOf(await pictureFile()), { authorization: `Bearer ${busy.secret}` })
    expect(again.uploaded).toMatchObject({ __typename: 'RateLimitedError', limitPerMinute: 1 })
  })

  it('is seen by its owner alone', async () => {
    const { id } = await uploaded(await pictureFile())
    const stranger = server.clientOf((await createTestAccount(server.app)).secret)
    const { data } = await stranger.ask('query ($id: ID!) { node(id: $id) { id } }', { id })
    expect(data).toEqual({ node: null })
    const refused = await refuse(stranger, 'InvalidInputError', { ...QUICK, referenceImages: [{ uploadId: id }] })
    expect(refused.fields.map(({ path }) => path)).toEqual(['referenceImages.0.uploadId'])
  })
})

describe('a multipart request', () => {
  const map = JSON.stringify({ 0: ['variables.file'] })
  const FILE = new Blob(['secret'])

  it.each([
    ['no file', { map, 0: '' }],
    ['a text in the place of the file', { map, 0: 'secret' }],
    ['a map to another variable', { map: JSON.stringify({ 0: ['variables.picture'] }), 0: FILE }],
    ['a map to a part that there is not', { map: JSON.stringify({ 7: ['variables.file'] }), 0: FILE }],
    ['no map', { 0: FILE }],
    ['a map that is no JSON', { map: '{', 0: FILE }],
    ['a map that is no object', { map: '"secret"', 0: FILE }],
    ['a map into a prototype', { map: JSON.stringify({ 0: ['__proto__.file'] }), 0: FILE }],
    ['operations that are no JSON', { operations: '{"secret"', map, 0: FILE }],
    ['a list of operations', { operations: '[]', map, 0: FILE }],
    ['a field of more than a megabyte', { map: JSON.stringify({ 0: ['x'.repeat(1_100_000)] }), 0: FILE }],
  ] satisfies [string, Form][])('with %s is refused, and nothing of it echoed', async (_name, changes) => {
    const operations = JSON.stringify({ query: OPERATION, variables: { file: null } })
    const { status, uploaded: result, errors, text } = await send({ operations, ...changes })
    expect(status).toBe(400)
    expect(result).toBeUndefined()
    expect(errors).toHaveLength(1)
    expect(text).not.toContain('secret')
  })

  it('with more files than one would send is refused', async () => {
    const files = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`f${index}`, FILE]))
    expect(await send(await formOf(FILE, files))).toMatchObject({ status: 400 })
  })

  it('from a page of another site is refused, unless it says that it is none', async () => {
    const open = await startApp()
    const body = new FormData()
    for (const [name, value] of Object.entries(await formOf(await pictureFile()))) body.set(name, value)
    const post = async (headers: Record<string, string>) => {
      const response = await fetch(open.url, { method: 'POST', headers, body })
      return { status: response.status, text: await response.text() }
    }
    expect(await post({})).toMatchObject({ status: 403 })
    const answered = await post({ 'graphql-require-preflight': '1' })
    expect(answered).toMatchObject({ status: 200 })
    expect(answered.text).toContain('upl_')
    await open[Symbol.asyncDispose]()
  })

  it('that breaks off midway leaves nothing behind', async () => {
    const before = await countUploads()
    const { port } = new URL(server.url)
    const socket = connect(Number(port), '127.0.0.1')
    const head =
      `POST /graphql HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nauthorization: Bearer ${account.secret}\r\n` +
      'content-type: multipart/form-data; boundary=b\r\ncontent-length: 5000000\r\n\r\n'
    socket.write(`${head}--b\r\ncontent-disposition: form-data; name="operations"\r\n\r\n{}\r\n--b\r\n`)
    await new Promise<void>((resolve) => socket.write('x'.repeat(100_000), () => resolve()))
    socket.destroy()
    expect(await uploaded(await pictureFile())).toMatchObject({ width: 60 })
    expect(await countUploads()).toBe(before + 1)
  })

  it('that ends within its file is refused', async () => {
    const headers = {
      authorization: `Bearer ${account.secret}`,
      'content-type': 'multipart/form-data; boundary=b',
    }
    const part = (name: string, rest: string) => `--b\r\ncontent-disposition: form-data; name="${name}"${rest}`
    const operations = JSON.stringify({ query: OPERATION, variables: { file: null } })
    const body =
      `${part('operations', `\r\n\r\n${operations}\r\n`)}${part('map', `\r\n\r\n${map}\r\n`)}` +
      `${part('0', '; filename="secret.png"\r\ncontent-type: image/png')}\r\n\r\n\x89PNG`
    const response = await fetch(server.url, { method: 'POST', headers, body })
    expect(response.status).toBe(400)
    expect(await response.text()).not.toContain('secret')
  })

  async function countUploads(): Promise<number> {
    const rows = await server.app.foundations.database.read.selectFrom('uploads').select('id').execute()
    return rows.length
  }
})

describe('a file that does not come by multipart request', () => {
  const message = /expected File!\. A File comes as a part of a multipart request over HTTP/

  it('is refused over a WebSocket with what would do', async () => {
    const socket = await openRawSocket(server.wsUrl)
    await socket.init({ authorization: `Bearer ${account.secret}` })
    socket.send({ type: 'subscribe', id: '1', payload: { query: OPERATION, variables: { file: {} } } })
    const answer = JSON.stringify(await socket.next())
    expect(answer).toMatch(message)
    expect(answer).toContain('BAD_USER_INPUT')
    socket.socket.close()
  })

  it('is refused in JSON', async () => {
    const client = server.clientOf(account.secret)
    const { status, errors } = await client.ask(OPERATION, { file: 'secret' })
    expect(status).toBe(400)
    expect(errors[0]?.message).toMatch(message)
    expect(JSON.stringify(errors)).not.toContain('secret')
  })
})

describe('base64 within a request', () => {
  it('may take what no stranger may send', async () => {
    const noise = await paintImage({ width: 1100, height: 1000, format: 'png' })
    const base64 = noise.toString('base64')
    expect(base64.length).toBeGreaterThan(3_000_000)
    const input = { ...quick('delay=0'), referenceImages: [{ base64 }] }
    const { generateImage } = await server.clientOf(account.secret).run(GenerateImageDocument, { input })
    expect(generateImage.__typename).toBe('GenerateImageSuccess')
    await expect(server.client.run(GenerateImageDocument, { input })).rejects.toThrow('401')
  })

  it('is refused beside another way of the same picture', async () => {
    const input = { ...QUICK, referenceImages: [{ base64: 'AAAA', url: 'https://pictures.example/fox.png' }] }
    const { status, errors } = await server.clientOf(account.secret).ask(print(GenerateImageDocument), { input })
    expect(status).toBe(400)
    expect(errors[0]?.message).toContain('exactly one field of ReferenceImageInput must be given')
  })

  it('named by an address of this machine is refused as data', async () => {
    for (const url of [server.url, 'http://localhost/x.png', 'http://[::ffff:10.0.0.1]/x.png']) {
      const input = { ...QUICK, referenceImages: [{ url }] }
      const { fields } = await refuse(server.clientOf(account.secret), 'InvalidInputError', input)
      expect(fields).toEqual([
        {
          path: 'referenceImages.0.url',
          message:
            'Only public http and https addresses are fetched. Upload the picture with `uploadImage`; an image of this server is named by its `imageId`.',
          allowed: [],
        },
      ])
    }
  })
})
