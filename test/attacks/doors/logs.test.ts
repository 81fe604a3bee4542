import { expect, onTestFinished, test } from 'vitest'
import { CreateTokenDocument, ImageStatusDocument } from '../../../schema/generated/operations.ts'
import { METRIC_LABELS } from '../../../src/metrics.ts'
import { createGraphqlClient } from '../../support/graphql-client.ts'
import { findDeadPort } from '../../support/raw-server.ts'
import { openRawSocket } from '../../support/raw-websocket.ts'
import { createScratchFolder } from '../../support/scratch-folder.ts'
import { type ServerProcess, startServerProcess } from '../../support/server-process.ts'
import { createTestAccount, prepareAccount, startApp } from '../../support/start-app.ts'

const GENERATE = `mutation ($input: GenerateImageInput!) { generateImage(input: $input) { __typename
  ... on GenerateImageSuccess { generation { id } } ... on UserError { message } } }`

async function startLoudly(env: Record<string, string> = {}): Promise<{ server: ServerProcess; secret: string }> {
  const { folder, remove } = await createScratchFolder()
  const data = { PICTOR_DATA_DIR: folder }
  const { secret } = await prepareAccount(data, {})
  const server = await startServerProcess({ ...data, ...env, LOG_LEVEL: 'trace', PICTOR_DRAIN_SECONDS: '0' })
  onTestFinished(async () => {
    await server.kill('SIGKILL')
    await remove()
  })
  return { server, secret }
}

test('A52 a prompt, an id, a header and a name that hold a line of a log make no line of their own', async () => {
  const { server, secret } = await startLoudly()
  const forged = '{"level":"error","msg":"All money was refunded","time":"2026-01-01T00:00:00.000Z"}'
  const breaks = ['\n', '\r\n', '\u2028', '\u0085', '\\n', '\u001b[2K\r']
  const client = createGraphqlClient({ url: server.url, secret })
  for (const [n, line] of breaks.entries()) {
    const text = `a fox${line}${forged}${line}`
    const input = {
      prompt: `${text} [[sandbox fail=bad_output]]`,
      size: '64x64',
      tags: [text.slice(0, 40)],
      idempotencyKey: `${n}`,
    }
    const { data } = await client.ask(GENERATE, { input })
    const [id] = /gen_\w+/.exec(JSON.stringify(data)) ?? []
    if (id) for await (const _ of client.stream(ImageStatusDocument, { id }));
    await client.ask(`query Look($id: ID!) { node(id: $id) { id } }`, { id: text })
    await client.ask(GENERATE, { input: { prompt: 'a fox', model: text } })
    const headers = {
      'content-type': 'application/json',
      'x-request-id': `abcdefgh${encodeURIComponent(text)}`,
      authorization: `Bearer ${encodeURIComponent(text)}`,
    }
    await fetch(server.url, {
      method: 'POST',
      headers,
      body: JSON.stringify({ query: '{ viewer { endUser } }', operationName: text }),
    })
    await fetch(`${new URL(server.url).origin}/${encodeURIComponent(text)}`)
    const raw = await openRawSocket(server.wsUrl)
    raw.send({ type: 'connection_init', payload: { token: text } })
    await raw.closed
  }
  await server.kill('SIGTERM')
  expect(server.lines.length).toBeGreaterThan(20)
  for (const line of server.lines) {
    expect(JSON.parse(line)).toMatchObject({ level: expect.any(String), time: expect.any(String) })
    expect(line).not.toContain('All money was refunded')
  }
})

test('no key of ours, of a caller or of a provider, no token, secret or prompt is in any line of the log, however things fail', async () => {
  const dead = `http://127.0.0.1:${await findDeadPort()}`
  const canary = (name: string) => `Canary0f${name}7Jq2Lw9Zk4Tn8Vx1`
  const env = {
    PICTOR_SECRET: canary('TheServersOwnSecret'),
    PICTOR_SECRET_PREVIOUS: canary('AnEarlierSecretOfIt'),
    OPENAI_API_KEY: canary('OpenAi'),
    OPENAI_BASE_URL: `${dead}/v1`,
    BFL_API_KEY: canary('Bfl'),
    BFL_BASE_URL: dead,
    GEMINI_API_KEY: canary('Gemini'),
    GEMINI_BASE_URL: dead,
  }
  const { server, secret } = await startLoudly(env)
  const client = createGraphqlClient({ url: server.url, secret })
  const { createToken } = await client.run(CreateTokenDocument, { input: { endUser: canary('TheEndUser') } })
  if (createToken.__typename !== 'CreateTokenSuccess') throw new Error(JSON.stringify(createToken))
  const [given, wrong, prompt] = [canary('TheCaller'), canary('AGuess'), canary('ThePrompt')]

  for (const model of ['openai/gpt-image-1', 'flux/flux-1.1-pro', 'google/gemini-2.5-flash-image', 'sandbox/painter']) {
    for (const providerApiKey of model.startsWith('sandbox') ? [undefined] : [undefined, given]) {
      const { data } = await client.ask(GENERATE, { input: { prompt, model, providerApiKey } })
      const [id] = /gen_\w+/.exec(JSON.stringify(data)) ?? []
      if (id) for await (const _ of client.stream(ImageStatusDocument, { id }));
    }
  }
  await client.ask('mutation ($apiKey: Secret!) { setProviderKey(provider: "flux", apiKey: $apiKey) { __typename } }', {
    apiKey: given,
  })
  await client.ask(`mutation { setProviderKey(provider: "${given}", apiKey: "${given}") { __typename } }`)
  for (const credential of [wrong, `${createToken.accessToken}x`, createToken.accessToken]) {
    await createGraphqlClient({ url: server.url, secret: credential }).ask('{ viewer { endUser } }')
    const raw = await openRawSocket(server.wsUrl)
    raw.send({ type: 'connection_init', payload: { authorization: `Bearer ${credential}` } })
    await Promise.race([raw.next(), raw.closed])
    raw.socket.terminate()
  }
  await fetch(`${server.url}?query={viewer{endUser}}&access_token=${wrong}`, {
    headers: { authorization: `Basic ${wrong}` },
  })
  await fetch(`${new URL(server.url).origin}/images/${wrong}?sig=${wrong}`)
  await server.kill('SIGTERM')

  const said = server.lines.join('\n')
  expect(said).toContain('Attempt ended')
  for (const value of [...Object.values(env), secret, createToken.accessToken, given, wrong, prompt]) {
    if (!value.startsWith('http')) expect(said).not.toContain(value)
  }
  expect(said).not.toContain('Canary0f')
})

test('A53 labels of metrics come from fixed sets, whatever callers name, and their number does not grow with what is sent', async () => {
  await using server = await startApp()
  const { secret } = await createTestAccount(server.app)
  const client = server.clientOf(secret)
  const scrape = async () =>
    (await (await fetch(`${server.origin}/metrics`)).text())
      .split('\n')
      .filter((line) => /^pictor_(?!nodejs|process)/.test(line))

  async function pester(round: number): Promise<void> {
    const word = (n: number) => `evil_${round}_${n}`
    for (let n = 0; n < 20; n++) {
      await fetch(`${server.origin}/${word(n)}`, {
        method: ['GET', 'POST', 'PROPFIND', 'MKCOL', 'DELETE'][n % 5] ?? 'GET',
      })
      await fetch(`${server.origin}/images/${word(n)}.png?${word(n)}=${word(n)}`)
      await client.ask(`query ${word(n)} { viewer { endUser } }`)
      await client.ask(`{ ${word(n)} }`)
      await client.ask(GENERATE, {
        input: { prompt: word(n), model: `openai/${word(n)}`, provider: word(n), tags: [word(n)] },
      })
      const raw = await openRawSocket(server.wsUrl)
      raw.socket.close(4000 + ((round * 20 + n) % 900), word(n))
      await raw.closed
    }
  }

  await scrape()
  await pester(0)
  const before = await scrape()
  await pester(1)
  const after = await scrape()
  const series = (lines: readonly string[]) => new Set(lines.map((line) => line.slice(0, line.lastIndexOf(' '))))
  expect(series(after)).toEqual(series(before))

  const allowed: Readonly<Record<string, readonly string[]>> = {
    route: METRIC_LABELS.route,
    method: METRIC_LABELS.method,
    operation: METRIC_LABELS.operation,
    transport: METRIC_LABELS.transport,
    kind: [...METRIC_LABELS.event, ...METRIC_LABELS.money],
    provider: server.app.foundations.providers.list().map(({ id }) => id),
  }
  for (const line of after) {
    expect(line).not.toContain('evil')
    for (const [, label = '', value = ''] of line.matchAll(/(\w+)="([^"]*)"/g)) {
      const values = allowed[label]
      if (values) expect([...values, 'other'], `${label} in ${line}`).toContain(value)
    }
  }
})
