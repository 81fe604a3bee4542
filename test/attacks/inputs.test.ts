import { afterAll, beforeAll, expect, it } from 'vitest'
import { GenerationDocument, HistoryDocument, ImageStatusDocument } from '../../schema/generated/operations.ts'
import { type AppsOnDatabases, startAppsOnDatabases } from '../support/apps-on-databases.ts'
import { make, QUICK, refuse, request } from '../support/generating.ts'
import type { GraphqlClient } from '../support/graphql-client.ts'
import { createTestAccount, PRICED_PAINTER } from '../support/start-app.ts'
import { collect } from '../support/watch-client.ts'

let servers: AppsOnDatabases
let callers: readonly { readonly database: string; readonly client: GraphqlClient; readonly secret: string }[]

beforeAll(async () => {
  servers = await startAppsOnDatabases({ models: [PRICED_PAINTER] })
  callers = await Promise.all(
    servers.apps.map(async ({ database, app }) => {
      const account = await createTestAccount(app.app, { limits: { requestsPerMinute: 100_000 } })
      return { database, client: app.clientOf(account.secret), secret: account.secret }
    }),
  )
})
afterAll(() => servers[Symbol.asyncDispose]())

/** No fault of ours: what was sent is answered as what it is. */
const EXPECTED_CODES = ['NOT_FOUND', 'BAD_USER_INPUT', 'GRAPHQL_VALIDATION_FAILED', 'GRAPHQL_PARSE_FAILED']

/** A page that would cost too much is refused for that, before its size is looked at. */
const REFUSED_PAGE = ['BAD_USER_INPUT', 'QUERY_TOO_COMPLEX']

const HOSTILE_TEXTS: readonly string[] = [
  '',
  ' ',
  '\0',
  'gen_\0',
  '\ud800',
  '\u202egen_',
  'gen_',
  "gen_' or '1'='1",
  'gen_"; drop table generations; --',
  'gen_%',
  '__proto__',
  'constructor',
  '../../etc/passwd',
  'sandbox/painter',
  'sandbox',
  'x'.repeat(10_000),
  '\r\nx-evil: 1',
  '{"evil":1}',
]

it('A6 an id of another type, of any length, with SQL, NUL or look-alike letters names nothing', async () => {
  for (const { database, client } of callers) {
    const { id } = await make(client, QUICK)
    const { generation } = await client.run(GenerationDocument, { id })
    const image = generation?.images[0]?.id ?? ''
    const near = [id.toUpperCase(), `${id} `, `${id}\n`, `${id}\0`, id.replace('e', '\u0435'), ` ${id}`, image]
    for (const wrong of [...HOSTILE_TEXTS, ...near]) {
      for (const document of [
        'query ($id: ID!) { found: generation(id: $id) { id } }',
        'mutation ($id: ID!) { cancelGeneration(id: $id) { ... on CancelGenerationSuccess { found: generation { id } } } }',
        'mutation ($id: ID!) { deleteGeneration(id: $id) { ... on DeleteGenerationSuccess { found: id } } }',
        'mutation ($id: ID!) { retryGeneration(id: $id) { ... on GenerateImageSuccess { found: generation { id } } } }',
        'query ($id: ID!) { history(after: $id) { nodes { id } } }'.replace('$id: ID!', '$id: String!'),
      ]) {
        const { data, errors, status } = await client.ask(document, { id: wrong })
        expect({ database, document, wrong, found: JSON.stringify(data).includes('found":{') }).toEqual({
          database,
          document,
          wrong,
          found: false,
        })
        expect(status).toBeLessThan(500)
        for (const { extensions } of errors) expect(EXPECTED_CODES).toContain(extensions.code)
      }
      const [watched] = await collect(client.stream(ImageStatusDocument, { id: wrong }))
      expect(['NOT_FOUND', 'BAD_USER_INPUT'], `${database} ${wrong}`).toContain(watched?.errors[0]?.extensions.code)
      const node = await client.ask('query ($id: ID!) { node(id: $id) { __typename } }', { id: wrong })
      for (const { extensions } of node.errors) expect(EXPECTED_CODES).toContain(extensions.code)
    }
    // All of it is still there.
    expect((await client.run(GenerationDocument, { id })).generation?.images).toHaveLength(1)
  }
})

it('A7 forged cursors, and pages below, above and in both directions, are refused', async () => {
  for (const { database, client } of callers) {
    const { events } = await make(client, QUICK)
    const feedCursor = events[0]?.cursor
    const pages = [
      { first: -1 },
      { first: 0 },
      { first: 101 },
      { first: 2_147_483_647 },
      { last: -1 },
      { last: 2_147_483_647 },
      { first: 1, last: 1 },
      ...[...HOSTILE_TEXTS, feedCursor, 'Z2VuX3h5eg==', 'Z2VuX3h5eg\n', 'W10', 'eyJpZCI6MX0'].flatMap((cursor) => [
        { after: cursor },
        { before: cursor },
      ]),
    ]
    for (const page of pages) {
      const { data, errors } = await client.ask(
        'query ($first: Int, $last: Int, $after: String, $before: String) { history(first: $first, last: $last, after: $after, before: $before) { nodes { id } } }',
        page,
      )
      expect({ database, page, data, isRefused: REFUSED_PAGE.includes(String(errors[0]?.extensions.code)) }).toEqual({
        database,
        page,
        data: null,
        isRefused: true,
      })
    }
    for (const after of HOSTILE_TEXTS) {
      const { id } = await make(client, QUICK)
      const [watched] = await collect(client.stream(ImageStatusDocument, { id, after }))
      expect(watched?.errors[0]?.extensions.code, `${database} ${after}`).toBe('BAD_USER_INPUT')
    }
  }
})

it('A8 what is searched for is found literally, and ten thousand pairs of metadata are refused', async () => {
  for (const { database, client } of callers) {
    const words = [
      '100%',
      'snake_case',
      "o'hara",
      '"quoted"',
      'back\\slash',
      '%',
      '_',
      "';drop",
      '--',
      '$1',
      '?',
      '{x}',
    ]
    for (const word of words) await make(client, { ...QUICK, prompt: `${QUICK.prompt} ${word}`, tags: [word] })
    const count = async (filter: object) =>
      (await client.run(HistoryDocument, { first: 100, filter })).history.edges.flatMap(({ node }) => node.tags)
    for (const word of words) {
      expect(await count({ tag: word }), `${database} tag ${word}`).toEqual([word])
      const holding = words.filter((other) => other.includes(word))
      expect(new Set(await count({ search: word })), `${database} search ${word}`).toEqual(new Set(holding))
      expect(await count({ endUser: word })).toEqual([])
      expect(await count({ model: word })).toEqual([])
    }
    for (const text of HOSTILE_TEXTS.filter((each) => each.trim() !== '' && each.length <= 500)) {
      for (const field of ['tag', 'search', 'endUser', 'model', 'provider']) {
        const { errors } = await client.ask('query ($f: HistoryFilter) { history(filter: $f) { nodes { id } } }', {
          f: { [field]: text },
        })
        for (const { extensions } of errors)
          expect(extensions.code, `${database} ${field} ${text}`).toBe('BAD_USER_INPUT')
      }
    }
    const metadata = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`k${index}`, index]))
    const refused = await refuse(client, 'InvalidInputError', { ...QUICK, metadata })
    expect(refused.fields.map(({ path }) => path)).toEqual(['metadata'])
  }
})

it('A33 a prompt is kept and given back byte for byte, or refused by its field', async () => {
  const kept = [
    '  spaces around  ',
    '\u202eright to left\u202c',
    '👩‍👩‍👧‍👦 a family, 🏳️‍🌈 and 𝕬 letters',
    '{"evil":1}',
    '[1,2,3]',
    'null',
    '"',
    '=cmd|/c calc',
    '</script><script>alert(1)</script>',
    `${'\n'.repeat(100)}far below`,
    '\u001b[31mred\u0007',
    '{prompt} {seed} $prompt {{prompt}} %s',
    "'; drop table generations; --",
    '\u2028\u2029',
    'e\u0301 is not é',
    'a'.repeat(3_900),
  ].map((text) => (text.length > 3_000 ? text : `${text}[[sandbox delay=0]]`))
  const refused = ['', ' \n\t ', 'a'.repeat(1_000_000), 'lone \ud800', '\udc00', 'nul \0', '\0']
  for (const { database, client } of callers) {
    for (const prompt of kept) {
      const { id } = await make(client, { ...QUICK, prompt, negativePrompt: null })
      const { generation } = await client.run(GenerationDocument, { id })
      expect(generation?.prompt === prompt, `${database} ${prompt.slice(0, 40)}`).toBe(true)
    }
    for (const prompt of refused) {
      const { status, data, errors } = await client.ask<{ generateImage: { fields?: { path: string }[] } }>(
        'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { ... on InvalidInputError { fields { path } } } }',
        { input: { ...QUICK, prompt } },
      )
      const paths = data?.generateImage.fields?.map(({ path }) => path)
      const isTooLarge = status === 413 && errors.length === 1
      expect(isTooLarge ? ['prompt'] : paths, `${database} ${JSON.stringify(prompt.slice(0, 20))}`).toEqual(['prompt'])
    }
  }
})

it('A34 options of a provider cannot reach prototypes, addresses, counts or users, nor be endless', async () => {
  const deep = Array.from({ length: 1_000 }).reduce<unknown>((inner) => ({ a: inner }), 1)
  const options = [
    '{"__proto__": {"count": 99}}',
    '{"constructor": {"prototype": {"count": 99}}}',
    '{"prototype": 1}',
    JSON.stringify({ blob: 'x'.repeat(1_000_000) }),
    JSON.stringify(deep),
    '{"n": 1000}',
    '{"response_format": "url"}',
    '{"user": "somebody"}',
    '{"webhook": "http://127.0.0.1/"}',
    '{"base_url": "http://127.0.0.1/"}',
    '{"model": "sandbox/other"}',
    '[{"n": 2}]',
    '"n=2"',
    '1e400',
  ]
  for (const { database, client, secret } of callers) {
    for (const text of options) {
      const query =
        'mutation ($options: JSON) { generateImage(input: {prompt: "a fox [[sandbox delay=0]]", size: "64x64", providerOptions: $options}) { __typename ... on InvalidInputError { fields { path } } } }'
      const response = await fetch(client.url, {
        method: 'POST',
        headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
        body: `{"query": ${JSON.stringify(query)}, "variables": {"options": ${text}}}`,
      })
      const answer = await response.text()
      expect(response.status, `${database} ${text.slice(0, 40)}`).toBeLessThan(500)
      expect(answer).not.toMatch(/Success|INTERNAL/)
    }
    expect(({} as { count?: number }).count).toBeUndefined()
  }
})

it('A35 counts, sides, seeds and steps that no model has are refused at their fields', async () => {
  const cases: readonly (readonly [string, object])[] = [
    ['count', { count: 0 }],
    ['count', { count: -1 }],
    ['count', { count: 1_000_000_000 }],
    ['previews', { previews: -1 }],
    ['previews', { previews: 1_000_000_000 }],
    ['width', { size: null, width: 0, height: 64 }],
    ['width', { size: null, width: -64, height: 64 }],
    ['width', { size: null, width: 65_537, height: 64 }],
    ['height', { size: null, width: 64, height: 2_147_483_647 }],
    ['size', { size: '99999999999999999999x1' }],
    ['size', { size: '-64x64' }],
    ['size', { size: '64x64; rm -rf /' }],
    ['aspectRatio', { size: null, aspectRatio: '0:0' }],
    ['aspectRatio', { size: null, aspectRatio: '1e9:1' }],
    ['seed', { seed: -1 }],
    ['outputCompression', { outputCompression: 101 }],
    ['guidanceScale', { guidanceScale: -1 }],
    ['deadlineSeconds', { deadlineSeconds: 0 }],
    ['deadlineSeconds', { deadlineSeconds: 2_147_483_647 }],
  ]
  for (const { database, client } of callers) {
    for (const [path, change] of cases) {
      const result = await refuse(client, 'InvalidInputError', { ...QUICK, ...change })
      expect(result.fields.map((field) => field.path).join(), `${database} ${JSON.stringify(change)}`).toContain(path)
    }
    // What GraphQL's own types do not hold never reaches us.
    for (const [field, value] of [
      ['width', 1.5],
      ['count', 2_147_483_648],
      ['count', '2'],
      ['seed', 2 ** 64],
      ['seed', 1.5],
      ['guidanceScale', '7'],
    ]) {
      const { status, data } = await client.ask(
        'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { __typename } }',
        { input: { ...QUICK, [String(field)]: value } },
      )
      expect({ status, data }, `${field} ${value}`).toEqual({ status: 400, data: null })
    }
  }
})

it('A36 a highest cost that is no plain decimal is refused, and one that is holds to the last digit', async () => {
  const wrong = [
    '-1',
    '-0.01',
    '0',
    'NaN',
    'Infinity',
    '1e999',
    '1e2',
    '0x10',
    '1,5',
    ' 1',
    '1 ',
    '',
    '1'.repeat(40),
    '.',
  ]
  for (const { database, client } of callers) {
    for (const maxCost of [...wrong, '0.0000001', '9'.repeat(20), '٣']) {
      const { data, status } = await client.ask<{ generateImage: { __typename: string } }>(
        'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { __typename } }',
        { input: { ...QUICK, maxCost } },
      )
      const isRefused = status === 400 || data?.generateImage.__typename === 'InvalidInputError'
      expect({ maxCost, isRefused }, database).toEqual({ maxCost, isRefused: true })
    }
    // The painter costs 0.04: one millionth less is too little, the very amount is enough.
    expect((await request(client, { ...QUICK, maxCost: '0.039999' })).__typename).toBe('CostLimitError')
    expect((await request(client, { ...QUICK, maxCost: '0.040000' })).__typename).toBe('GenerateImageSuccess')
    expect((await request(client, { ...QUICK, count: 3, maxCost: '0.119999' })).__typename).toBe('CostLimitError')
  }
})
