import { request } from 'node:http'
import { getIntrospectionQuery } from 'graphql'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createLogger } from '../../../src/logger.ts'
import { openRawSocket } from '../../support/raw-websocket.ts'
import { createTestAccount, startApp, type TestApp } from '../../support/start-app.ts'
import { codeIn, type Heard, WAYS } from '../../support/ways-in.ts'

const log: string[] = []
let server: TestApp
let secret: string
beforeAll(async () => {
  const logger = createLogger({ level: 'trace', pretty: false, destination: { write: (line) => void log.push(line) } })
  server = await startApp({ logger })
  ;({ secret } = await createTestAccount(server.app))
})
afterAll(() => server[Symbol.asyncDispose]())

const OPEN_FIELD = 'viewer { endUser }'

async function post(body: unknown): Promise<Heard> {
  return WAYS.POST(server, body as object, secret)
}

function bugs(): readonly string[] {
  return log.filter((line) => /"level":"(error|fatal)"/.test(line))
}

async function countGenerations(): Promise<number> {
  return (await server.app.foundations.database.read.selectFrom('generations').select('id').execute()).length
}

/** On every way in: the same refusal, no status of ours, no bug in the log. */
async function expectRefused(query: string, code: string, variables?: object): Promise<void> {
  for (const [name, way] of Object.entries(WAYS)) {
    // Node takes an address of 16 KiB at most, and we a frame of 256.
    if ((name === 'GET' && query.length > 8_000) || (name === 'WebSocket' && query.length > 200_000)) continue
    const heard = await way(server, { query, ...(variables && { variables }) }, secret)
    expect(codeIn(heard), `${name}: ${heard.text.slice(0, 300)}`).toBe(code)
    expect(heard.text).not.toContain('"data":{')
    if (name === 'POST') expect(heard.status).toBe(400)
  }
  expect(bugs()).toEqual([])
}

test('A9 200 and 11 generateImage under aliases in one mutation are refused, and none of them is made', async () => {
  const field = 'generateImage(input: { prompt: "a fox", size: "64x64" }) { __typename }'
  const aliases = (count: number) =>
    `mutation { ${Array.from({ length: count }, (_, n) => `a${n}: ${field}`).join(' ')} }`
  for (const query of [aliases(200), aliases(11), `mutation { ...F } fragment F on Mutation ${aliases(11).slice(9)}`]) {
    const { GET: _, ...ways } = WAYS
    for (const way of Object.values(ways)) {
      expect(['QUERY_TOO_COMPLEX', 'GRAPHQL_PARSE_FAILED']).toContain(codeIn(await way(server, { query }, secret)))
    }
  }
  expect(await countGenerations()).toBe(0)
})

test('A10 20,000 equal fields, and 1,000 that contradict one another, are refused in little time', async () => {
  const spent = process.cpuUsage()
  await expectRefused(`{ ${'viewer '.repeat(20_000)} }`, 'GRAPHQL_PARSE_FAILED')
  const contradicting = (count: number) =>
    `{ ${Array.from({ length: count }, (_, n) => `node(id: "${n}") { id }`).join(' ')} }`
  await expectRefused(contradicting(1_000), 'GRAPHQL_PARSE_FAILED')
  await expectRefused(contradicting(180), 'GRAPHQL_VALIDATION_FAILED')
  expect((await post({ query: contradicting(180) })).text.length).toBeLessThan(10_000)
  const { user, system } = process.cpuUsage(spent)
  // Of server and clients, for all five ways.
  expect((user + system) / 1000).toBeLessThan(2_000)
})

test('A11 documents and values 50,000 deep, a cycle of fragments, and 4,096 fields out of twelve fragments are refused, and nothing of it is a bug', async () => {
  await expectRefused(`{ viewer ${'{ account '.repeat(50_000)}`, 'GRAPHQL_PARSE_FAILED')
  await expectRefused(`{ history(filter: ${'['.repeat(50_000)}`, 'GRAPHQL_PARSE_FAILED')
  await expectRefused(`{ history(filter: ${'['.repeat(1_500)}`, 'GRAPHQL_PARSE_FAILED')
  await expectRefused(
    '{ viewer { ...A } } fragment A on Viewer { ...B } fragment B on Viewer { ...A }',
    'GRAPHQL_VALIDATION_FAILED',
  )
  const doubling = Array.from(
    { length: 12 },
    (_, n) => `fragment F${n} on Query { ...F${n + 1} a${n}: viewer { endUser } ...F${n + 1} }`,
  )
  await expectRefused(`{ ...F0 } ${doubling.join(' ')} fragment F12 on Query { ${OPEN_FIELD} }`, 'QUERY_TOO_COMPLEX')
  const deep = (levels: number) => `{ history { nodes { ${'parent { '.repeat(levels)}id${' }'.repeat(levels)} } } }`
  expect(codeIn(await post({ query: deep(5) }))).toBeUndefined()
  await expectRefused(deep(20), 'QUERY_TOO_COMPLEX')
})

test('A11 variables 100,000 deep are refused, over HTTP and on a socket', async () => {
  const query = 'query ($filter: HistoryFilter) { history(filter: $filter) { nodes { id } } }'
  for (const depth of [100, 5_000, 100_000]) {
    const body = (value: string) => `{"query":"${query}","variables":{"filter":{"status":${value}}}}`
    for (const value of [
      `${'['.repeat(depth)}1${']'.repeat(depth)}`,
      `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`,
    ]) {
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${secret}` }
      const response = await fetch(server.url, { method: 'POST', headers, body: body(value) })
      expect(codeIn({ text: await response.text() })).toBe('BAD_USER_INPUT')
      if (body(value).length > 200_000) continue
      const raw = await openRawSocket(server.wsUrl)
      await raw.init({ token: secret })
      raw.send(`{"type":"subscribe","id":"1","payload":${body(value)}}`)
      expect(codeIn({ text: JSON.stringify(await raw.next()) })).toBe('BAD_USER_INPUT')
      raw.socket.terminate()
    }
  }
  expect(bugs()).toEqual([])
})

/** Sends what it is given in pieces, without a length unless one is named; resolves with the status. */
function sendBody(
  pieces: readonly Buffer[],
  headers: Record<string, string>,
): Promise<{ status: number; sentBytes: number }> {
  return new Promise((resolve, reject) => {
    let sentBytes = 0
    let answered = false
    const { hostname, port, pathname } = new URL(server.url)
    const sent = request({
      hostname,
      port,
      path: pathname,
      method: 'POST',
      agent: false,
      headers: { 'content-type': 'application/json', ...headers },
    })
    sent.once('response', (response) => {
      answered = true
      response.resume()
      resolve({ status: response.statusCode ?? 0, sentBytes })
      sent.destroy()
    })
    sent.on('error', (error) => (answered ? undefined : reject(error)))
    const write = (index: number): void => {
      const piece = pieces[index]
      if (answered) return
      if (piece === undefined) return void sent.end()
      sentBytes += piece.length
      sent.write(piece, () => write(index + 1))
    }
    write(0)
  })
}

test('A12 a document of a million tokens, and bodies past their limit with and without a length, are refused before they are read', async () => {
  const known = { authorization: `Bearer ${secret}` }
  const million = Buffer.from(JSON.stringify({ query: `{ ${'a '.repeat(1_000_000)} }` }))
  expect((await sendBody([million], known)).status).toBe(413)
  expect((await sendBody([million], {})).status).toBe(401)
  const mebibyte = Buffer.alloc(1_048_576, 'x')
  const declared = { 'content-length': String(25 * mebibyte.length) }
  const early = await sendBody([mebibyte.subarray(0, 10)], { ...declared, ...known })
  expect(early).toEqual({ status: 413, sentBytes: 10 })
  expect(
    await sendBody([mebibyte.subarray(0, 10)], { ...declared, 'content-length': String(6 * mebibyte.length) }),
  ).toEqual({ status: 401, sentBytes: 10 })
  const chunked = await sendBody(
    Array.from({ length: 25 }, () => mebibyte),
    known,
  )
  expect(chunked.status).toBe(413)
  const stranger = await sendBody(
    Array.from({ length: 25 }, () => mebibyte),
    {},
  )
  expect(stranger.status).toBe(401)
  expect(bugs()).toEqual([])
})

test('A13 what an operation costs is counted with the variables of each call, also after a cheap one of the same text', async () => {
  const inner = 'images { generation { images { id } attempts { id } events { kind } } }'
  const query = `query ($first: Int!) { history(first: $first) { nodes { ${inner} } } }`
  for (const way of Object.values(WAYS)) {
    expect(codeIn(await way(server, { query, variables: { first: 1 } }, secret))).toBeUndefined()
    expect(codeIn(await way(server, { query, variables: { first: 100 } }, secret))).toBe('QUERY_TOO_COMPLEX')
  }
})

test('A14 introspection ten levels deep is refused; where introspection is off, any of it is, on every way in', async () => {
  const fields = (levels: number): string => (levels === 0 ? 'name' : `fields { type { ${fields(levels - 1)} } }`)
  await expectRefused(`{ __schema { types { ${fields(10)} } } }`, 'GRAPHQL_VALIDATION_FAILED')
  expect(codeIn(await post({ query: getIntrospectionQuery() }))).toBeUndefined()
  await using closed = await startApp({ env: { PICTOR_INTROSPECTION: 'off' } })
  for (const query of [
    '{ __schema { types { name } } }',
    '{ __type(name: "Query") { name } }',
    '{ viewer { ...F } __schema { queryType { name } } } fragment F on Viewer { endUser }',
  ]) {
    for (const [name, way] of Object.entries(WAYS)) {
      const heard = await way(closed, { query })
      expect(codeIn(heard), `${name}: ${heard.text}`).toBe('GRAPHQL_VALIDATION_FAILED')
      expect(heard.text).not.toContain('"data":{')
    }
  }
  expect((await WAYS.POST(closed, { query: '{ viewer { __typename } }' })).text).toContain('Viewer')
})

test('A15 a mistyped name gets no hint at what there is', async () => {
  const typos: [typo: string, meant: RegExp][] = [
    ['{ viewr { endUser } }', /viewer/],
    ['{ viewer { endUsr } }', /endUser/],
    ['{ node(idd: "x") { id } }', /did you mean/i],
    ['{ history(filter: { statu: [] }) { nodes { id } } }', /status/],
    ['{ viewer { ... on Viewr { endUser } } }', /Viewer/],
    ['{ models(filter: { provider: sandbx }) { id } }', /sandbox/],
  ]
  for (const [query, meant] of typos) {
    for (const way of Object.values(WAYS)) {
      const { text } = await way(server, { query }, secret)
      expect(codeIn({ text })).toBe('GRAPHQL_VALIDATION_FAILED')
      expect(text).not.toMatch(/did you mean/i)
      expect(text).not.toMatch(meant)
    }
  }
  const query = 'query ($filter: HistoryFilter) { history(filter: $filter) { nodes { id } } }'
  for (const way of Object.values(WAYS)) {
    const { text } = await way(server, { query, variables: { filter: { statu: [] } } }, secret)
    expect(text).toContain('HistoryFilter has no field \\"statu\\"')
    expect(text).not.toMatch(/did you mean|status/i)
  }
})

test('A16 an array of operations is refused', async () => {
  const heard = await post([{ query: `{ ${OPEN_FIELD} }` }, { query: `{ ${OPEN_FIELD} }` }])
  expect(heard.status).toBe(400)
  const form = new FormData()
  form.set('operations', JSON.stringify([{ query: `{ ${OPEN_FIELD} }` }]))
  form.set('map', '{}')
  const multipart = await fetch(server.url, {
    method: 'POST',
    body: form,
    headers: { authorization: `Bearer ${secret}` },
  })
  expect(multipart.status).toBe(400)
})

test('A17 where only known operations run, any other text is refused over POST, GET, event stream, multipart form and WebSocket', async () => {
  await using closed = await startApp({ env: { PICTOR_OPERATIONS_ONLY: 'on' } })
  const known = (await import('graphql')).print(
    (await import('../../../schema/generated/operations.ts')).ViewerDocument,
  )
  const raw = [
    '{ viewer { endUser } }',
    '{ __typename }',
    `${known} query Second { viewer { endUser } }`,
    'subscription { historyUpdates { kind } }',
  ]
  for (const [name, way] of Object.entries(WAYS)) {
    expect(codeIn(await way(closed, { query: known })), name).toBeUndefined()
    for (const query of raw) {
      const heard = await way(closed, { query })
      expect(codeIn(heard), `${name}: ${heard.text}`).toBe('FORBIDDEN')
      expect(heard.text).not.toContain('"data":{')
      // Nor under an id: neither a wrong one, nor its own, nor that of a known one.
      for (const documentId of ['x', `sha256:${'0'.repeat(64)}`]) {
        const named = await way(closed, { query, documentId })
        expect(['FORBIDDEN', 'BAD_USER_INPUT'], `${name}: ${named.text}`).toContain(codeIn(named))
      }
    }
    expect(codeIn(await way(closed, { documentId: '0'.repeat(64) })), name).toBe('PERSISTED_QUERY_NOT_FOUND')
  }
})

const REFUSALS: unknown[] = ['BAD_USER_INPUT', 'GRAPHQL_PARSE_FAILED', 'GRAPHQL_VALIDATION_FAILED']

test('A39 a secret of the wrong type, in a literal, or in the place of something else is in no error and in no log', async () => {
  const canary = 'Canary0fTheCaller7Jq2Lw9Zk4Tn8Vx1'
  const set = 'mutation ($apiKey: Secret!) { setProviderKey(provider: "flux", apiKey: $apiKey) { __typename } }'
  const bodies: { query: string; variables?: object }[] = [
    { query: set, variables: { apiKey: [canary] } },
    { query: set, variables: { apiKey: { key: canary } } },
    { query: set, variables: { apiKey: 1, [canary]: canary } },
    { query: `mutation { setProviderKey(provider: "flux", apiKey: ${canary}) { __typename } }` },
    { query: `mutation { setProviderKey(provider: "flux", apiKey: ["${canary}"]) { __typename } }` },
    { query: `mutation { setProviderKey(provider: "flux", apiKey: { key: "${canary}" }) { __typename } }` },
    { query: `mutation { setProviderKey(provider: "flux", apiKey: "${canary}" ` },
    { query: `mutation { setProviderKey(provider: "flux", apiKey: "${canary} ) { __typename } }` },
    {
      query: `mutation { createApiKey(input: { name: "n", scopes: "${canary}", expiresAt: "${canary}", dailySpend: "${canary}" }) { __typename } }`,
    },
  ]
  const create = 'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { __typename } }'
  for (const wrong of [
    { expiresAt: canary },
    { dailySpend: canary },
    { scopes: [{ [canary]: 1 }] },
    { [canary]: canary },
  ]) {
    bodies.push({ query: create, variables: { input: { name: 'n', ...wrong } } })
  }
  const generate = 'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { __typename } }'
  for (const wrong of [
    { seed: canary },
    { count: canary },
    { maxCost: canary },
    { referenceImages: [{ url: canary }] },
    { deadline: canary },
    { priority: canary },
  ]) {
    bodies.push({ query: generate, variables: { input: { prompt: 'a fox', ...wrong } } })
  }
  const { GET: _, ...ways } = WAYS
  for (const body of bodies) {
    for (const [name, way] of Object.entries(ways)) {
      const heard = await way(server, body, secret)
      expect(codeIn(heard), `${name}: ${heard.text}`).toSatisfy((code) => REFUSALS.includes(code))
      // A short word in the place of a name is echoed, a value never is.
      expect(heard.text.replace(/has no field \\"\w{1,40}\\"/, ''), name).not.toContain(canary)
    }
  }
  expect(log.join()).not.toContain(canary)
})

test('A39 an error of a scalar names the right form with an example', async () => {
  const generate = 'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { __typename } }'
  const told = async (input: object) =>
    (await post({ query: generate, variables: { input: { prompt: 'a fox', ...input } } })).text
  expect(await told({ maxCost: 0.04 })).toContain(
    'at \\"input.maxCost\\": expected Decimal. A Decimal is a decimal number as a string, such as \\"0.04\\".',
  )
  expect(await told({ seed: '1' })).toContain('such as 42.')
  expect(await told({ referenceImages: [{ url: 'fox.png' }] })).toContain('such as \\"https://example.com/fox.png\\".')
  expect(await told({ providerApiKey: 7 })).toContain('A Secret is text, such as \\"sk-…\\"')
  const literal = await post({
    query: 'mutation { generateImage(input: { prompt: "a fox", maxCost: 0.04 }) { __typename } }',
  })
  expect(literal.text).toContain('A Decimal is a decimal number as a string, such as \\"0.04\\".')
})

test('A55 a failure inside is masked on every way in, with the id under which the log has it', async () => {
  await using broken = await startApp({
    logger: createLogger({ level: 'error', pretty: false, destination: { write: (line) => void failures.push(line) } }),
  })
  const { database } = broken.app.foundations
  await database.transact((trx) => trx.schema.alterTable('generations').renameTo('hidden').execute())
  for (const [name, way] of Object.entries(WAYS)) {
    const heard = await way(broken, { query: '{ history { nodes { id } } }' })
    expect(heard.text, name).toContain('"message":"Unexpected error."')
    expect(heard.text, name).not.toMatch(/generations|sqlite|no such table|select|\.ts/i)
    const [, errorId = 'none'] = /"errorId":"([^"]+)"/.exec(heard.text) ?? []
    expect(failures.filter((line) => line.includes(errorId) && line.includes('no such table'))).toHaveLength(1)
    expect(heard.text).toMatch(/"requestId":"[^"]+"/)
  }
  await database.transact((trx) => trx.schema.alterTable('hidden').renameTo('generations').execute())
})

const failures: string[] = []
