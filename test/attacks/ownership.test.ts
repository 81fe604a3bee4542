import { afterAll, beforeAll, expect, it } from 'vitest'
import {
  GenerationDocument,
  HistoryDocument,
  HistoryUpdatesDocument,
  ImageStatusDocument,
  UsageDocument,
} from '../../schema/generated/operations.ts'
import { createIds } from '../../src/ids.ts'
import { createToken } from '../support/access.ts'
import { generate, make, QUICK, quick } from '../support/generating.ts'
import type { GraphqlClient } from '../support/graphql-client.ts'
import { readMetric, untilSubscribed } from '../support/metrics.ts'
import { createTestAccount, startApp, type TestAccount, type TestApp } from '../support/start-app.ts'
import { createTinyPng } from '../support/tiny-png.ts'
import { upload } from '../support/uploading.ts'
import { collect, createWatchClient, watch } from '../support/watch-client.ts'

type Kind = 'gen' | 'running' | 'img' | 'att' | 'upl' | 'key' | 'acc'
type Things = Readonly<Record<Kind, string>>
type Prober = { readonly who: string; readonly secret: string }

const ERRORS = '__typename ... on UserError { code message } ... on InvalidInputError { fields { path message } }'
const ids = createIds()

let server: TestApp
let account: TestAccount
let owner: GraphqlClient
let ada: GraphqlClient
let adasToken: string
let probers: readonly Prober[]
/** What is ada's, of the account that bob is an end user of as well. */
let theirs: Things

beforeAll(async () => {
  server = await startApp()
  account = await createTestAccount(server.app)
  const stranger = await createTestAccount(server.app)
  owner = server.clientOf(account.secret)
  adasToken = await createToken(owner, { endUser: 'ada' })
  ada = server.clientOf(adasToken)
  const bob = await createToken(owner, { endUser: 'bob', scopes: ['generate', 'read', 'admin'] })
  probers = [
    { who: 'another end user of the account', secret: bob },
    { who: 'another account', secret: stranger.secret },
    { who: 'an end user of another account, of the same name', secret: await tokenOf(stranger.secret, 'ada') },
  ]
  theirs = await makeThings(account)
})
afterAll(() => server[Symbol.asyncDispose]())

/** One of each, of ada's. */
async function makeThings({ keyId, accountId }: TestAccount): Promise<Things> {
  const { id: gen } = await make(ada, { ...QUICK, tags: ['adas'], prompt: `${QUICK.prompt} wombat` })
  const { generation } = await ada.run(GenerationDocument, { id: gen })
  const { generation: running } = await generate(ada, quick('delay=600000'))
  const { id: upl } = await upload(server.url, adasToken, createTinyPng(1))
  const [img = '', att = ''] = [generation?.images[0]?.id, generation?.attempts[0]?.id]
  return { gen, running: running.id, img, att, upl, key: keyId, acc: accountId }
}

function tokenOf(secret: string, endUser: string): Promise<string> {
  return createToken(server.clientOf(secret), { endUser, scopes: ['generate', 'read', 'admin'] })
}

/** Ids that look like those of the same kind and were never given out. */
function unknown(): Things {
  const next = (prefix: Parameters<typeof ids.next>[0]) => ids.next(prefix)
  return {
    gen: next('gen'),
    running: next('gen'),
    img: next('img'),
    att: next('att'),
    upl: next('upl'),
    key: next('key'),
    acc: next('acc'),
  }
}

const PROBES: readonly { readonly document: string; variables(of: Things): object }[] = [
  { document: 'query ($id: ID!) { generation(id: $id) { id prompt } }', variables: ({ gen }) => ({ id: gen }) },
  ...(['gen', 'running', 'img', 'att', 'upl'] as const).map((kind) => ({
    document: 'query ($id: ID!) { node(id: $id) { id } }',
    variables: (of: Things) => ({ id: of[kind] }),
  })),
  {
    document: 'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }',
    variables: ({ gen, running, img, att, upl }) => ({ ids: [gen, running, img, att, upl] }),
  },
  ...['running', 'gen'].flatMap((kind) =>
    ['cancelGeneration', 'deleteGeneration'].map((name) => ({
      document: `mutation ($id: ID!) { ${name}(id: $id) { ${ERRORS.replace(' ... on InvalidInputError { fields { path message } }', '')} } }`,
      variables: (of: Things) => ({ id: of[kind as Kind] }),
    })),
  ),
  ...['running', 'gen', 'img'].map((kind) => ({
    document: `mutation ($id: ID!) { retryGeneration(id: $id, overrides: { count: 2 }, idempotencyKey: "k") { ${ERRORS} } }`,
    variables: (of: Things) => ({ id: of[kind as Kind] }),
  })),
  ...(['generateImage', 'estimateCost'] as const).flatMap((name) =>
    [
      (of: Things) => ({ referenceImages: [{ imageId: of.img }] }),
      (of: Things) => ({ referenceImages: [{ uploadId: of.upl }] }),
      (of: Things) => ({ referenceImages: [{ base64: tiny }], mask: { uploadId: of.upl } }),
      (of: Things) => ({ referenceImages: [{ imageId: of.upl }, { uploadId: of.img }] }),
    ].map((pictures) => ({
      document: `${name === 'generateImage' ? 'mutation' : 'query'} ($input: GenerateImageInput!) { ${name}(input: $input) { ${ERRORS} } }`,
      variables: (of: Things) => ({ input: { ...QUICK, ...pictures(of) } }),
    })),
  ),
]

const tiny = Buffer.from(createTinyPng(2)).toString('base64')

/** What is said, with what must differ taken out. */
function bare(answer: object, of: Things): string {
  const text = JSON.stringify(answer)
  const named = Object.entries(of).reduce((left, [kind, id]) => left.replaceAll(id, `<${kind}>`), text)
  return named.replaceAll(/"requestId":"[^"]*"/g, '')
}

async function probe(client: GraphqlClient, of: Things): Promise<readonly string[]> {
  const said: string[] = []
  for (const { document, variables } of PROBES) {
    const { status, data, errors } = await client.ask(document, { ...variables(of) })
    said.push(bare({ status, data, errors }, of))
  }
  return said
}

it('A4 what is somebody else’s answers every query and mutation as what there is not', async () => {
  for (const { who, secret } of probers) {
    const client = server.clientOf(secret)
    const about = { foreign: await probe(client, theirs), unknown: await probe(client, unknown()) }
    expect(about.foreign, who).toEqual(about.unknown)
    expect(about.foreign.filter((text) => /Success"|CostEstimate"|INTERNAL/.test(text))).toEqual([])
  }
  // The same questions of their owner have answers; they cancel and delete, so they are asked of others like these.
  const own = await probe(ada, await makeThings(account))
  expect(own.filter((text) => /Success"|CostEstimate"|"node":\{|"generation":\{/.test(text)).length).toBeGreaterThan(10)
})

it('A4 keys and accounts of others are as what there is not, and take no order', async () => {
  const stranger = server.clientOf(probers[1]?.secret ?? '')
  const ask = async (of: Things) => {
    const revoked = await stranger.ask(`mutation { revokeApiKey(id: "${of.key}") { __typename } }`)
    const nodes = await stranger.ask(`{ nodes(ids: ["${of.key}", "${of.acc}"]) { id } }`)
    return bare([revoked.data, revoked.errors, nodes.data, nodes.errors], of)
  }
  expect(await ask(theirs)).toBe(await ask(unknown()))
  expect((await owner.ask('{ viewer { account { id } } }')).status).toBe(200)
})

it('A5 a foreign generation cannot be watched, over SSE or WebSocket, with its own cursor or without', async () => {
  const [first] = await collect(ada.stream(ImageStatusDocument, { id: theirs.gen }))
  for (const { who, secret } of probers) {
    const socket = createWatchClient({ url: server.wsUrl, connectionParams: { authorization: `Bearer ${secret}` } })
    for (const id of [theirs.gen, theirs.running, ids.next('gen'), theirs.img]) {
      for (const after of [undefined, first?.data?.imageStatus.cursor]) {
        const [answer] = await collect(server.clientOf(secret).stream(ImageStatusDocument, { id, after }))
        expect(answer?.errors[0]?.extensions.code, who).toBe('NOT_FOUND')
        await expect(collect(watch(socket, id, after))).rejects.toMatchObject([{ extensions: { code: 'NOT_FOUND' } }])
      }
    }
    await socket.dispose()
  }
  expect(await readMetric(server.origin, 'pictor_subscriptions')).toBe(0)
})

it('A5 the feed of an account or end user tells of nobody else, and takes no cursor of another account', async () => {
  const feeds = probers.map(({ secret }) => server.clientOf(secret).stream(HistoryUpdatesDocument, {}))
  const firsts = feeds.map((feed) => feed.next())
  const all = owner.stream(HistoryUpdatesDocument, {})
  const ofOwner = all.next()
  await untilSubscribed(server.origin, probers.length + 1)
  await make(ada, QUICK)
  const made = await Promise.all(
    probers.map(async ({ secret }) => (await generate(server.clientOf(secret), QUICK)).generation.id),
  )
  // The first that each is told of is its own, although ada's was made before.
  const told = await Promise.all(firsts.map(async (first) => (await first).value?.data?.historyUpdates.generation.id))
  expect(told).toEqual(made)

  const cursor = (await ofOwner).value?.data?.historyUpdates.cursor
  for (const { who, secret } of probers.slice(1)) {
    const [answer] = await collect(server.clientOf(secret).stream(HistoryUpdatesDocument, { after: cursor }))
    expect(answer?.errors[0]?.extensions.code, who).toBe('BAD_USER_INPUT')
  }
  for (const feed of [...feeds, all]) await feed.return(undefined)
})

it('A101 end users of one account see and count what is their own, whatever they filter by', async () => {
  const bob = server.clientOf(probers[0]?.secret ?? '')
  const { id: own } = await make(bob, QUICK)
  const range = { from: '2026-01-01T00:00:00.000Z', to: '2100-01-01T00:00:00.000Z' }
  for (const filter of [{}, { tag: 'adas' }, { endUser: 'ada' }, { search: 'wombat' }, { status: ['RUNNING'] }]) {
    const { data } = await bob.ask<{ history: { totalCount: number; nodes: { id: string; endUser: string }[] } }>(
      'query ($filter: HistoryFilter) { history(first: 100, filter: $filter) { totalCount nodes { id endUser } } }',
      { filter },
    )
    expect(new Set(data?.history.nodes.map(({ endUser }) => endUser))).toEqual(
      new Set(Object.keys(filter).length === 0 ? ['bob'] : []),
    )
    expect(data?.history.totalCount).toBe(data?.history.nodes.length)
  }
  for (const groupBy of ['DAY', 'MODEL', 'PROVIDER', 'TAG', 'END_USER'] as const) {
    const { usage } = await bob.run(UsageDocument, { ...range, groupBy })
    const { history } = await bob.run(HistoryDocument, { first: 100 })
    expect(usage.reduce((sum, { generations }) => sum + generations, 0)).toBe(history.edges.length)
    expect(usage.map(({ key }) => key)).not.toContain(groupBy === 'TAG' ? 'adas' : 'ada')
  }
  // The cursor of somebody else's generation is a place in the order and shows nothing of theirs.
  const cursor = Buffer.from(theirs.gen).toString('base64url')
  for (const page of [{ after: cursor }, { first: 100 }]) {
    const { history } = await bob.run(HistoryDocument, page)
    expect(history.edges.map(({ node }) => node.id)).not.toContain(theirs.gen)
  }
  expect((await bob.run(GenerationDocument, { id: own })).generation?.id).toBe(own)
})

it('A102 an idempotency key answers each account and end user with what is their own', async () => {
  const input = { ...QUICK, idempotencyKey: 'the same for all' }
  const makers = [owner, ada, ...probers.map(({ secret }) => server.clientOf(secret))]
  const made = await Promise.all(makers.map((client) => generate(client, input)))
  expect(new Set(made.map(({ generation }) => generation.id)).size).toBe(makers.length)
  expect(made.map(({ replayed }) => replayed)).toEqual(makers.map(() => false))
  // Another request under the key is a conflict for whoever used it, and nobody's id is told to anybody else.
  const conflict = await ada.ask<{ generateImage: object }>(
    `mutation ($input: GenerateImageInput!) { generateImage(input: $input) { ${ERRORS} ... on IdempotencyConflictError { generation { id } } } }`,
    { input: { ...input, seed: 1 } },
  )
  expect(conflict.data?.generateImage).toMatchObject({
    __typename: 'IdempotencyConflictError',
    generation: { id: made[1]?.generation.id },
  })
})

it('A103 a token of an end user speaks for nobody else, in a request, a retry or a token', async () => {
  const bob = server.clientOf(probers[0]?.secret ?? '')
  const asked = await bob.ask<{ generateImage: { fields: { path: string }[] } }>(
    `mutation ($input: GenerateImageInput!) { generateImage(input: $input) { ${ERRORS} } }`,
    { input: { ...QUICK, endUser: 'ada' } },
  )
  expect(asked.data?.generateImage.fields.map(({ path }) => path)).toEqual(['endUser'])
  for (const wider of ['endUser: "ada"', 'scopes: ["admin"]', 'expiresInSeconds: 86400']) {
    const made = await bob.ask(`mutation { createToken(input: { ${wider} }) { __typename } }`)
    expect(made.errors[0]?.extensions.code ?? made.data, wider).toBe('FORBIDDEN')
  }
  const key = await bob.ask('mutation { createApiKey(input: { name: "x", scopes: ["read"] }) { __typename } }')
  expect(key.errors[0]?.extensions.code).toBe('FORBIDDEN')
})
