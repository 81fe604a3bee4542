import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { createIds } from '../../src/ids.ts'
import { createLogger } from '../../src/logger.ts'
import { ENDPOINTS } from '../../src/transport/rest/endpoints.ts'
import { SOON, untilSubscribed } from '../support/metrics.ts'
import { askRest, type RestAnswer, type RestRequest } from '../support/rest.ts'
import { createTestAccount, PRICED_PAINTER, startApp, type TestAccount, type TestApp } from '../support/start-app.ts'
import { createTinyPng } from '../support/tiny-png.ts'

const QUICK = { prompt: 'a red fox in snow [[sandbox delay=0]]', size: '64x64' } as const
const ids = createIds()

/** Both ways in which a server is asked: without keys on one's own machine, and with keys. */
let open: TestApp
let keyed: TestApp
let account: TestAccount
const log: string[] = []
beforeAll(async () => {
  const logger = createLogger({ level: 'trace', destination: { write: (line) => void log.push(line) } })
  const env = { PICTOR_LIMIT_FAILURES: 'off', PICTOR_OPERATIONS_ONLY: 'on' }
  const limits = { stallMs: 300 }
  ;[open, keyed] = await Promise.all([startApp({ env }), startApp({ env, logger, limits, models: [PRICED_PAINTER] })])
  account = await createTestAccount(keyed.app)
})
afterAll(() => Promise.all([open, keyed].map((server) => server[Symbol.asyncDispose]())))

function ask(path: string, given: RestRequest = {}): Promise<RestAnswer> {
  return askRest(keyed, path, { secret: account.secret, ...given })
}

async function generations(server: TestApp): Promise<number> {
  return (await server.app.foundations.database.read.selectFrom('generations').select('id').execute()).length
}

function codeOf({ status, body }: RestAnswer): string {
  return `${status} ${body.error?.code}`
}

test('A49 a million images, a size that is a path, numbers and words of the wrong kind are refused with 400 at their name, and nothing is made', async () => {
  const before = await generations(keyed)
  const asked: readonly [object, string][] = [
    [{ ...QUICK, n: 1_000_000 }, 'n'],
    [{ ...QUICK, n: 10 ** 30 }, 'n'],
    [{ ...QUICK, n: -1 }, 'n'],
    [{ ...QUICK, n: [1] }, 'n'],
    [{ ...QUICK, size: '../../' }, 'size'],
    [{ ...QUICK, size: '1e9x1e9' }, 'size'],
    [{ ...QUICK, size: { width: 1 } }, 'size'],
    [{ ...QUICK, stream: 'yes' }, 'stream'],
    [{ ...QUICK, model: ['sandbox/painter'] }, 'model'],
    [{ ...QUICK, input: Array.from({ length: 1_000 }, () => 'https://example.com/a.png') }, 'input'],
    [{ ...QUICK, input: ['file:///etc/passwd'] }, 'input.0'],
    [{ ...QUICK, prompt: 'x'.repeat(40_000) }, 'prompt'],
    [JSON.parse('{"prompt":"a fox","__proto__":{"n":9}}'), '__proto__'],
  ]
  for (const [body, param] of asked) {
    const answer = await ask('/images/generations', { body })
    expect([answer.status, answer.body.error?.param]).toEqual([400, param])
  }
  const deep = (field: string) => `{"prompt":"a fox","${field}":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`
  for (const field of ['additional_params', 'metadata', 'n', 'nobody_knows']) {
    const headers = { 'content-type': 'application/json' }
    const answer = await ask('/images/generations', { body: deep(field), headers })
    expect([answer.status, answer.body.error?.param]).toEqual([400, field])
  }
  expect(await generations(keyed)).toBe(before)
})

test('A49 a form with a thousand pictures, a field twice, a file for text, no boundary or half of a body is refused with 400', async () => {
  const before = await generations(keyed)
  const png = new Blob([new Uint8Array(createTinyPng(1))], { type: 'image/png' })
  const form = (fill: (form: FormData) => void) => {
    const made = new FormData()
    made.set('prompt', QUICK.prompt)
    made.set('size', QUICK.size)
    fill(made)
    return made
  }
  const thousand = form((made) => {
    for (let index = 0; index < 1_000; index++) made.append('image[]', png, 'a.png')
  })
  const twice = form((made) => {
    made.append('image', png, 'a.png')
    made.append('n', '1')
    made.append('n', '10')
  })
  const file = form((made) => {
    made.append('image', png, 'a.png')
    made.set('model', png, 'a.png')
  })
  const bounded = 'multipart/form-data; boundary=x'
  const answers = [
    await ask('/images/edits', { body: thousand }),
    await ask('/images/edits', { body: twice }),
    await ask('/images/edits', { body: file }),
    await ask('/images/edits', { body: 'nothing', headers: { 'content-type': 'multipart/form-data' } }),
    await ask('/images/edits', { body: '--x\r\nContent-Disposition: form-data', headers: { 'content-type': bounded } }),
    await ask('/images/edits', { body: '--x'.repeat(300_000), headers: { 'content-type': bounded } }),
  ]
  expect(answers.map(({ status, body }) => `${status} ${body.error?.param}`)).toEqual([
    '400 null',
    '400 n',
    '400 model',
    '400 null',
    '400 null',
    '400 null',
  ])
  expect(answers[0]?.body.error?.message).toBe('A form has at most 100 parts.')
  expect(await generations(keyed)).toBe(before)
})

test('A49 a key in the address is refused before it is looked at, is told where it belongs, and stands in no line of the log', async () => {
  for (const query of [
    `api_key=${account.secret}`,
    `key=${account.secret}`,
    `x=${account.secret}`,
    'access_token=eyJ0',
  ]) {
    for (const path of ['/models', '/images/history']) {
      for (const secret of [null, account.secret]) {
        const answer = await askRest(keyed, `${path}?${query}`, { secret })
        expect(codeOf(answer)).toBe('400 invalid_request')
        expect(answer.body.error?.message).toContain('Authorization: Bearer')
        expect(JSON.stringify(answer.body)).not.toContain(account.secret)
      }
    }
  }
  expect(log.length).toBeGreaterThan(0)
  expect(log.filter((line) => line.includes(account.secret))).toEqual([])
})

test('A49 a client that asks for a stream, or for bytes, and never reads is cut off, and what it asked for is made and kept', async () => {
  const reader = await createTestAccount(keyed.app)
  const body = { ...QUICK, size: '1024x1024', n: 10, stream: true }
  expect(await isCutOff(reader, '/images/generations', body)).toBe(true)
  await untilSubscribed(keyed.origin, 0)
  const [id] = await listEnded(reader)
  const path = `/images/generations/${id}`
  const ended = await askRest(keyed, path, { secret: reader.secret, headers: { prefer: 'wait=30' } })
  expect(ended.body).toMatchObject({ status: 'completed', usage: { cost: '0.400000' } })
  expect(ended.body.data).toHaveLength(10)
  expect(await isCutOff(reader, `${path}?response_format=b64_json`)).toBe(true)
})

test('A49 bytes that nobody takes are held a few at a time, and who asks for more is told to come again', async () => {
  const limits = { largeBodiesPerAccount: 1, largeBodiesWaiting: 0 }
  const narrow = await startApp({ limits })
  const body = { ...QUICK, size: '2048x2048', style: 'facets' }
  const made = await askRest(narrow, '/images/generations', { body })
  const path = `${narrow.origin}/v1/images/generations/${made.body.id}?response_format=b64_json`
  const untaken = (await fetch(path)).body?.getReader()
  expect((await untaken?.read())?.done).toBe(false)
  const refused = await fetch(path)
  expect(refused.status).toBe(503)
  expect(await refused.text()).toContain('"code":"unavailable"')
  while (!(await untaken?.read())?.done);
  await expect.poll(async () => (await fetch(path)).status, SOON).toBe(200)
  await narrow[Symbol.asyncDispose]()
})

/** Takes the head of the answer, and nothing behind it before the server has done with it. */
async function isCutOff({ secret }: TestAccount, path: string, body?: object): Promise<boolean> {
  const requestId = ids.token()
  const sent = request(`${keyed.origin}/v1${path}`, {
    method: body ? 'POST' : 'GET',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${secret}`, 'x-request-id': requestId },
    agent: false,
  }).end(body && JSON.stringify(body))
  sent.on('error', () => undefined)
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  answer.on('error', () => undefined)
  const closed = new Promise((resolve) => answer.once('close', resolve))
  const isOver = () => log.some((line) => line.includes(requestId) && line.includes('A request was answered'))
  await expect.poll(isOver, { ...SOON, timeout: 30_000 }).toBe(true)
  answer.resume()
  await closed
  return !answer.complete
}

async function listEnded({ secret }: TestAccount): Promise<readonly unknown[]> {
  const { body } = await askRest(keyed, '/images/history', { secret })
  return (body.data ?? []).map(({ id }) => id)
}

test('A49 a caller that goes in the middle of its body leaves nothing behind, and no fault in the log', async () => {
  const lines = log.length
  const sent = request(`${keyed.origin}/v1/images/edits`, {
    method: 'POST',
    headers: {
      'content-type': 'multipart/form-data; boundary=x',
      'content-length': '2000000',
      authorization: `Bearer ${account.secret}`,
      expect: '100-continue',
    },
    agent: false,
  })
  sent.on('error', () => undefined)
  sent.flushHeaders()
  await once(sent, 'continue')
  sent.write('--x\r\n'.repeat(10_000))
  sent.destroy()
  await expect.poll(() => log.slice(lines).some((line) => line.includes('"route":"rest"')), SOON).toBe(true)
  expect(log.slice(lines).filter((line) => line.includes('masked'))).toEqual([])
})

test('A49 a body of another type, too long, broken or not an object, and another method are refused as what they are', async () => {
  const json = JSON.stringify(QUICK)
  const send = (body: string, type: string) => ask('/images/generations', { body, headers: { 'content-type': type } })
  expect(codeOf(await send(json, 'text/plain'))).toBe('415 unsupported_media_type')
  expect(codeOf(await send(json, 'text/plain; application/json'))).toBe('415 unsupported_media_type')
  expect(codeOf(await send('prompt=a+fox', 'application/x-www-form-urlencoded'))).toBe('415 unsupported_media_type')
  expect(codeOf(await send('--x--', 'multipart/form-data; boundary=x'))).toBe('415 unsupported_media_type')
  const broken = await send(`{"byok_api_key":"${account.secret}",`, 'application/json')
  expect(codeOf(broken)).toBe('400 invalid_request')
  expect(JSON.stringify(broken.body)).not.toContain(account.secret)
  expect(codeOf(await send('[]', 'application/json'))).toBe('400 invalid_request')
  expect(codeOf(await send('null', 'application/json'))).toBe('400 invalid_request')
  expect(codeOf(await send('['.repeat(500_000), 'application/json'))).toBe('400 invalid_request')
  const long = JSON.stringify({ prompt: 'x'.repeat(13 * 1_048_576) })
  expect(codeOf(await send(long, 'application/json'))).toBe('413 request_entity_too_large')
  for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
    const answer = await ask('/images/generations', { method })
    expect([codeOf(answer), answer.headers.get('allow')]).toEqual(['405 method_not_allowed', 'POST'])
  }
  expect(codeOf(await ask('/images/variations', { body: {} }))).toBe('404 not_found')
})

test('A49 without a key nothing is told, at no endpoint, and less than its scope allows nothing is done', async () => {
  const none = await createTestAccount(keyed.app, { scopes: ['admin'] })
  const before = await generations(keyed)
  for (const { method, path, scopes, name } of ENDPOINTS) {
    const address = addressOf(path)
    const body = method === 'POST' ? { ...QUICK } : undefined
    for (const secret of [null, 'pk_wrong', `${account.secret}x`]) {
      const answer = await askRest(keyed, address, { method, secret, ...(body && { body }) })
      expect([name, codeOf(answer)]).toEqual([name, '401 invalid_api_key'])
    }
    if (scopes.includes('admin')) continue
    const forbidden = await askRest(keyed, address, { method, secret: none.secret, ...(body && { body }) })
    expect([name, codeOf(forbidden)]).toEqual([name, '403 insufficient_permissions'])
    expect(forbidden.body.error?.message).toContain(`"${name}" needs the scope`)
  }
  expect(await generations(keyed)).toBe(before)
  // Who it is, is asked before a byte of what it sends is taken.
  const headers = { 'content-type': 'application/json', 'content-length': '5000000', expect: '100-continue' }
  const sent = request(`${keyed.origin}/v1/images/generations`, { method: 'POST', headers, agent: false })
  let isInvited = false
  sent.on('continue', () => {
    isInvited = true
  })
  sent.flushHeaders()
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  expect([answer.statusCode, isInvited]).toEqual([401, false])
  sent.destroy()
})

function addressOf(path: RegExp): string {
  return path.source
    .replace(/^\^\\\/v1|\$$/g, '')
    .replaceAll('\\', '')
    .replace(/\(.*\)/, 'gen_1')
}

const Token = z.object({ access_token: z.string() })

async function tokenOf(secret: string, body: object): Promise<string> {
  return Token.parse((await askRest(keyed, '/tokens', { secret, body })).body).access_token
}

test('A49 what is another’s is as if it did not exist: for another account, another end user, and ids that nobody has', async () => {
  const stranger = await createTestAccount(keyed.app)
  const ada = await tokenOf(account.secret, { user: 'ada' })
  const made = await askRest(keyed, '/images/generations', { secret: ada, body: QUICK })
  const theirs = String(made.body.id)
  const image = String(made.body.data?.[0]?.id)
  const unknown = await askRest(keyed, `/images/generations/${ids.next('gen')}`, { secret: stranger.secret })
  expect(codeOf(unknown)).toBe('404 not_found')
  for (const secret of [
    stranger.secret,
    await tokenOf(account.secret, { user: 'bob' }),
    await tokenOf(stranger.secret, { user: 'ada' }),
  ]) {
    const look = (path: string, given: RestRequest = {}) => askRest(keyed, path, { secret, ...given })
    for (const answer of [
      await look(`/images/generations/${theirs}`),
      await look(`/images/generations/${theirs}`, { headers: { prefer: 'wait=1' } }),
      await look(`/images/generations/${theirs}/cancel`, { method: 'POST' }),
    ]) {
      expect([answer.status, answer.body]).toEqual([404, unknown.body])
    }
    expect((await look('/images/history')).body.data).toEqual([])
    expect((await look(`/images/history?after=${theirs}`)).body.data).toEqual([])
    expect((await look('/images/history?user=ada')).body.data).toEqual([])
    const edit = await look('/images/edits', { body: { ...QUICK, images: [{ file_id: image }] } })
    expect(codeOf(edit)).toBe('400 invalid_value')
    expect(edit.body.error?.param).toBe('images.0')
  }
  expect((await askRest(keyed, '/images/history', { secret: ada })).body.data).toHaveLength(1)
})

test('A49 a token makes what its models, its spend and its end user allow, and no token', async () => {
  const secret = await tokenOf(account.secret, { user: 'eve', models: ['sandbox/etching'], scopes: ['generate'] })
  const make = (more: object) => askRest(keyed, '/images/generations', { secret, body: { ...QUICK, ...more } })
  expect(codeOf(await make({ model: 'sandbox/painter' }))).toBe('403 model_unavailable')
  expect(codeOf(await make({ model: 'sandbox/etching', user: 'ada' }))).toBe('400 invalid_value')
  expect((await make({ model: 'sandbox/etching' })).body).toMatchObject({ user: 'eve', model: 'sandbox/etching' })
  expect(codeOf(await askRest(keyed, '/images/history', { secret }))).toBe('403 insufficient_permissions')
  expect(codeOf(await askRest(keyed, '/tokens', { secret, body: {} }))).toBe('403 insufficient_permissions')
})

test('A49 a page of another site reaches nothing of a server that asks for no key', async () => {
  const before = await generations(open)
  const json = JSON.stringify(QUICK)
  const post = (headers: Record<string, string>, body: string | FormData, path = '/images/generations') =>
    askRest(open, path, { body, headers })
  const evil = { origin: 'https://evil.example' }
  expect(codeOf(await post({ ...evil, 'content-type': 'application/json' }, json))).toBe('403 forbidden')
  expect(codeOf(await post({ ...evil, 'content-type': 'text/plain' }, json))).toBe('403 forbidden')
  expect(codeOf(await post({ origin: 'null', 'content-type': 'text/plain' }, json))).toBe('403 forbidden')
  // An old browser sends no Origin with a form.
  expect(codeOf(await post({ 'content-type': 'text/plain' }, json))).toBe('415 unsupported_media_type')
  const form = new FormData()
  form.set('prompt', QUICK.prompt)
  form.set('image', 'https://example.com/a.png')
  expect(codeOf(await post({}, form, '/images/edits'))).toBe('403 insufficient_permissions')
  expect(await generations(open)).toBe(before)
  expect((await post({ 'content-type': 'application/json' }, json)).status).toBe(200)
})

test('A49 where known operations alone are run, the door does no more than they do', async () => {
  const refused = await fetch(keyed.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${account.secret}` },
    body: JSON.stringify({ query: '{ viewer { endUser } }' }),
  })
  expect(await refused.text()).toContain('FORBIDDEN')
  expect((await ask('/images/generations', { body: QUICK })).status).toBe(200)
  expect(ENDPOINTS.map(({ name }) => name).toSorted()).toEqual(Object.keys(KNOWN_AS).toSorted())
  const listed = readdirSync(join(import.meta.dirname, '../../schema/operations'))
  expect(listed).toEqual(expect.arrayContaining(Object.values(KNOWN_AS).map((name) => `${name}.graphql`)))
})

/** The listed operation that does the same as a call. */
const KNOWN_AS = {
  'POST /v1/images/generations': 'generate',
  'POST /v1/images/edits': 'generate',
  'POST /v1/images/estimate': 'estimate',
  'GET /v1/images/generations/{id}': 'generation',
  'POST /v1/images/generations/{id}/cancel': 'cancel',
  'GET /v1/images/history': 'history',
  'GET /v1/models': 'models',
  'GET /v1/models/{id}': 'models',
  'POST /v1/tokens': 'create-token',
}

test('A49 calls are counted and shown as operations are: by key, by token, by account, and refused with the time to wait', async () => {
  const server = await startApp({ env: { PICTOR_LIMIT_KEY: '3' } })
  const counted = await createTestAccount(server.app)
  const get = () => askRest(server, '/models/sandbox/painter', { secret: counted.secret })
  const first = await get()
  expect(first.headers.get('ratelimit-policy')).toContain('"key";q=3;w=60')
  expect(first.headers.get('ratelimit')).toMatch(/"key";r=2;t=\d+/)
  const operation = await fetch(server.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${counted.secret}` },
    body: JSON.stringify({ query: '{ viewer { endUser } }' }),
  })
  expect(operation.headers.get('ratelimit')).toMatch(/"key";r=1;t=\d+/)
  // A call that is refused for what it says is a call.
  expect(codeOf(await askRest(server, '/images/generations', { secret: counted.secret, body: {} }))).toBe(
    '400 missing_required_parameter',
  )
  const refused = await get()
  expect(codeOf(refused)).toBe('429 rate_limit_exceeded')
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(refused.headers.get('ratelimit')).toMatch(/"key";r=0;t=\d+/)
  await server[Symbol.asyncDispose]()
})
