import { once } from 'node:events'
import { request } from 'node:http'
import { createConnection } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { upgradeStatus } from '../../support/raw-websocket.ts'
import { createScratchFolder } from '../../support/scratch-folder.ts'
import { startServerProcess } from '../../support/server-process.ts'
import { createTestAccount, type StartOptions, startApp, type TestApp } from '../../support/start-app.ts'

const LISTED = 'https://app.example.com'
const EVIL = [
  'https://evil.example',
  'null',
  `${LISTED}.evil.example`,
  'http://app.example.com',
  'https://app.example.com:444',
]

/** Both ways in which a server is asked: without keys on one's own machine, and with keys. */
let open: TestApp
let keyed: TestApp
let secret: string
beforeAll(async () => {
  const env: StartOptions['env'] = { PICTOR_ALLOWED_ORIGINS: LISTED }
  ;[open, keyed] = await Promise.all([startApp({ env }), startApp({ env })])
  ;({ secret } = await createTestAccount(keyed.app))
})
afterAll(() => Promise.all([open, keyed].map((server) => server[Symbol.asyncDispose]())))

const MUTATION = 'mutation { generateImage(input: { prompt: "a fox", size: "64x64" }) { __typename } }'

async function generations(server: TestApp): Promise<number> {
  return (await server.app.foundations.database.read.selectFrom('generations').select('id').execute()).length
}

test('A18 a mutation by GET, by form, as plain text or in a multipart form without the header is refused, and nothing is made', async () => {
  const form = new FormData()
  form.set('operations', JSON.stringify({ query: MUTATION }))
  form.set('map', '{}')
  const urlencoded = `query=${encodeURIComponent(MUTATION)}`
  const post = (body: BodyInit, contentType?: string) =>
    fetch(open.url, { method: 'POST', body, ...(contentType && { headers: { 'content-type': contentType } }) })
  const byGet = (headers: Record<string, string>) => fetch(`${open.url}?${urlencoded}`, { headers })
  const json = JSON.stringify({ query: MUTATION })
  expect((await byGet({})).status).toBe(403)
  expect((await byGet({ accept: 'text/event-stream' })).status).toBe(405)
  const preflighted = await byGet({ 'graphql-require-preflight': '1' })
  expect([preflighted.status, preflighted.headers.get('allow')]).toEqual([405, 'POST'])
  expect((await post(urlencoded, 'application/x-www-form-urlencoded')).status).toBe(403)
  expect((await post(form)).status).toBe(403)
  expect((await post(json, 'text/plain')).status).toBe(415)
  // The types that a page may send without asking first, dressed up as JSON.
  expect((await post(json, 'text/plain; application/json')).status).toBe(415)
  expect((await post(json, 'application/x-www-form-urlencoded; application/json')).status).toBe(403)
  expect((await post(json, 'multipart/form-data; boundary=x; application/json')).status).toBe(403)
  expect(await generations(open)).toBe(0)
  expect((await post(json, 'application/json')).status).toBe(200)
  expect(await generations(open)).toBe(1)
})

test('A19 a preflight from an origin that is not listed is told nothing, on any path', async () => {
  const preflight = {
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization, content-type',
  }
  for (const path of ['/graphql', '/metrics', '/healthz', '/nowhere']) {
    const ask = (origin: string) => fetch(keyed.origin + path, { method: 'OPTIONS', headers: { ...preflight, origin } })
    for (const origin of EVIL) {
      const { headers } = await ask(origin)
      expect([...headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([])
    }
    const listed = await ask(LISTED)
    expect(listed.headers.get('access-control-allow-origin')).toBe(LISTED)
    expect(listed.headers.get('access-control-allow-credentials')).toBeNull()
    expect(listed.headers.get('vary')).toContain('origin')
  }
  const answer = await fetch(keyed.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${secret}`, origin: EVIL[0] ?? '' },
    body: JSON.stringify({ query: '{ viewer { endUser } }' }),
  })
  expect(answer.headers.get('access-control-allow-origin')).toBeNull()
})

test('A20 an upgrade from a page of another origin is refused with 403; a listed one, our own and programs come in', async () => {
  for (const server of [open, keyed]) {
    for (const origin of EVIL) expect(await upgradeStatus(server.wsUrl, { origin }), origin).toBe(403)
    for (const origin of [LISTED, server.origin]) expect(await upgradeStatus(server.wsUrl, { origin })).toBe(101)
    expect(await upgradeStatus(server.wsUrl, {})).toBe(101)
  }
  // By the name that a page of an attacker makes point here.
  expect(await upgradeStatus(open.wsUrl, { host: `evil.example:${new URL(open.url).port}` })).toBe(421)
})

/** The headers of what is answered to these lines. */
async function rawHeaders(server: TestApp, lines: readonly string[]): Promise<string> {
  const socket = createConnection(Number(new URL(server.url).port), '127.0.0.1')
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  let text = ''
  for await (const chunk of socket) {
    text += chunk
    if (text.includes('\r\n\r\n')) break
  }
  return text.split('\r\n\r\n')[0]?.toLowerCase() ?? ''
}

test('every answer carries the security headers: operations, errors, pages, pictures, health, refused upgrades and paths that are none', async () => {
  const host = `host: 127.0.0.1:${new URL(keyed.url).port}`
  const upgrade = [
    'connection: upgrade',
    'upgrade: websocket',
    'sec-websocket-version: 13',
    'sec-websocket-key: MDEyMzQ1Njc4OWFiY2RlZg==',
  ]
  const asked: string[][] = [
    ['GET /graphql?query={viewer{endUser}} HTTP/1.1', host, `authorization: Bearer ${secret}`],
    ['GET /graphql?query={viewer{endUser}} HTTP/1.1', host, 'graphql-require-preflight: 1'],
    ['GET /graphql HTTP/1.1', host],
    ['GET /graphql HTTP/1.1', host, 'accept: text/html'],
    ['DELETE /graphql HTTP/1.1', host],
    ['OPTIONS /graphql HTTP/1.1', host, `origin: ${LISTED}`, 'access-control-request-method: POST'],
    ['GET / HTTP/1.1', host, 'accept: text/html'],
    ['GET /healthz HTTP/1.1', host],
    ['GET /readyz HTTP/1.1', host],
    ['GET /metrics HTTP/1.1', host],
    ['GET /images/none.png HTTP/1.1', host],
    ['GET /nowhere HTTP/1.1', host],
    ['GET //graphql HTTP/1.1', host],
    ['GET /nowhere HTTP/1.1', host, ...upgrade],
    ['GET /graphql HTTP/1.1', host, `origin: ${EVIL[0]}`, ...upgrade],
  ]
  for (const lines of asked) {
    const headers = await rawHeaders(keyed, lines)
    expect(headers, lines[0]).toContain('x-content-type-options: nosniff')
    expect(headers, lines[0]).toMatch(/content-security-policy: default-src 'none'/)
    expect(headers, lines[0]).toMatch(/cross-origin-resource-policy: /)
    expect(headers, lines[0]).not.toContain('x-powered-by')
    expect(headers, lines[0]).not.toContain('server:')
  }
})

test('GraphiQL is off by setting: a browser gets no page, on any path and by any method', async () => {
  const html = { accept: 'text/html' }
  expect(await (await fetch(open.url, { headers: html })).text()).toContain('<html')
  await using plain = await startApp({ env: { PICTOR_GRAPHIQL: 'off' } })
  for (const path of ['/graphql', '/graphql/', '/', '/graphiql', '/graphql?query={viewer{endUser}}']) {
    for (const method of ['GET', 'HEAD', 'POST']) {
      const answer = await fetch(plain.origin + path, { method, headers: html })
      expect(answer.headers.get('content-type') ?? '').not.toContain('html')
      expect(await answer.text()).not.toContain('<html')
    }
  }
  expect(await plain.client.ask('{ viewer { endUser } }')).toMatchObject({ status: 200 })
})

async function metrics(
  server: TestApp,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string }> {
  const answer = await fetch(`${server.origin}/metrics`, { headers })
  return { status: answer.status, text: await answer.text() }
}

test('A54 metrics are for this machine and for keys of scope admin, by setting for these alone or for nobody; health says one word', async () => {
  const reader = await createTestAccount(keyed.app, { scopes: ['read', 'generate'] })
  const bearer = (key: string) => ({ authorization: `Bearer ${key}` })
  // Whatever a proxy on this machine hands on does not come from this machine.
  for (const outside of [{ 'x-forwarded-for': '203.0.113.9' }, { forwarded: 'for=203.0.113.9' }]) {
    const refused = await metrics(keyed, outside)
    expect(refused.status).toBe(401)
    expect(refused.text).not.toContain('pictor_')
    expect((await metrics(keyed, { ...outside, ...bearer(reader.secret) })).status).toBe(403)
    expect((await metrics(keyed, { ...outside, ...bearer(secret) })).status).toBe(200)
  }
  expect((await metrics(keyed)).text).toContain('pictor_')

  await using byKey = await startApp({ env: { PICTOR_METRICS: 'key' } })
  const admin = await createTestAccount(byKey.app)
  expect((await metrics(byKey)).status).toBe(401)
  expect((await metrics(byKey, bearer(admin.secret))).status).toBe(200)
  await using off = await startApp({ env: { PICTOR_METRICS: 'off' } })
  expect((await metrics(off)).status).toBe(404)

  for (const path of ['/healthz', '/readyz']) {
    expect(await (await fetch(keyed.origin + path)).json()).toEqual({ status: 'ok' })
  }
})

test('A54 a server that listens to everybody answers nobody without a key, and says at its start how one is made', async () => {
  const { folder, remove } = await createScratchFolder()
  await using server = await startServerProcess({ PICTOR_DATA_DIR: folder, HOST: '0.0.0.0' })
  const warning = server.lines.map((line) => JSON.parse(line)).find(({ level }) => level === 'warn')
  expect(warning?.msg).toContain('npm run pictor -- keys create --name')
  const local = `http://127.0.0.1:${server.port}`
  const answer = await fetch(`${local}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ __schema { types { name } } }' }),
  })
  expect(answer.status).toBe(401)
  // The page holds nothing of the server's, and can ask nothing without a key.
  const page = await fetch(`${local}/graphql`, { headers: { accept: 'text/html' } })
  expect(await page.text()).not.toContain('acc_local')
  await server.kill('SIGKILL')
  await remove()
})

test('A54 the loopback without keys answers no other name, whatever the path', async () => {
  const { port } = new URL(open.url)
  for (const path of ['/graphql', '/metrics', '/', '/nowhere']) {
    const sent = request({
      host: '127.0.0.1',
      port,
      path,
      headers: { host: `evil.example:${port}`, accept: 'text/html' },
      agent: false,
    }).end()
    const [answer] = await once(sent, 'response')
    answer.resume()
    expect(answer.statusCode, path).toBe(421)
  }
})
