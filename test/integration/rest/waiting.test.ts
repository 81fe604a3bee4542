import type OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { Viewer } from '../../../src/viewer.ts'
import { viewerOf } from '../../support/house.ts'
import { untilSubscribed } from '../../support/metrics.ts'
import { askRest, createSdk, type RestAnswer } from '../../support/rest.ts'
import { createScratchFolder } from '../../support/scratch-folder.ts'
import { createTestAccount, startApp, type TestAccount, type TestApp } from '../../support/start-app.ts'

const SLOW = { prompt: 'a red fox in snow [[sandbox delay=600000]]', size: '64x64' } as const
const QUICK = { prompt: 'a red fox in snow [[sandbox delay=0]]', size: '64x64' } as const

let app: TestApp
beforeAll(async () => {
  app = await startApp({ limits: { waitMs: 600, reauthenticateMs: 100 } })
})
afterAll(() => app[Symbol.asyncDispose]())

function ask(account: TestAccount, body: object, headers: Readonly<Record<string, string>> = {}): Promise<RestAnswer> {
  return askRest(app, '/images/generations', { secret: account.secret, body, headers })
}

/** What a stream ends with, where that is an error. */
async function readStream(sdk: OpenAI, body: typeof SLOW): Promise<unknown> {
  try {
    for await (const _ of await sdk.images.generate({ ...body, stream: true }));
    return null
  } catch (error) {
    return error
  }
}

/** Resolves when a generation of the account runs. */
async function untilRunning({ app: { domain } }: TestApp, viewer: Viewer): Promise<void> {
  const { items } = await domain.reader.history(viewer, PAGE)
  if (items.some(({ status }) => status === 'RUNNING')) return
  for await (const { event } of await domain.watcher.watchAll(viewer, null)) if (event.kind === 'STARTED') return
}

const FILTER = { status: null, model: null, provider: null, tag: null, endUser: null, search: null }
const PAGE = {
  filter: { ...FILTER, createdAfter: null, createdBefore: null },
  limit: 1,
  direction: 'forward',
  after: null,
  before: null,
} as const

describe('a call that is kept waiting', () => {
  it('ends after its time with the way to what goes on, and forbids to make it anew', async () => {
    const account = await createTestAccount(app.app)
    const { status, headers, body } = await ask(account, SLOW)
    expect(status).toBe(504)
    expect(body.error).toMatchObject({ code: 'still_running', type: 'server_error', param: null })
    expect(headers.get('x-should-retry')).toBe('false')
    expect(headers.get('location')).toBe(`/v1/images/generations/${body.error?.generation_id}`)
    const found = await askRest(app, `/images/generations/${body.error?.generation_id}`, { secret: account.secret })
    expect(found.body.status).toBe('running')
  })

  it('is answered with what there is where it prefers to wait no longer', async () => {
    const account = await createTestAccount(app.app)
    const { status, headers, body } = await ask(account, SLOW, { prefer: 'wait=0' })
    expect(status).toBe(202)
    expect(headers.get('preference-applied')).toBe('wait=0')
    expect(body).toMatchObject({ id: expect.stringMatching(/^gen_/), data: [] })
  })

  it('is answered at once where it prefers so, and the pictures are found by the address', async () => {
    const account = await createTestAccount(app.app)
    const { status, headers, body } = await ask(account, QUICK, { prefer: 'respond-async' })
    expect(status).toBe(202)
    expect(headers.get('preference-applied')).toBe('respond-async')
    expect(body).toMatchObject({ status: expect.stringMatching(/^(queued|running|completed)$/) })
    const path = headers.get('location')?.replace('/v1', '') ?? ''
    const ended = await askRest(app, path, { secret: account.secret, headers: { prefer: 'wait=20' } })
    expect(ended.body).toMatchObject({ id: body.id, status: 'completed', data: [{ width: 64 }] })
  })

  it('takes a place among the subscriptions of its account, and makes nothing where there is none', async () => {
    const account = await createTestAccount(app.app, { limits: { subscriptions: 1 } })
    const hangUp = new AbortController()
    const request = { secret: account.secret, body: { ...SLOW, stream: true }, signal: hangUp.signal }
    const first = askRest(app, '/images/generations', request).catch(() => null)
    await untilSubscribed(app.origin, 1)
    const second = await ask(account, QUICK)
    expect(second.status).toBe(429)
    expect(second.body.error).toMatchObject({ code: 'rate_limit_exceeded' })
    hangUp.abort()
    await first
    await untilSubscribed(app.origin, 0)
    const history = await askRest(app, '/images/history', { secret: account.secret })
    expect(history.body.data).toHaveLength(1)
    expect((await ask(account, QUICK)).status).toBe(200)
  })

  it('ends when its key is revoked, and the generation goes on', async () => {
    const account = await createTestAccount(app.app)
    const read = readStream(createSdk(app, account.secret), SLOW)
    await untilRunning(app, viewerOf(account.accountId))
    await app.app.domain.apiKeys.revoke(account.accountId, account.keyId)
    expect(await read).toMatchObject({ code: 'invalid_api_key', error: { generation_id: expect.any(String) } })
    const { items } = await app.app.domain.reader.history(viewerOf(account.accountId), PAGE)
    expect(items[0]?.status).toBe('RUNNING')
  })
})

describe('a server that stops', () => {
  it('cuts off an SDK that has no key, and what it sends again is led to what was begun before', async () => {
    const { folder, remove } = await createScratchFolder()
    onTestFinished(remove)
    const env = { PICTOR_DATA_DIR: folder, PICTOR_DRAIN_SECONDS: '0' }
    const first = await startApp({ env })
    const account = await createTestAccount(first.app)
    const body = { prompt: 'a red fox in snow [[sandbox delay=3000]]', size: '64x64' }
    const call = (server: TestApp, count: string) =>
      askRest(server, '/images/generations', {
        secret: account.secret,
        body,
        headers: { 'x-stainless-retry-count': count },
      })
    const cut = expect(call(first, '0')).rejects.toThrow('fetch failed')
    const viewer = viewerOf(account.accountId)
    await untilRunning(first, viewer)
    await first[Symbol.asyncDispose]()
    await cut

    await using second = await startApp({ env })
    const again = await call(second, '1')
    expect(again).toMatchObject({ status: 200, body: { replayed: true } })
    expect((await second.app.domain.reader.history(viewer, PAGE)).items).toMatchObject([{ id: again.body.id }])
    // That answer got out: the same words are a wish of their own from now on, also where their first try was lost.
    const anew = await call(second, '1')
    expect(anew).toMatchObject({ status: 200, body: { replayed: false } })
    expect(anew.body.id).not.toBe(again.body.id)
  })

  it('answers who waits with the way to what goes on, and lets those repeat it who have an Idempotency-Key', async () => {
    const stopping = await startApp({ env: { PICTOR_DRAIN_SECONDS: '1' } })
    const account = await createTestAccount(stopping.app)
    const call = (headers: Readonly<Record<string, string>>) =>
      askRest(stopping, '/images/generations', { secret: account.secret, body: SLOW, headers })
    const bare = call({})
    const keyed = call({ 'idempotency-key': 'one' })
    const counted = call({ 'x-stainless-retry-count': '0' })
    const streamed = readStream(createSdk(stopping, account.secret), SLOW)
    await untilSubscribed(stopping.origin, 4)
    await untilRunning(stopping, viewerOf(account.accountId))
    await stopping[Symbol.asyncDispose]()
    for (const answer of [await bare, await keyed, await counted]) {
      expect(answer.status).toBe(503)
      expect(answer.body.error).toMatchObject({
        code: 'server_stopping',
        generation_id: expect.stringMatching(/^gen_/),
      })
    }
    expect((await bare).headers.get('x-should-retry')).toBe('false')
    expect((await keyed).headers.get('x-should-retry')).toBe('true')
    expect((await counted).headers.get('x-should-retry')).toBe('true')
    expect(await streamed).toMatchObject({ code: 'server_stopping', error: { generation_id: expect.any(String) } })
  })
})
