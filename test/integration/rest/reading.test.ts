import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { askRest, createSdk, type RestBody } from '../../support/rest.ts'
import { createTestAccount, PRICED_PAINTER, startApp, type TestAccount, type TestApp } from '../../support/start-app.ts'

const QUICK = { prompt: 'a red fox in snow [[sandbox delay=0]]', size: '64x64' } as const

let app: TestApp
let account: TestAccount
/** Oldest first. */
const made: string[] = []
beforeAll(async () => {
  app = await startApp({ models: [PRICED_PAINTER], env: { PICTOR_ALLOWED_ORIGINS: 'https://app.example.com' } })
  account = await createTestAccount(app.app, { billing: 'PREPAID', creditMicros: 1_000_000 })
  const bodies = [{ tags: ['one'] }, { user: 'ada' }, { prompt: 'a wolf [[sandbox delay=0 fail=refused]]' }]
  for (const body of bodies) {
    const headers = { prefer: 'respond-async' }
    const answer = await askRest(app, '/images/generations', { ...as(), headers, body: { ...QUICK, ...body } })
    made.push(String(answer.body.id))
    await askRest(app, `/images/generations/${answer.body.id}`, { ...as(), headers: { prefer: 'wait=20' } })
  }
})
afterAll(() => app[Symbol.asyncDispose]())

function as() {
  return { secret: account.secret }
}

async function read(path: string): Promise<RestBody> {
  return (await askRest(app, path, as())).body
}

function idsIn({ data }: RestBody): unknown[] {
  return (data ?? []).map(({ id }) => id)
}

describe('one generation', () => {
  it('is told of with its images, what it cost and what went wrong', async () => {
    expect(await read(`/images/generations/${made[0]}`)).toMatchObject({
      id: made[0],
      status: 'completed',
      progress: 1,
      data: [{ url: expect.any(String), b64_json: null }],
      usage: { cost: '0.040000', credits: '40.000000', held: '0.000000' },
      tags: ['one'],
      error: null,
    })
    expect(await read(`/images/generations/${made[2]}`)).toMatchObject({
      status: 'failed',
      data: [],
      usage: { cost: '0.000000' },
      error: { code: 'refused', stage: 'provider', billed: false },
    })
  })

  it('comes with its bytes where they are asked for', async () => {
    const { data } = await read(`/images/generations/${made[0]}?response_format=b64_json`)
    expect(Buffer.from(String(data?.[0]?.b64_json), 'base64').subarray(1, 4).toString()).toBe('PNG')
  })

  it('can be canceled, which says what it cost', async () => {
    const body = { ...QUICK, prompt: 'a red fox [[sandbox delay=600000]]' }
    const headers = { prefer: 'respond-async' }
    const { body: begun } = await askRest(app, '/images/generations', { ...as(), headers, body })
    const path = `/images/generations/${begun.id}/cancel`
    const canceled = await askRest(app, path, { ...as(), method: 'POST' })
    expect(canceled.body).toMatchObject({ id: begun.id, status: 'canceled', usage: { cost: '0.000000' } })
    expect(canceled.body.cancel_effect).toMatch(/^(free|may_be_billed)$/)
    expect((await askRest(app, path, { ...as(), method: 'POST' })).body.cancel_effect).toBe('too_late')
  })
})

describe('the history', () => {
  it('is paged by ids, newest first, in both directions', async () => {
    const first = await read('/images/history?limit=2&status=completed,failed')
    expect(idsIn(first)).toEqual([made[2], made[1]])
    expect(first).toMatchObject({ object: 'list', first_id: made[2], last_id: made[1], has_more: true })
    const second = await read(`/images/history?limit=2&status=completed,failed&after=${first.last_id}`)
    expect(idsIn(second)).toEqual([made[0]])
    expect(second.has_more).toBe(false)
    expect(idsIn(await read(`/images/history?limit=2&status=completed&before=${made[0]}`))).toEqual([made[1]])
  })

  it.each([
    ['status=failed', [2]],
    ['tag=one', [0]],
    ['user=ada', [1]],
    ['search=wolf', [2]],
    ['model=sandbox%2Fpainter&status=completed', [1, 0]],
    ['provider=openai', []],
    ['created_before=1000', []],
    ['created_after=2000-01-01T00:00:00Z&status=failed', [2]],
  ])('is narrowed by %s', async (query, found) => {
    expect(idsIn(await read(`/images/history?${query}`))).toEqual(found.map((index) => made[index]))
  })

  it.each([
    ['limit=101', 'limit'],
    ['limit=two', 'limit'],
    ['after=xyz', 'after'],
    ['status=done', 'status'],
    ['created_after=yesterday', 'created_after'],
    ['stauts=failed', 'stauts'],
    ['tag=a&tag=b', 'tag'],
  ])('refuses %s at %s', async (query, param) => {
    const { status, body } = await askRest(app, `/images/history?${query}`, as())
    expect(status).toBe(400)
    expect(body.error).toMatchObject({ param, type: 'invalid_request_error' })
  })
})

describe('models', () => {
  it('are listed as the SDK reads them, with what they can do and cost', async () => {
    const { data } = await createSdk(app, account.secret).models.list()
    expect(data.find(({ id }) => id === 'sandbox/painter')).toMatchObject({
      object: 'model',
      owned_by: 'sandbox',
      created: expect.any(Number),
      available: true,
      capabilities: { max_n: 10, output_formats: ['png', 'jpeg', 'webp'], width: { multiple_of: 8 } },
      prices: [{ unit: 'image', amount: '0.040000', credits: '40.000000', currency: 'USD' }],
    })
  })

  it('are found by id, with the slash as it is and encoded, and by alias', async () => {
    const sdk = createSdk(app, account.secret)
    expect((await sdk.models.retrieve('sandbox/painter')).id).toBe('sandbox/painter')
    expect((await read('/models/sandbox/painter')).id).toBe('sandbox/painter')
    expect((await read('/models/painter')).id).toBe('sandbox/painter')
    const unknown = await askRest(app, '/models/nobody/knows', as())
    expect(unknown).toMatchObject({ status: 404, body: { error: { code: 'model_not_found', param: 'model' } } })
  })

  it('are narrowed by provider, word and whether they can be used', async () => {
    const ids = async (query: string) => idsIn(await read(`/models?${query}`))
    expect(await ids('provider=sandbox&search=ink')).toEqual(['sandbox/etching'])
    expect(await ids('provider=openai&available=true')).toEqual([])
  })
})

describe('an estimate', () => {
  it('says what it would cost and changes nothing', async () => {
    const { body } = await askRest(app, '/images/estimate', { ...as(), body: { ...QUICK, n: 3 } })
    expect(body).toMatchObject({
      model: 'sandbox/painter',
      total: { min: { amount: '0.120000' }, max: { amount: '0.120000', credits: '120.000000' } },
      lines: [{ quantity: '3', unit: 'image' }],
      affordable: true,
      warnings: [],
    })
    expect(idsIn(await read('/images/history'))).not.toContain(body.id)
  })

  it('is refused as the request would be', async () => {
    const { status, body } = await askRest(app, '/images/estimate', { ...as(), body: { ...QUICK, n: 11 } })
    expect([status, body.error?.param]).toEqual([400, 'n'])
  })
})

describe('a page of a listed origin', () => {
  it('may send what the SDK sends, and read what it needs', async () => {
    const asked = [
      'authorization',
      'idempotency-key',
      'prefer',
      'x-stainless-retry-count',
      'x-stainless-package-version',
    ]
    const preflight = await fetch(`${app.origin}/v1/images/generations`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://app.example.com',
        'access-control-request-method': 'POST',
        'access-control-request-headers': asked.join(','),
      },
    })
    expect(preflight.status).toBe(204)
    const allowed = preflight.headers.get('access-control-allow-headers')?.split(', ')
    expect(allowed).toEqual(expect.arrayContaining(asked))
    const { headers } = await askRest(app, '/models', { ...as(), headers: { origin: 'https://app.example.com' } })
    const exposed = headers.get('access-control-expose-headers')?.split(', ')
    expect(exposed).toEqual(expect.arrayContaining(['location', 'x-request-id', 'retry-after-ms', 'x-should-retry']))
  })
})

describe('a token for a browser', () => {
  const Token = z.object({ access_token: z.string(), expires_in: z.number() })

  it('is made from a key, and sees and makes what is of its end user alone', async () => {
    const body = { user: 'ada', expires_in_seconds: 60, max_spend: '0.04' }
    const answer = await askRest(app, '/tokens', { ...as(), body })
    expect(answer.body).toMatchObject({ token_type: 'Bearer', expires_at: expect.any(String) })
    const { access_token: secret, expires_in } = Token.parse(answer.body)
    expect(expires_in).toBeLessThanOrEqual(60)
    const own = await askRest(app, '/images/history', { secret })
    expect(idsIn(own.body)).toEqual([made[1]])
    const first = await askRest(app, '/images/generations', { secret, body: QUICK })
    expect(first.body).toMatchObject({ status: 'completed', user: 'ada' })
    const second = await askRest(app, '/images/generations', { secret, body: QUICK })
    expect(second).toMatchObject({ status: 402, body: { error: { code: 'cost_limit' } } })
  })

  it('cannot make another', async () => {
    const { access_token: secret } = Token.parse((await askRest(app, '/tokens', { ...as(), body: {} })).body)
    expect(await askRest(app, '/tokens', { secret, body: {} })).toMatchObject({
      status: 403,
      body: { error: { code: 'insufficient_permissions' } },
    })
  })

  it('is refused with every fault at once', async () => {
    const body = { expires_in_seconds: 0, scopes: ['rule'], models: ['nobody/knows'] }
    const { body: answer } = await askRest(app, '/tokens', { ...as(), body })
    expect(answer.error?.errors?.map(({ param }) => param)).toEqual(['expires_in_seconds', 'scopes.0', 'models.0'])
  })
})
