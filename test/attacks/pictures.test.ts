import { request } from 'node:http'
import { buffer } from 'node:stream/consumers'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { DeleteGenerationDocument } from '../../schema/generated/operations.ts'
import { createToken } from '../support/access.ts'
import { peakMemoryOf } from '../support/child-memory.ts'
import { makeAnimatedPng, makeAnimatedWebp, makeBomb, makeTaggedPhoto } from '../support/foreign-pictures.ts'
import { make, QUICK } from '../support/generating.ts'
import { createGraphqlClient } from '../support/graphql-client.ts'
import {
  makeHugeJpeg,
  makeHugeWebp,
  makeManyFrames,
  makeManyScans,
  makePackedComment,
  makePackedProfile,
  makePngWith,
  NO_PICTURES,
} from '../support/hostile-pictures.ts'
import { createScratchFolder } from '../support/scratch-folder.ts'
import { type ServerProcess, startServerProcess } from '../support/server-process.ts'
import { createTestAccount, prepareAccount, startApp, type TestAccount, type TestApp } from '../support/start-app.ts'
import { askUpload, upload } from '../support/uploading.ts'

const MIB = 1024 * 1024

let server: TestApp
let account: TestAccount

beforeAll(async () => {
  server = await startApp()
  account = await createTestAccount(server.app, { limits: { requestsPerMinute: 100_000 } })
})
afterAll(() => server[Symbol.asyncDispose]())

it('A31 bombs, films, polyglots and what is no picture are refused in bounded memory, one after the other', async () => {
  const { folder, remove } = await createScratchFolder()
  const env = { PICTOR_DATA_DIR: folder, PICTOR_DRAIN_SECONDS: '0' }
  const { secret } = await prepareAccount(env, { limits: { requestsPerMinute: 100_000 } })
  const child: ServerProcess = await startServerProcess(env)
  const bombs: Record<string, Buffer> = {
    ...NO_PICTURES,
    'PNG of 900 million pixels': makeBomb(30_000, 30_000),
    'PNG of 4 thousand million pixels': makeBomb(65_535, 65_535),
    'JPEG of 4 thousand million pixels': await makeHugeJpeg(),
    'WebP of 281 million million pixels': await makeHugeWebp(),
    'GIF of 10,000 frames': makeManyFrames(10_000),
    'animated PNG': await makeAnimatedPng(),
    'animated WebP': await makeAnimatedWebp(),
    'half a photo': (await makeTaggedPhoto('png')).subarray(0, 500),
    'PNG signature before HTML': Buffer.from('\x89PNG\r\n\x1a\n<script>alert(1)</script>IEND0000', 'latin1'),
  }
  try {
    for (const [what, bytes] of Object.entries(bombs)) {
      const { status, uploaded, errors } = await askUpload(child.url, secret, bytes)
      expect({ what, status, uploaded: uploaded?.__typename, errors }).toEqual({
        what,
        status: 200,
        uploaded: 'InvalidInputError',
        errors: [],
      })
      const base64 = bytes.toString('base64')
      if (bytes.length > MIB) continue
      const asked = await createGraphqlClient({ url: child.url, secret }).ask<{
        generateImage: { __typename: string }
      }>('mutation ($input: GenerateImageInput!) { generateImage(input: $input) { __typename } }', {
        input: { ...QUICK, referenceImages: [{ base64 }] },
      })
      expect(asked.data?.generateImage.__typename, what).toBe('InvalidInputError')
    }
    // Each may be taken or refused; what counts is that it stays small and comes to an end.
    for (const [what, bytes] of Object.entries({
      'profile of 512 MiB': await makePngWith('iCCP', makePackedProfile(512 * MIB)),
      'profile of 10 MiB': await makePngWith('iCCP', makePackedProfile(10 * MIB)),
      'comment of 512 MiB': await makePngWith('zTXt', makePackedComment(512 * MIB)),
      '400 scans': await makeManyScans(4_000, 400),
      '64 million pixels': makeBomb(8_000, 8_000),
    })) {
      const { status, uploaded } = await askUpload(child.url, secret, bytes)
      expect({ what, status, type: uploaded?.__typename }).toMatchObject({
        status: 200,
        type: expect.stringMatching(/^(UploadImageSuccess|InvalidInputError)$/),
      })
    }
    expect(await peakMemoryOf(child.pid())).toBeLessThan(1_000 * MIB)
  } finally {
    await child[Symbol.asyncDispose]()
    await remove()
  }
}, 120_000)

it('A31 what is taken is written anew: no script, place, profile or second file comes with it', async () => {
  const script = '<script>alert(1)</script>'
  const png = Buffer.concat([await makePngWith('tEXt', Buffer.from(`Comment\0${script}`)), Buffer.from(script)])
  const withExif = await sharp(await makeTaggedPhoto('jpeg'))
    .withExif({ IFD0: { ImageDescription: script, Artist: script } })
    .toBuffer()
  for (const bytes of [
    png,
    withExif,
    await makeTaggedPhoto('webp'),
    await makePngWith('iCCP', makePackedProfile(MIB)),
  ]) {
    const kept = await upload(server.url, account.secret, bytes)
    const row = await server.app.foundations.database.read
      .selectFrom('uploads')
      .selectAll()
      .where('id', '=', kept.id)
      .executeTakeFirstOrThrow()
    const stored = await server.app.foundations.storage.get(row.blobKey)
    expect(stored).toBeDefined()
    const text = Buffer.from(stored ?? []).toString('latin1')
    for (const trace of ['script', 'GPS', 'Canon', 'somebody', 'xmpmeta', 'evil']) expect(text).not.toContain(trace)
    const { exif, xmp, icc, iptc, orientation, comments } = await sharp(stored).metadata()
    expect({ exif, xmp, icc, iptc, orientation, comments }).toEqual({})
  }
})

it('A32 hostile multipart requests are answered with 4xx and a code, and echo nothing', async () => {
  const operations = JSON.stringify({
    query: 'mutation ($file: File!) { uploadImage(file: $file) { __typename } }',
    variables: { file: null },
  })
  const map = JSON.stringify({ 0: ['variables.file'] })
  const part = (name: string, body: string, more = '') =>
    `--b\r\ncontent-disposition: form-data; name="${name}"${more}\r\n\r\n${body}\r\n`
  const file = (more: string) => part('0', 'secret', `; filename="a.png"${more}`)
  const bodies: Record<string, string> = {
    'two files for one variable':
      part('operations', operations) +
      part('map', '{"0":["variables.file"],"1":["variables.file"]}') +
      file('') +
      part('1', 'secret', '; filename="b"'),
    'no map': part('operations', operations) + file(''),
    'a map that is no JSON': part('operations', operations) + part('map', '{secret') + file(''),
    'a map into a prototype': part('operations', operations) + part('map', '{"0":["__proto__.polluted"]}') + file(''),
    'a map into a constructor':
      part('operations', operations) + part('map', '{"0":["constructor.prototype.polluted"]}') + file(''),
    'a huge index': part('operations', operations) + part('map', '{"0":["variables.file.4294967295"]}') + file(''),
    'a thousand parts': part('operations', operations) + part('map', map) + file('').repeat(1_000),
    'a map of many files':
      part('operations', operations) +
      part(
        'map',
        JSON.stringify(Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [index, ['variables.file']]))),
      ) +
      file(''),
    'no boundary at the end': `${part('operations', operations)}${part('map', map)}--b\r\ncontent-disposition: form-data; name="0"; filename="a"\r\n\r\nsecret`,
    nothing: '',
  }
  for (const [what, body] of Object.entries(bodies)) {
    const response = await fetch(server.url, {
      method: 'POST',
      headers: { authorization: `Bearer ${account.secret}`, 'content-type': 'multipart/form-data; boundary=b' },
      body: body.endsWith('secret') ? body : `${body}--b--\r\n`,
    })
    const text = await response.text()
    expect({ what, status: response.status }).toEqual({
      what,
      status: expect.toSatisfy((status: number) => status >= 400 && status < 500),
    })
    expect(JSON.parse(text).errors[0].extensions.code, what).toEqual(expect.any(String))
    expect(text, what).not.toContain('secret')
  }
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  // A name or a type of its own changes nothing: a picture is what its bytes are, and its name is ours.
  for (const more of ['; filename="../../../x.png"', '; filename="a\\r\\nx-evil: 1"']) {
    const body = part('operations', operations) + part('map', map) + part('0', 'secret', more)
    const response = await fetch(server.url, {
      method: 'POST',
      headers: { authorization: `Bearer ${account.secret}`, 'content-type': 'multipart/form-data; boundary=b' },
      body: `${body}--b--\r\n`,
    })
    expect(await response.json()).toEqual({ data: { uploadImage: { __typename: 'InvalidInputError' } } })
    expect(response.headers.get('x-evil')).toBeNull()
  }
})

/** As it is written: fetch would tidy up a hostile path. */
async function get(path: string, headers: Record<string, string> = {}) {
  const { port } = new URL(server.url)
  const sent = request({ host: '127.0.0.1', port, path, headers, agent: false }).end()
  const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) =>
    sent.once('response', resolve).once('error', reject),
  )
  return { status: response.statusCode ?? 0, headers: response.headers, body: await buffer(response) }
}

async function makeImage(secret: string, expiresInSeconds = 86_400) {
  const client = server.clientOf(secret)
  const { id } = await make(client, QUICK)
  const { data } = await client.ask<{ generation: { images: { id: string; url: string }[] } }>(
    `{ generation(id: "${id}") { images { id url(expiresInSeconds: ${expiresInSeconds}) } } }`,
  )
  const [image] = data?.generation.images ?? []
  if (!image) throw new Error('No image was made.')
  const { pathname, search } = new URL(image.url)
  return { generationId: id, imageId: image.id, path: pathname + search }
}

it('A45 a link holds for one picture, as it is, for its time, and ends with the picture', async () => {
  const own = await makeImage(account.secret)
  const other = await createTestAccount(server.app)
  const foreign = await makeImage(other.secret)
  expect((await get(own.path)).status).toBe(200)
  const url = new URL(own.path, server.origin)
  const changed = (change: (parameters: URLSearchParams) => void) => {
    const copy = new URL(url)
    change(copy.searchParams)
    return copy.pathname + copy.search
  }
  const signature = [...url.searchParams].at(-1)?.[1] ?? ''
  const guesses = [
    url.pathname,
    `${url.pathname}?s=`,
    own.path.replace(own.imageId, foreign.imageId),
    foreign.path.replace(foreign.imageId, own.imageId),
    own.path.replace('.png', '.webp'),
    own.path.replace('.png', '.html'),
    `${own.path}&w=10`,
    `${own.path}&s=${signature}`,
    own.path.replace(signature, signature.toLowerCase()),
    own.path.replace(signature, signature.slice(0, -1)),
    own.path.replace(signature, ''),
    ...['e', 'b', 's'].flatMap((name) => [
      changed((parameters) => parameters.delete(name)),
      changed((parameters) => parameters.set(name, `${parameters.get(name)}0`)),
      changed((parameters) => parameters.set(name, new URL(foreign.path, server.origin).searchParams.get(name) ?? '')),
    ]),
    '/images/previews/guess.1',
    ...Array.from(
      { length: 50 },
      (_, index) => `/images/img_${String(index).padStart(32, '0')}.png?e=9999999999&b=x&s=y`,
    ),
  ].filter((path) => path !== own.path)
  for (const path of guesses) expect([403, 404], path).toContain((await get(path)).status)
  // Not even the owner's key opens what has no signature.
  expect([403, 404]).toContain((await get(url.pathname, { authorization: `Bearer ${account.secret}` })).status)

  await server.clientOf(account.secret).run(DeleteGenerationDocument, { id: own.generationId })
  expect([403, 404, 410]).toContain((await get(own.path)).status)
  expect((await get(foreign.path)).status).toBe(200)
})

it('A46 a picture is served as a picture alone: no page, no bomb of ranges, no way out of its folder', async () => {
  const { path } = await makeImage(account.secret)
  const page = await get(path, { accept: 'text/html' })
  expect(page.status).toBe(200)
  expect(page.headers).toMatchObject({
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; sandbox",
    'content-type': expect.stringMatching(/^image\//),
  })
  expect((await get(path, { range: 'bytes=0-' })).status).toBe(206)
  const many = Array.from({ length: 1_000 }, (_, index) => `${index}-${index}`).join(',')
  for (const range of [`bytes=${many}`, 'bytes=0-0,0-', 'bytes=99999999-', 'bytes=-0']) {
    const answer = await get(path, { range })
    expect([200, 416], range).toContain(answer.status)
    expect(answer.body.length).toBeLessThanOrEqual(page.body.length)
  }
  for (const hostile of [
    '/images/..%2f..%2fpictor.db',
    '/images/%2e%2e%2f%2e%2e%2fsecret',
    '/images/../secret',
    '/images/..\\..\\secret',
    '/images//etc/passwd',
    '/images/%00',
    '/images/img_%2e%2e.png',
    '/images/%c0%ae%c0%ae/secret',
    '/images/%',
    `/images/${'a'.repeat(8_000)}`,
    '/images/',
  ]) {
    const answer = await get(hostile)
    expect(answer.status, hostile).toBeGreaterThanOrEqual(400)
    expect(answer.status, hostile).toBeLessThan(500)
    expect(answer.headers['content-type'], hostile).not.toMatch(/html/)
  }
})

it('A108 a token without the scope to generate uploads nothing', async () => {
  const owner = server.clientOf(account.secret)
  const reader = await createToken(owner, { endUser: 'ada', scopes: ['read'] })
  const refused = await askUpload(server.url, reader, await makePngWith('tEXt', Buffer.from('a\0b')))
  expect(refused.errors[0]?.extensions.code).toBe('FORBIDDEN')
})
