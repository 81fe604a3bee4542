import { readdir } from 'node:fs/promises'
import { afterEach, expect, it } from 'vitest'
import { ImageStatusDocument } from '../../schema/generated/operations.ts'
import { type App, createApp } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import { createLogger } from '../../src/logger.ts'
import { createGraphqlClient, type GraphqlClient } from '../support/graphql-client.ts'
import { createScratchFolder } from '../support/scratch-folder.ts'
import { findTraces, findTracesInFiles } from '../support/traces.ts'
import { createFluxWire } from '../support/wire/flux.ts'
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts'

/** No pattern of the logger knows them: what keeps them out of the log is that nobody puts them there. */
const STORED = 'Canary0fTheAccount7Jq2Lw9Zk4Tn8'
const GIVEN = 'Canary0fTheRequest3Vb6Xm1Hd5Ry0'
const REPLACED = 'Canary0fEarlier8Gt4Pc2Ns6Wf1'
const CANARIES = [STORED, GIVEN, REPLACED]

const GENERATION = `id status problems { message providerCode } error { message } warnings { message }
  cost { ownKey charged { amount } } attempts { problem { message } providerJobId }
  events { kind message problem { message } }`
const GENERATE = `mutation ($input: GenerateImageInput!) { generateImage(input: $input) { __typename
  ... on GenerateImageSuccess { generation { ${GENERATION} } account { providerKeys { hint } } }
  ... on UserError { code message } ... on InvalidInputError { fields { path message allowed } } } }`
const SET = `mutation ($provider: ID!, $apiKey: Secret!) { setProviderKey(provider: $provider, apiKey: $apiKey) { __typename
  ... on SetProviderKeySuccess { providerKey { hint createdAt provider { id } } }
  ... on InvalidInputError { message fields { path message allowed } } } }`
const ESTIMATE = `query ($input: GenerateImageInput!) { estimateCost(input: $input) { __typename
  ... on CostEstimate { ownKey total { max { amount } } warnings { message } } ... on UserError { message } } }`

type Stage = {
  readonly client: GraphqlClient
  readonly wire: WireServer
  /** All that was answered and logged so far. */
  readonly said: string[]
  ask(document: string, variables?: object): Promise<string>
  restart(): Promise<void>
}

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function openStage(folder: string): Promise<Stage> {
  const wire = await startWireServer(createFluxWire)
  closing.push(() => wire.close())
  const said: string[] = []
  const destination = { write: (line: string) => void said.push(line) }
  const env = { PORT: '0', PICTOR_DATA_DIR: folder, PICTOR_DRAIN_SECONDS: '0', BFL_BASE_URL: wire.origin }
  let app: App
  let client: GraphqlClient

  async function start(): Promise<void> {
    app = await createApp(readConfig(env), { logger: createLogger({ level: 'trace', destination, pretty: false }) })
    await app.start()
    client = createGraphqlClient({ url: app.url })
  }
  await start()
  closing.push(() => app.stop())

  return {
    get client() {
      return client
    },
    wire,
    said,
    async ask(document, variables = {}) {
      const { data, errors, headers } = await client.ask(document, { ...variables })
      const text = JSON.stringify({ data, errors, headers: [...headers] })
      said.push(text)
      return text
    },
    async restart() {
      await app.stop()
      await start()
    },
  }
}

/** Asks, and follows it to its end. */
async function make(stage: Stage, input: object): Promise<void> {
  const [, id = ''] = /"(gen_\w+)"/.exec(await stage.ask(GENERATE, { input })) ?? []
  for await (const event of stage.client.stream(ImageStatusDocument, { id })) stage.said.push(JSON.stringify(event))
  expect(await stage.ask(`{ generation(id: "${id}") { ${GENERATION} } }`)).toContain('"ownKey":true')
}

const input = { prompt: 'a red fox', model: 'flux/flux-2-pro', size: '64x64' }

it('A40 provider keys of callers are to be read nowhere: not on disk, not in the log, not in an answer', {
  timeout: 60_000,
}, async () => {
  const { folder, remove } = await createScratchFolder()
  closing.push(remove)
  const stage = await openStage(folder)
  const { ask, wire, said } = stage
  await ask(SET, { provider: 'flux', apiKey: REPLACED })
  expect(await ask(SET, { provider: 'flux', apiKey: STORED })).toContain('••••4Tn8')

  // Well, refused, failed in each way that speaks of the key.
  for (const providerApiKey of [null, GIVEN]) {
    for (const mode of [
      'ok',
      'refused',
      'unauthorized',
      'quota',
      'invalid',
      'server_error',
      'reset',
      'failed',
      'broken',
    ]) {
      wire.script(`${mode} polls=0`)
      await make(stage, { ...input, providerApiKey, idempotencyKey: `${mode} ${providerApiKey === null}` })
    }
  }
  expect(new Set(wire.billable.map(({ headers }) => headers['x-key']))).toEqual(new Set([STORED, GIVEN]))

  // Canceled while it runs, and dropped by a server that ends.
  wire.script('ok held=job', 'ok held=job')
  for (const then of ['cancel', 'crash'] as const) {
    const before = wire.requests.length
    const [, id] = /"(gen_\w+)"/.exec(await ask(GENERATE, { input: { ...input, providerApiKey: GIVEN } })) ?? []
    await wire.until((request) => wire.requests.indexOf(request, before) >= 0 && request.path === '/v1/get_result')
    if (then === 'cancel') await ask(`mutation { cancelGeneration(id: "${id}") { __typename } }`)
    else {
      expect(await findTracesInFiles(folder, CANARIES)).toEqual([])
      const beforeRestart = wire.requests.length
      await stage.restart()
      wire.release()
      await wire.until(
        (request) => wire.requests.indexOf(request, beforeRestart) >= 0 && request.path.startsWith('/samples/'),
      )
      const looks = wire.requests.slice(beforeRestart).filter(({ path }) => path === '/v1/get_result')
      expect(new Set(looks.map(({ headers }) => headers['x-key']))).toEqual(new Set([GIVEN]))
    }
  }

  // Put into wrong places, in each way in which GraphQL would repeat them.
  for (const wrong of [` ${GIVEN}`, `${GIVEN}\n`, `${GIVEN}é`]) {
    expect(await ask(GENERATE, { input: { ...input, providerApiKey: wrong } })).toContain('printable ASCII')
    expect(await ask(SET, { provider: 'flux', apiKey: wrong })).toContain('printable ASCII')
  }
  await ask(SET, { provider: 'sandbox', apiKey: GIVEN })
  await ask(SET, { provider: 'flux', apiKey: [GIVEN] })
  await ask(SET, { provider: 'flux', apiKey: { key: GIVEN } })
  await ask(GENERATE, { input: { ...input, providerApiKey: { key: GIVEN } } })
  await ask(GENERATE, { input: { ...input, providerApiKey: [GIVEN] } })
  await ask(GENERATE, { input: { ...input, size: 'large', providerApiKey: GIVEN } })
  await ask(GENERATE, { input: { prompt: 'a red fox', providerApiKey: GIVEN } })
  await ask(GENERATE, { input: { ...input, count: 99, providerApiKey: GIVEN } })
  await ask(`mutation { setProviderKey(provider: "flux", apiKey: "${GIVEN}" nope: 1) { __typename } }`)
  await ask(`mutation { setProviderKey(provider: "flux", apiKey: ${GIVEN}) { __typename } }`)
  await ask(`mutation { setProviderKey(provider: "flux", apiKey: ["${GIVEN}"]) { __typename } }`)
  await ask(`mutation { setProviderKey(provider: "flux", apiKey: "${GIVEN}") { __typename } `)
  await ask(ESTIMATE, { input: { ...input, providerApiKey: GIVEN } })
  await ask('{ viewer { account { providerKeys { hint createdAt provider { id configured } } } } }')
  await ask('mutation { removeProviderKey(provider: "bfl") { __typename } }')

  expect(said.length).toBeGreaterThan(100)
  expect(said.flatMap((text) => findTraces(text, text, CANARIES))).toEqual([])
  expect((await readdir(folder)).sort()).toEqual(expect.arrayContaining(['pictor.db', 'pictor.db-wal']))
  expect(await findTracesInFiles(folder, CANARIES)).toEqual([])
})

it('A40 a key would be found in each of the forms that are looked for', () => {
  const [canary = ''] = CANARIES
  const forms = [
    canary,
    Buffer.from(canary).toString('hex'),
    ...['', 'a', 'ab', 'abc'].map((before) => Buffer.from(`${before}${canary}after`).toString('base64')),
    ...['', 'a', 'ab', 'abc'].map((before) => Buffer.from(`${before}${canary}after`).toString('base64url')),
    Buffer.from(canary, 'utf16le').toString('latin1'),
  ]
  for (const form of forms) expect(findTraces('here', `x${form}y`, CANARIES), form).not.toEqual([])
  expect(findTraces('here', 'nothing', CANARIES)).toEqual([])
})
