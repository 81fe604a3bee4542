import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { expect, it, onTestFinished } from 'vitest'
import { peakMemoryOf } from '../support/child-memory.ts'
import { makeBomb } from '../support/foreign-pictures.ts'
import { createGraphqlClient } from '../support/graphql-client.ts'
import { makeWhole, playHostile, REQUESTS, SERVER_KEY, type Stage } from '../support/hostile-vendor.ts'
import { createScratchFolder } from '../support/scratch-folder.ts'
import { startServerProcess } from '../support/server-process.ts'
import { makePicture } from '../support/wire/pictures.ts'
import { PLAYED_VENDORS } from '../support/wire/vendors.ts'
import type { WireReply } from '../support/wire/wire-reply.ts'
import { startWireServer } from '../support/wire/wire-server.ts'

const MIB = 1024 * 1024
const picture = await makePicture({ width: 64, height: 64 })
const base64 = picture.toString('base64')

/** Replicate, whose answers name where a picture lies. */
function playReplicate(outputs: () => unknown, files: (path: string) => WireReply = () => ({ status: 404 })) {
  return playHostile('replicate', ({ method, path }) => {
    if (method === 'POST') return { status: 201, body: { id: 'job1', status: 'starting', urls: {} } }
    if (path.startsWith('/files/')) return files(path)
    return { body: { id: 'job1', status: 'succeeded', output: outputs() } }
  })
}

async function expectNothingKept(stage: Stage, about: string): Promise<void> {
  const { generation } = await makeWhole(stage, REQUESTS.replicate)
  expect({ about, status: generation.status, code: generation.error?.code, images: generation.images }).toEqual({
    about,
    status: 'FAILED',
    code: 'BAD_OUTPUT',
    images: [],
  })
  expect(generation.cost.charged?.amount).toBe('0.000000')
}

it('A44 a picture that a vendor puts at a private address, at no address of the web, or with credentials, is not fetched', async () => {
  const hits: string[] = []
  const inside = createServer((request, response) => {
    hits.push(request.url ?? '')
    response.writeHead(200, { 'content-type': 'image/png' }).end(picture)
  })
  // Another address of this machine than the one that this operator has put the vendor on.
  await new Promise<void>((resolve) => inside.listen(0, '127.0.0.2', resolve))
  onTestFinished(() => void inside.close())
  const { port } = inside.address() as AddressInfo
  let output = ''
  const stage = await playReplicate(
    () => [output],
    (path) => ({ status: 302, headers: { location: decodeURIComponent(path.slice('/files/'.length)) } }),
  )
  const wrong = [
    `http://127.0.0.2:${port}/a.png`,
    `http://127.0.0.1.nip.invalid:${port}/a.png`,
    `http://[::ffff:127.0.0.2]:${port}/a.png`,
    'http://10.1.2.3/a.png',
    'http://169.254.169.254/latest/meta-data/iam/security-credentials/',
    'http://[fd00:ec2::254]/latest/',
    'http://metadata.google.internal/computeMetadata/v1/',
    'file:///etc/passwd',
    'ftp://127.0.0.1/a.png',
    'gopher://127.0.0.1:6379/_SET%20a%20b',
    'javascript:alert(1)',
    'blob:nothing',
    '/etc/passwd',
    'http://user:secret@127.0.0.1/',
    'data:text/html,<script>alert(1)</script>',
    'data:image/svg+xml;base64,PHN2Zy8+',
    'data:image/png;base64,bm8gcGljdHVyZQ==',
    '',
  ]
  for (const url of wrong) {
    output = url
    await expectNothingKept(stage, url)
    output = `${stage.wire.origin}/files/${encodeURIComponent(url)}`
    await expectNothingKept(stage, `redirected to ${url}`)
  }
  expect(hits).toEqual([])
})

it('A44 nor is one that lies at our own address, as we are reached or as we call ourselves', async () => {
  let output = ''
  const stage = await playReplicate(() => [output])
  const own = await makeWhole(stage, { model: 'sandbox/painter', size: '64x64' })
  const signed = own.generation.images[0]?.url ?? ''
  expect((await fetch(signed)).status).toBe(200)
  const before = stage.log.length
  for (const url of [signed, signed.replace('127.0.0.1', 'localhost'), `${stage.app.origin}/metrics`, stage.app.url]) {
    output = url
    await expectNothingKept(stage, url)
  }
  expect(stage.log.length).toBeGreaterThan(before)
})

it('A44 what is no PNG, JPEG or WebP, or is too large as bytes or as pixels, is not kept, whatever it is called', async () => {
  let reply: WireReply = {}
  const stage = await playReplicate(
    () => [`${stage.wire.origin}/files/a.png`],
    () => reply,
  )
  const called = { 'content-type': 'image/png' }
  const endless = async function* () {
    for (;;) yield Buffer.alloc(MIB)
  }
  const bodies: Record<string, WireReply['body']> = {
    svg: '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    html: '<!doctype html><script>alert(1)</script>',
    pdf: '%PDF-1.7\n1 0 obj',
    gif: Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64'),
    zip: Buffer.from('PK\u0003\u0004 and more'),
    bomb: makeBomb(30_000, 30_000),
    half: picture.subarray(0, picture.length - 10),
    endless: endless(),
    empty: '',
  }
  for (const [what, body] of Object.entries(bodies)) {
    reply = { headers: called, body: body ?? '' }
    await expectNothingKept(stage, what)
  }
  reply = { headers: { ...called, 'content-encoding': 'gzip' }, body: gzipSync(picture) }
  await expectNothingKept(stage, 'packed')
  reply = { headers: { ...called, 'content-length': String(1024 * MIB) }, body: picture }
  await expectNothingKept(stage, 'said to be a gigabyte')
})

it('A105 of more pictures than were asked for, ten or ten thousand, only those are fetched, kept and charged', async () => {
  const replicate = await playReplicate(
    () => Array.from({ length: 10_000 }, (_, index) => `${replicate.wire.origin}/files/${index}.png`),
    () => ({ headers: { 'content-type': 'image/png' }, body: picture }),
  )
  const first = await makeWhole(replicate, REQUESTS.replicate)
  expect(first.generation).toMatchObject({
    status: 'COMPLETED',
    images: [{}],
    cost: { charged: { amount: '0.040000' } },
  })
  expect(replicate.wire.requests.filter(({ path }) => path.startsWith('/files/'))).toHaveLength(1)

  const openai = await playHostile('openai', () => ({
    body: { created: 1, data: Array.from({ length: 10_000 }, () => ({ b64_json: base64 })) },
  }))
  const second = await makeWhole(openai, { ...REQUESTS.openai, count: 2 })
  expect(second.generation.status).toBe('COMPLETED')
  expect(second.generation.images).toHaveLength(2)
})

it('A106 an answer that is nested without end, or an id of megabytes, is an answer that cannot be understood', async () => {
  const deep = '['.repeat(200_000) + ']'.repeat(200_000)
  const bodies = [
    deep,
    `{"id":"job1","status":"starting","urls":${deep}}`,
    JSON.stringify({ id: 'j'.repeat(5 * MIB), status: 'starting', urls: {} }),
    JSON.stringify({ id: 'job1', status: 'starting', urls: { get: `http://127.0.0.1/${'x'.repeat(5 * MIB)}` } }),
    JSON.stringify({ id: 'job1', status: 'starting', urls: { get: {}, cancel: [] } }),
  ]
  for (const body of bodies) {
    const stage = await playHostile('replicate', ({ method }) =>
      method === 'POST'
        ? { status: 201, headers: { 'content-type': 'application/json' }, body }
        : { body: { id: 'job1', status: 'canceled' } },
    )
    const { generation, said } = await makeWhole(stage, REQUESTS.replicate)
    expect(generation.status).toBe('FAILED')
    expect(said.length).toBeLessThan(20_000)
    const { database } = stage.app.app.foundations
    const rows = await database.read.selectFrom('attempts').selectAll().execute()
    expect(JSON.stringify(rows).length).toBeLessThan(20_000)
  }
})

/** Small on the way and large once unpacked: `unit` again and again. */
function packBomb(unit: string, sizeBytes: number): Buffer {
  const block = Buffer.from(unit.repeat(Math.ceil(MIB / unit.length)))
  return gzipSync(
    Buffer.concat([Buffer.from('['), ...Array.from({ length: sizeBytes / MIB }, () => block), Buffer.from('0]')]),
  )
}

it('A107 answers that unpack to gigabytes, as bytes or as values, do not take the memory of the server', async () => {
  const bombs = [packBomb('[],', 200 * MIB), packBomb(' ', 1024 * MIB), packBomb('{"a":0},', 200 * MIB)]
  const { folder, remove } = await createScratchFolder()
  onTestFinished(remove)
  let status = 200
  let bomb: Buffer | undefined
  const wire = await startWireServer(() => ({
    isBillable: ({ method }) => method === 'POST',
    handle: () => ({
      status,
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      body: bomb ?? Buffer.alloc(0),
    }),
  }))
  onTestFinished(() => wire.close())
  const vendor = PLAYED_VENDORS.openai.environment(wire.origin, SERVER_KEY)
  const replicate = PLAYED_VENDORS.replicate.environment(wire.origin, SERVER_KEY)
  // A heap in which a few hundred megabytes of values do not fit.
  await using server = await startServerProcess({
    ...vendor,
    ...replicate,
    PICTOR_DATA_DIR: folder,
    NODE_OPTIONS: '--max-old-space-size=300',
    PICTOR_CONCURRENCY: '1',
  })
  const client = createGraphqlClient({ url: server.url })
  const asked = async () => {
    for (const input of [REQUESTS.openai, REQUESTS.replicate]) {
      const { data } = await client.ask<{ generateImage: { generation?: { id: string } } }>(
        'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { ... on GenerateImageSuccess { generation { id } } } }',
        { input: { prompt: 'a red fox', ...input } },
      )
      const id = data?.generateImage.generation?.id
      const watch = 'subscription ($id: ID!) { imageStatus(id: $id) { kind } }' as never
      const kinds: unknown[] = []
      for await (const event of client.stream(watch, { id } as never)) kinds.push(event.data)
      expect(kinds.at(-1)).toEqual({ imageStatus: { kind: 'FAILED' } })
    }
  }
  for (bomb of bombs) for (status of [200, 400]) await Promise.race([asked(), server.crashed])
  expect(await peakMemoryOf(server.pid())).toBeLessThan(1_500 * MIB)
}, 120_000)
