import { lookup } from 'node:dns/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { createSystemClock } from '../../src/clock.ts'
import type { Resolver } from '../../src/outbound/guarded-agent.ts'
import { createOutboundFetch } from '../../src/outbound/outbound-fetch.ts'
import { make, QUICK, request } from '../support/generating.ts'
import { startApp, type TestApp } from '../support/start-app.ts'
import { createTinyPng } from '../support/tiny-png.ts'

let server: TestApp
/** Whatever comes to it has got past us. */
let inside: Server
let port: number
let hits: string[]
let answer: (request: IncomingMessage, response: ServerResponse) => void
let names: Map<string, readonly string[]>

const picture = Buffer.from(createTinyPng(1))
/** A name that the test does not know is asked of nobody: an attack must not depend on the world's DNS. */
const resolve: Resolver = async (hostname, options) => {
  const known = names.get(hostname)
  if (known) return known.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
  if (hostname === 'localhost') return lookup(hostname, options)
  throw Object.assign(new Error('ENOTFOUND'), { code: 'ENOTFOUND' })
}

beforeAll(async () => {
  inside = createServer((request, response) => {
    hits.push(request.url ?? '')
    answer(request, response)
  })
  await new Promise<void>((ready) => inside.listen(0, '0.0.0.0', ready))
  port = (inside.address() as AddressInfo).port
  server = await startApp({
    env: { PUBLIC_URL: 'https://pictures.example' },
    fetchOutbound: createOutboundFetch({
      clock: createSystemClock(),
      resolve,
      own: () => ['https://pictures.example'],
    }),
  })
})
afterAll(async () => {
  inside.closeAllConnections()
  await new Promise((done) => inside.close(done))
  await server[Symbol.asyncDispose]()
})
beforeEach(() => {
  hits = []
  names = new Map()
  answer = (_request, response) => void response.writeHead(200, { 'content-type': 'image/png' }).end(picture)
})

/** What is said of a picture at this address, whatever else is right with the request. */
async function refusalOf(url: string): Promise<string> {
  const input = { ...QUICK, referenceImages: [{ url }] }
  const { data, errors, status } = await server.client.ask<{
    generateImage: { __typename: string; fields?: { path: string; message: string }[] }
  }>(
    'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { __typename ... on InvalidInputError { fields { path message } } } }',
    { input },
  )
  if (status === 400) return errors.map(({ extensions }) => String(extensions.code)).join()
  const fields = data?.generateImage.fields ?? []
  return fields.length === 1 && fields[0]?.path === 'referenceImages.0.url'
    ? fields[0].message
    : JSON.stringify(data?.generateImage)
}

const PRIVATE_HOSTS = [
  '127.0.0.1',
  'localhost',
  '0',
  '0.0.0.0',
  '127.1',
  '2130706433',
  '0x7f.1',
  '0x7f000001',
  '0177.0.0.1',
  '①②⑦.⓪.⓪.①',
  '127。0。0。1',
  '[::1]',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::127.0.0.1]',
  '[64:ff9b::7f00:1]',
  '[64:ff9b:1::7f00:1]',
  '[2002:7f00:1::]',
  '[fe80::1]',
  '[fd00::1]',
  '[fec0::1]',
  '169.254.169.254',
  '100.64.0.1',
  '192.0.0.192',
  '198.18.0.1',
  '10.0.0.1',
  '172.16.0.1',
  '192.168.0.1',
  '224.0.0.1',
  '255.255.255.255',
  '[ff02::1]',
]

it('A25 a picture at a private address is refused in the same words, however the address is written', async () => {
  const refusals = new Set<string>()
  for (const host of PRIVATE_HOSTS)
    for (const at of [`:${port}`, '']) refusals.add(await refusalOf(`http://${host}${at}/a`))
  names.set('metadata.google.internal', ['169.254.169.254'])
  refusals.add(await refusalOf('http://metadata.google.internal/computeMetadata/v1/'))
  expect([...refusals]).toEqual([
    'Only public http and https addresses are fetched. Upload the picture with `uploadImage`; an image of this server is named by its `imageId`.',
  ])
  expect(hits).toEqual([])
})

it('A26 a public name is judged by every address that it has when it is connected to', async () => {
  names.set('private.example', ['10.0.0.1'])
  names.set('mixed.example', ['8.8.8.8', '127.0.0.1'])
  names.set('mixed6.example', ['2606:4700::1111', '::1'])
  names.set('none.example', [])
  const looks: string[] = []
  const rebinding = new Map([['rebinding.example', ['8.8.8.8']]])
  for (const name of ['private.example', 'mixed.example', 'mixed6.example', 'none.example']) {
    expect(await refusalOf(`http://${name}:${port}/a`), name).toContain('Only public')
  }
  // A name that was public when somebody looked is private when it is connected to: only the second look counts.
  const fetchOutbound = createOutboundFetch({
    clock: createSystemClock(),
    resolve: async (hostname) => {
      looks.push(hostname)
      const [address = '127.0.0.1'] = rebinding.get(hostname)?.splice(0, 1) ?? []
      return [{ address, family: 4 }]
    },
  })
  rebinding.set('rebinding.example', [])
  await expect(
    fetchOutbound(`http://rebinding.example:${port}/a`, { maxBytes: 1_000, timeoutMs: 5_000 }),
  ).rejects.toMatchObject({ fault: 'FORBIDDEN' })
  expect(looks).toEqual(['rebinding.example'])
  expect(hits).toEqual([])
})

it('A27 a redirect leads to no private address, no other scheme and no more than three times further', async () => {
  // The outside world, played on this machine: one address of it counts as public.
  const targets = [
    `http://127.0.0.1:${port}/secret`,
    `//127.0.0.1:${port}/secret`,
    `http://[::ffff:127.0.0.1]:${port}/secret`,
    'file:///etc/passwd',
    'gopher://127.0.0.1:6379/_PING',
    'ftp://127.0.0.1/',
    'data:image/png;base64,AAAA',
    'https://pictures.example/images/img_1.png',
    `${server.origin}/images/img_1.png`,
    `http://user:secret@127.0.0.2:${port}/`,
    '',
  ]
  let target = ''
  answer = ({ url }, response) => {
    if (url === '/loop') response.writeHead(302, { location: '/loop' }).end()
    else if (url === '/start') response.writeHead(302, { location: target }).end()
    else response.writeHead(200).end(picture)
  }
  const fetchOutbound = createOutboundFetch({
    clock: createSystemClock(),
    // Of 127.0.0.2 as of an operator's own engine: this one address may be asked, and no other of this machine.
    trustedBaseUrl: `http://127.0.0.2:${port}`,
    own: () => ['https://pictures.example', server.url],
  })
  const limits = { maxBytes: 1_000, timeoutMs: 5_000 }
  expect((await fetchOutbound(`http://127.0.0.2:${port}/a`, limits)).bytes).toHaveLength(picture.length)
  hits.length = 0
  for (target of targets) {
    await expect(fetchOutbound(`http://127.0.0.2:${port}/start`, limits), target).rejects.toMatchObject({
      fault: target === '' ? expect.stringMatching(/STATUS|FORBIDDEN/) : 'FORBIDDEN',
    })
  }
  await expect(fetchOutbound(`http://127.0.0.2:${port}/loop`, limits)).rejects.toMatchObject({ fault: 'FORBIDDEN' })
  expect(hits.filter((path) => path === '/loop')).toHaveLength(4)
  expect(hits.filter((path) => !['/start', '/loop'].includes(path))).toEqual([])
})

it('A28 an address with credentials, line breaks, look-alikes or no address of the web is refused and never asked', async () => {
  const wrong = [
    `http://user:secret@127.0.0.1:${port}/`,
    `http://8.8.8.8:secret@127.0.0.1:${port}/`,
    `http://127.0.0.1:${port}\r\nx-evil: 1/`,
    `http://127.0.0.1:${port}/\r\nHost: evil`,
    `http://127.0.0.1.:${port}/`,
    `http://localhost.:${port}/`,
    `http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:${port}/`,
    `http://127.0.0.1%2f@8.8.8.8@127.0.0.1:${port}/`,
    `http://[::1%25lo]:${port}/`,
    'http://127.0.0.1:22/',
    'http://127.0.0.1:6379/',
    'http://',
    'http:///a',
    '//127.0.0.1/a',
    'file:///etc/passwd',
    'data:image/png;base64,AAAA',
    `http://127.0.0.1:${port}/${'a'.repeat(5_000)}`,
    '',
  ]
  for (const url of wrong) {
    expect(await refusalOf(url), url.slice(0, 60)).toMatch(
      /Only public|absolute http|could not be fetched|BAD_USER_INPUT|VALIDATION/,
    )
  }
  expect(hits).toEqual([])
})

it('A30 our own address is no source of pictures, and an image is named by its id', async () => {
  const { id } = await make(server.client, QUICK)
  const { data } = await server.client.ask<{ generation: { images: { id: string; url: string }[] } }>(
    `{ generation(id: "${id}") { images { id url } } }`,
  )
  const [image] = data?.generation.images ?? []
  expect(image?.url).toMatch(/^https:\/\/pictures\.example\/images\//)
  // The name that we call ourselves resolves to a public address: nothing but its being ours speaks against it.
  names.set('pictures.example', ['8.8.8.8'])
  const asHttp = image?.url.replace('https:', 'http:') ?? ''
  for (const url of [
    image?.url ?? '',
    asHttp,
    'https://pictures.example/',
    'https://PICTURES.example:443/a',
    server.url,
  ]) {
    expect(await refusalOf(url), url).toContain('named by its `imageId`')
  }
  const own = await request(server.client, { ...QUICK, referenceImages: [{ imageId: image?.id ?? '' }] })
  expect(own.__typename).toBe('GenerateImageSuccess')
})
