import { expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { createLogger } from '../../src/logger.ts'
import { createKey, createToken } from '../support/access.ts'
import { createFastClock } from '../support/fast-clock.ts'
import { follow, generate } from '../support/generating.ts'
import { SERVER_KEY } from '../support/hostile-vendor.ts'
import { openRawSocket } from '../support/raw-websocket.ts'
import { createTestAccount, startApp, type TestApp } from '../support/start-app.ts'
import { findTraces, findTracesInFiles } from '../support/traces.ts'
import { createFluxWire } from '../support/wire/flux.ts'
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts'

const SERVER_SECRET = 'Canary0fThePasswordOfTheServer9Hs3Nq6Wv'
const PROMPT = 'CanaryOfThePrompt7Lk2Xe8Jb'
const NEGATIVE = 'CanaryOfTheOtherPrompt4Vd9Mt1Qs'

type House = { readonly app: TestApp; readonly wire: WireServer; readonly log: string[] }

async function openHouse(): Promise<House> {
  const wire = await startWireServer(createFluxWire)
  const log: string[] = []
  const app = await startApp({
    env: { BFL_BASE_URL: wire.origin, BFL_API_KEY: SERVER_KEY, PICTOR_SECRET: SERVER_SECRET },
    clock: createFastClock(20),
    leaseMs: 600_000,
    logger: createLogger({ level: 'trace', destination: { write: (line) => void log.push(line) }, pretty: false }),
  })
  onTestFinished(async () => {
    await app[Symbol.asyncDispose]()
    await wire.close()
  })
  return { app, wire, log }
}

/** In every place in which somebody might put a secret by mistake, rightly spelled and wrongly. */
async function misplace({ app }: House, secret: string): Promise<readonly string[]> {
  const said: string[] = []
  const ask = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(`${app.origin}${path}`, init).catch(() => undefined)
    said.push(`${response?.status} ${JSON.stringify([...(response?.headers ?? [])])} ${await response?.text()}`)
  }
  const json = { 'content-type': 'application/json' }
  for (const wrong of [secret, `${secret}x`, secret.slice(0, -1), secret.toUpperCase()]) {
    for (const authorization of [
      `Bearer ${wrong}`,
      `bearer  ${wrong}`,
      `Basic ${btoa(wrong)}`,
      wrong,
      `Token ${wrong}`,
    ]) {
      await ask('/graphql', {
        method: 'POST',
        headers: { ...json, authorization },
        body: '{"query":"{ viewer { nope } }"}',
      })
    }
    await ask(`/graphql?query={viewer{scopes}}&token=${wrong}&api_key=${wrong}`, {
      headers: { accept: 'application/json' },
    })
    await ask(`/graphql?query={viewer{nope(a:"${encodeURIComponent(wrong)}")}}`)
    await ask(`/images/${wrong}.png?e=1&b=2&s=${wrong}`)
    await ask(`/${wrong}`)
    await ask('/graphql', { method: 'POST', headers: json, body: `{"query":"${wrong}"}` })
    await ask('/graphql', { method: 'POST', headers: json, body: `{"query":"{ viewer }", "variables": "${wrong}"` })
    await ask('/graphql', {
      method: 'POST',
      headers: { ...json, cookie: `token=${wrong}`, 'x-request-id': wrong },
      body: '{}',
    })
    await ask('/graphql', {
      method: 'POST',
      headers: { ...json, origin: 'http://evil.example', 'x-api-key': wrong },
      body: '{}',
    })
    said.push(...(await knock(app, wrong)))
  }
  return said.filter((text) => !text.includes('x-request-id'))
}

async function knock({ wsUrl }: TestApp, secret: string): Promise<readonly string[]> {
  const said: string[] = []
  for (const payload of [
    { authorization: `Bearer ${secret}` },
    { authorization: secret },
    { token: secret },
    { [secret]: 1 },
  ]) {
    const socket = await openRawSocket(wsUrl)
    const answer = socket.init(payload).then((message) => JSON.stringify(message))
    said.push(await Promise.race([answer, socket.closed.then((closed) => JSON.stringify(closed))]))
    if (socket.socket.readyState === WebSocket.OPEN) socket.send({ type: secret })
    socket.socket.terminate()
  }
  return said
}

it('A40 keys, tokens, secrets and prompts are in no log, metric, file or answer in which they have no business', async () => {
  const house = await openHouse()
  const { app, wire, log } = house
  const account = await createTestAccount(app.app, { limits: { requestsPerMinute: 100_000 } })
  const stranger = await createTestAccount(app.app, { limits: { requestsPerMinute: 100_000 } })
  const owner = app.clientOf(account.secret)
  const made = await createKey(owner, { name: 'shop', scopes: ['generate', 'read'] })
  const token = await createToken(owner, { endUser: 'ada' })
  const tokenBody = token.split('.')[1] ?? token
  const secrets = [account.secret, made.secret, token, SERVER_SECRET, SERVER_KEY]

  // Prompts that are painted, refused, failed, canceled and never taken.
  const input = { prompt: PROMPT, model: 'flux/flux-2-pro', size: '64x64' }
  for (const mode of [
    'ok',
    'refused',
    'unauthorized',
    'invalid',
    'server_error',
    'reset',
    'failed',
    'broken',
    'garbage',
  ]) {
    wire.script(mode)
    const { generation } = await generate(owner, { ...input, idempotencyKey: `${mode} ${PROMPT}`.slice(0, 100) })
    await follow(owner, generation.id)
  }
  for (const wrong of [
    { ...input, size: PROMPT },
    { ...input, model: 'flux/none', negativePrompt: NEGATIVE },
    { ...input, prompt: `${PROMPT}\0` },
    { ...input, providerOptions: { [PROMPT]: NEGATIVE } },
    { ...input, nope: PROMPT },
    { ...input, count: PROMPT },
    { ...input, referenceImages: [{ url: `http://127.0.0.1/${PROMPT}` }] },
    { ...input, referenceImages: [{ base64: Buffer.from(PROMPT).toString('base64') }] },
  ]) {
    await owner.ask('mutation ($input: GenerateImageInput!) { generateImage(input: $input) { __typename } }', {
      input: wrong,
    })
  }
  await owner.ask(`query { viewer { nope(prompt: "${PROMPT}") } }`)
  await owner.ask(`mutation { generateImage(input: { prompt: "${PROMPT}" `)

  const said: string[] = []
  // What a caller has, it may put anywhere; what it has not, nobody has put anywhere.
  for (const secret of [account.secret, made.secret, token]) said.push(...(await misplace(house, secret)))
  const metrics = await (await fetch(`${app.origin}/metrics`)).text()
  const others = await app
    .clientOf(stranger.secret)
    .ask(
      '{ history(first: 50) { totalCount nodes { prompt } } usage(from: "2026-01-01T00:00:00Z", to: "2100-01-01T00:00:00Z", groupBy: TAG) { key } }',
    )
  said.push(JSON.stringify(others.data))

  expect(log.length).toBeGreaterThan(100)
  const hidden = [...secrets, tokenBody]
  expect(findTraces('the log', log.join('\n'), [...hidden, PROMPT, NEGATIVE])).toEqual([])
  expect(findTraces('the metrics', metrics, [...hidden, PROMPT, NEGATIVE])).toEqual([])
  expect(await findTracesInFiles(app.dataDir, hidden)).toEqual([])
  // The prompt of one account is in its own rows, and in nothing that is said to anybody else.
  expect(findTraces('answers', JSON.stringify(others.data), [PROMPT, NEGATIVE])).toEqual([])
  const echoed = said.filter((text) => secrets.some((secret) => text.includes(secret)))
  expect(echoed).toEqual([])
}, 120_000)

it('A41 a sealed key opens in no other row, not with a bit changed, and not without the secret that sealed it', async () => {
  const { app, wire } = await openHouse()
  const [rich, thief] = [await createTestAccount(app.app), await createTestAccount(app.app)]
  const SET = 'mutation ($key: Secret!) { setProviderKey(provider: "flux", apiKey: $key) { __typename } }'
  await app.clientOf(rich.secret).ask(SET, { key: 'CanaryOfTheRich1Nz8Fw3Ue5' })
  await app.clientOf(thief.secret).ask(SET, { key: 'CanaryOfTheThief6Ra2Yk9Po' })
  const { database } = app.app.foundations
  const rowOf = (accountId: string) =>
    database.read.selectFrom('providerKeys').selectAll().where('accountId', '=', accountId).executeTakeFirstOrThrow()
  const write = (accountId: string, ciphertext: string) =>
    database.transact((trx) =>
      trx.updateTable('providerKeys').set({ ciphertext }).where('accountId', '=', accountId).execute(),
    )
  const { ciphertext: ofRich } = await rowOf(rich.accountId)
  const { ciphertext: own } = await rowOf(thief.accountId)
  const [version = '', keyId = '', body = ''] = own.split('.')
  const flipped = Buffer.from(body, 'base64url')
  flipped[20] = (flipped[20] ?? 0) ^ 1
  const forged = [
    ofRich,
    [version, keyId, flipped.toString('base64url')].join('.'),
    [version, 'AAAAAAAA', body].join('.'),
    [version, keyId, body.slice(0, 30)].join('.'),
    `v0.${keyId}.${body}`,
    'CanaryInPlainText',
    '',
  ]
  const input = { prompt: 'a red fox', model: 'flux/flux-2-pro', size: '64x64' }
  const client = app.clientOf(thief.secret)
  for (const ciphertext of forged) {
    await write(thief.accountId, ciphertext)
    const { generation } = await generate(client, input)
    const events = await follow(client, generation.id)
    expect(events.at(-1)).toMatchObject({ kind: 'FAILED', problem: { code: 'UNAUTHORIZED' } })
  }
  expect(wire.requests).toEqual([])
  // And as it was it opens, for its owner.
  await write(thief.accountId, own)
  wire.script('ok polls=0')
  const { generation } = await generate(client, input)
  expect((await follow(client, generation.id)).at(-1)?.kind).toBe('COMPLETED')
  expect(wire.billable.map(({ headers }) => headers['x-key'])).toEqual(['CanaryOfTheThief6Ra2Yk9Po'])
})
