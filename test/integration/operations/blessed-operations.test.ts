import { readdir, readFile } from 'node:fs/promises'
import { type OperationDefinitionNode, parse } from 'graphql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as operations from '../../../schema/generated/operations.ts'
import { follow, generate, make, QUICK, quick } from '../../support/generating.ts'
import { untilSubscribed } from '../../support/metrics.ts'
import { startApp, type TestApp } from '../../support/start-app.ts'
import { collect, createWatchClient, expectWholeStory, kindsOf, watch } from '../../support/watch-client.ts'

const FOLDER = new URL('../../../schema/operations/', import.meta.url)

/** Every operation of schema/operations, as its file has it and not as the generated documents do. */
async function readOperations(): Promise<Map<string, string>> {
  const files = await readdir(FOLDER)
  const texts = await Promise.all(files.map((file) => readFile(new URL(file, FOLDER), 'utf8')))
  return new Map(texts.flatMap((text) => namesIn(text).map((name) => [name, text] as const)))
}

function namesIn(text: string): string[] {
  return parse(text)
    .definitions.filter((node): node is OperationDefinitionNode => node.kind === 'OperationDefinition')
    .map((node) => node.name?.value ?? '')
}

let server: TestApp
let finished: string

beforeAll(async () => {
  server = await startApp()
  finished = (await make(server.client, { ...QUICK, count: 2, tags: ['shop'] })).id
})
afterAll(() => server[Symbol.asyncDispose]())

describe('the operations that clients copy', () => {
  it('all run over HTTP without an error, as they stand in their files', async () => {
    const { id: toDelete } = await make(server.client, QUICK)
    const { generation: waiting } = await generate(server.client, quick('delay=60000'))
    const day = { from: '2026-01-01T00:00:00.000Z', to: '2100-01-01T00:00:00.000Z', groupBy: 'MODEL' }
    const plan: readonly (readonly [string, object])[] = [
      ['Viewer', {}],
      ['Models', { filter: { available: true } }],
      ['EstimateCost', { input: QUICK }],
      ['GenerateImage', { input: QUICK }],
      ['Generation', { id: finished }],
      ['History', { first: 5, filter: { status: ['COMPLETED'], search: 'fox' } }],
      ['RetryGeneration', { id: finished, overrides: { seed: 7 } }],
      ['CancelGeneration', { id: waiting.id }],
      ['DeleteGeneration', { id: toDelete }],
      ['Usage', day],
      ['ApiKeys', {}],
      ['CreateToken', { input: { endUser: 'user-17' } }],
      ['RevokeApiKey', { id: 'key_none' }],
      ['SetProviderKey', { provider: 'black-forest-labs', apiKey: 'a-key-of-our-own' }],
      ['ProviderKeys', {}],
      ['RemoveProviderKey', { provider: 'flux' }],
      ['CreateWebhookEndpoint', { input: { url: 'https://app.example.com/hooks', events: ['GENERATION_FAILED'] } }],
      ['WebhookEndpoints', {}],
      ['UpdateWebhookEndpoint', { id: 'whk_none', input: { enabled: false } }],
      ['RotateWebhookSecret', { id: 'whk_none' }],
      ['DeleteWebhookEndpoint', { id: 'whk_none' }],
      ['RedeliverWebhook', { id: 'whd_none' }],
    ]
    const texts = await readOperations()
    const told: string[] = []
    for (const [name, variables] of plan) {
      const { status, errors } = await server.client.ask(texts.get(name) ?? '', { ...variables })
      expect({ name, status, errors }).toEqual({ name, status: 200, errors: [] })
      told.push(name)
    }
    // CreateApiKey closes the open door behind itself; access.test.ts runs it.
    // UploadImage comes by multipart request: uploads.test.ts runs it.
    const elsewhere = ['CreateApiKey', 'ImageStatus', 'HistoryUpdates', 'UploadImage']
    expect([...texts.keys()].sort()).toEqual([...told, ...elsewhere].sort())
  })

  it('tells the same story over server-sent events and over WebSocket', async () => {
    const client = createWatchClient({ url: server.wsUrl })
    const bySocket = await collect(watch(client, finished))
    const byStream = await follow(server.client, finished)
    await client.dispose()
    expect(kindsOf(bySocket)).toEqual(['QUEUED', 'STARTED', 'IMAGE_READY', 'IMAGE_READY', 'COMPLETED'])
    expect(bySocket.map(({ cursor, at, kind }) => ({ cursor, at, kind }))).toEqual(
      byStream.map(({ cursor, at, kind }) => ({ cursor, at, kind })),
    )
    expectWholeStory(bySocket)
  })

  it('goes on behind any cursor, and behind the last one with nothing', async () => {
    const events = await follow(server.client, finished)
    const client = createWatchClient({ url: server.wsUrl })
    for (const [index, { cursor }] of events.entries()) {
      const rest = await collect(watch(client, finished, cursor))
      expect(rest.map((event) => event.sequence)).toEqual(events.slice(index + 1).map((event) => event.sequence))
    }
    await client.dispose()
  })

  it('honours Last-Event-ID like `after`', async () => {
    const [, second, third] = await collect(server.client.stream(operations.ImageStatusDocument, { id: finished }))
    const options = { lastEventId: second?.id ?? '' }
    const [next] = await collect(server.client.stream(operations.ImageStatusDocument, { id: finished }, options))
    expect(next?.id).toBe(third?.id)
    expect(next?.id).toBe(next?.data?.imageStatus.cursor)
  })

  it('ends a watch of an unknown generation with NOT_FOUND on both transports', async () => {
    const streamed = collect(server.client.stream(operations.ImageStatusDocument, { id: 'gen_none' }))
    expect(await streamed).toMatchObject([{ id: null, data: null, errors: [{ extensions: { code: 'NOT_FOUND' } }] }])
    const client = createWatchClient({ url: server.wsUrl })
    await expect(collect(watch(client, 'gen_none'))).rejects.toMatchObject([{ extensions: { code: 'NOT_FOUND' } }])
    await client.dispose()
  })

  it('refuses the cursor of another generation', async () => {
    const other = await make(server.client, QUICK)
    const client = createWatchClient({ url: server.wsUrl })
    const misled = collect(watch(client, finished, other.last.cursor))
    await expect(misled).rejects.toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }])
    await client.dispose()
  })

  it('streams the account’s feed in order and resumes it by cursor', async () => {
    const controller = new AbortController()
    const feed = server.client.stream(operations.HistoryUpdatesDocument, {}, { signal: controller.signal })
    const first = feed.next()
    // The feed begins with what happens next, so it must be attached before anything does.
    await untilSubscribed(server.origin, 1)
    const { generation } = await generate(server.client, QUICK)
    const seen: string[] = []
    const cursors: string[] = []
    for (let next = await first; !next.done; next = await feed.next()) {
      const event = next.value.data?.historyUpdates
      if (event?.generation.id !== generation.id) continue
      seen.push(event.kind)
      cursors.push(event.cursor)
      if (event.kind === 'COMPLETED') break
    }
    controller.abort()
    expect(seen).toEqual(['QUEUED', 'STARTED', 'IMAGE_READY', 'COMPLETED'])

    const again = server.client.stream(operations.HistoryUpdatesDocument, { after: cursors[1] ?? '' })
    const resumed = [await again.next(), await again.next()]
    await again.return()
    expect(resumed.map((next) => (next.done ? null : next.value.data?.historyUpdates.kind))).toEqual([
      'IMAGE_READY',
      'COMPLETED',
    ])
  })
})
