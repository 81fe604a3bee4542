import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { Client, fetchExchange } from '@urql/core'
import { createClient } from 'graphql-sse'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createFakeClock } from '../../support/fake-clock.ts'
import { startToyServer, TOY_VIEWER, type ToyServer, type ToyServerOptions } from '../../support/toy-server.ts'

let toy: ToyServer
beforeEach(async () => {
  toy = await startToyServer()
})
afterEach(() => toy.stop())

async function restart(options: ToyServerOptions): Promise<void> {
  await toy.stop()
  toy = await startToyServer(options)
}

const WATCH = 'subscription { imageStatus(id: "gen_1") { kind } }'
const stream = { accept: 'text/event-stream' }

/** An EventSource: a GET that can set no header but these. */
function eventSource(headers: Record<string, string> = {}, query = WATCH): Promise<Response> {
  return fetch(`${toy.url}?query=${encodeURIComponent(query)}`, { headers: { ...stream, ...headers } })
}

/** Reads until the text holds `count` ends of events, comments not counted. */
async function readEvents(response: Response, count: number): Promise<string[]> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  const events = () =>
    text
      .split('\n\n')
      .slice(0, -1)
      .filter((block) => !block.startsWith(':'))
  while (events().length < count) {
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined }
    if (done) break
    text += value
  }
  await reader?.cancel()
  return events()
}

describe('a subscription as an event stream', () => {
  it('gives each event the cursor that resumes after it', async () => {
    toy.log.append('gen_1', 'QUEUED')
    toy.log.append('gen_1', 'STARTED')
    toy.log.append('gen_1', 'COMPLETED')
    const response = await toy.post({ query: WATCH }, stream)
    expect(await response.text()).toBe(
      [
        ':',
        'id: gen_1:1\nevent: next\ndata: {"data":{"imageStatus":{"kind":"QUEUED"}}}',
        'id: gen_1:2\nevent: next\ndata: {"data":{"imageStatus":{"kind":"STARTED"}}}',
        'id: gen_1:3\nevent: next\ndata: {"data":{"imageStatus":{"kind":"COMPLETED"}}}',
        'event: complete\ndata:',
        '',
      ].join('\n\n'),
    )
    expect(toy.log.openWatchers()).toBe(0)
  })

  it('goes on after Last-Event-ID', async () => {
    for (const kind of ['QUEUED', 'STARTED', 'COMPLETED']) toy.log.append('gen_1', kind)
    const response = await toy.post({ query: WATCH }, { ...stream, 'last-event-id': 'gen_1:2' })
    const text = await response.text()
    expect(text).toContain('id: gen_1:3\n')
    expect(text).not.toContain('gen_1:2')
  })

  it('forbids caching, buffering and transforming on the way', async () => {
    toy.log.append('gen_1', 'COMPLETED')
    const { headers } = await toy.post({ query: WATCH }, stream)
    expect(headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(headers.get('cache-control')).toBe('no-cache, no-transform')
    expect(headers.get('x-accel-buffering')).toBe('no')
  })

  it('hands out its headers before the first event', async () => {
    const response = await toy.post({ query: WATCH }, stream)
    expect(response.status).toBe(200)
    toy.log.append('gen_1', 'QUEUED')
    expect(await readEvents(response, 1)).toHaveLength(1)
  })

  it('is given to those who accept anything', async () => {
    toy.log.append('gen_1', 'COMPLETED')
    const response = await toy.post({ query: WATCH }, { accept: '*/*' })
    expect(response.headers.get('content-type')).toContain('text/event-stream')
    await response.text()
  })

  it('masks what breaks it and completes', async () => {
    const response = await toy.post({ query: WATCH }, stream)
    await toy.log.untilWatchers(1)
    toy.log.fail(new Error('disk I/O error'))
    const text = await response.text()
    expect(text).toContain('"message":"Unexpected error."')
    expect(text).toMatch(/"requestId":"[\w-]+"/)
    expect(text).not.toMatch(/disk|"http"/)
    expect(text).toContain('event: complete')
  })

  it('reports what the operation says inside, and refuses the caller outside', async () => {
    const missing = await toy.post({ query: 'subscription { imageStatus(id: "unknown") { kind } }' }, stream)
    expect(missing.status).toBe(200)
    expect(await missing.text()).toContain('"code":"NOT_FOUND"')
    const invalid = await toy.post({ query: 'subscription { nope }' }, stream)
    expect(invalid.status).toBe(200)
    expect(await invalid.text()).toContain('"code":"GRAPHQL_VALIDATION_FAILED"')
    const stranger = await toy.post({ query: WATCH }, { ...stream, authorization: 'Bearer wrong' })
    expect(stranger.status).toBe(401)
    expect(await stranger.text()).toContain('"code":"UNAUTHENTICATED"')
  })
})

describe('subscriptions for readers of single answers', () => {
  it.each([
    'application/json',
    'application/graphql-response+json',
    'multipart/mixed',
    'multipart/mixed;boundary="graphql";subscriptionSpec=1.0,application/json',
  ])('are refused before they are begun: %s', async (accept) => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => toy.post({ query: WATCH }, { accept })))
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([406]))
    expect(toy.log.openWatchers()).toBe(0)
    expect(toy.log.pulls()).toBe(0)
  })
})

describe('EventSource', () => {
  beforeEach(() => restart({ overrides: { authenticate: async () => TOY_VIEWER } }))

  it('watches without the header that other GET requests need', async () => {
    toy.log.append('gen_1', 'COMPLETED')
    const response = await eventSource()
    expect(response.status).toBe(200)
    expect(await response.text()).toContain('COMPLETED')
  })

  it('watches from a listed origin and from our own', async () => {
    toy.log.append('gen_1', 'COMPLETED')
    for (const origin of ['https://app.example.com', `http://127.0.0.1:${toy.port}`]) {
      expect((await eventSource({ origin })).status).toBe(200)
    }
  })

  it('is refused on a page of another origin', async () => {
    expect((await eventSource({ origin: 'https://evil.example' })).status).toBe(403)
    expect(toy.log.openWatchers()).toBe(0)
  })

  it('runs nothing but subscriptions', async () => {
    const queried = await eventSource({}, '{ hello }')
    expect(await queried.text()).toContain('"code":"FORBIDDEN"')
    const mutated = await eventSource({}, 'mutation { add }')
    expect(await mutated.text()).not.toContain('"data":{')
    expect(toy.log.append('gen_1', 'QUEUED').sequence).toBe(1)
  })
})

describe('sources', () => {
  it('are returned when the reader goes', async () => {
    const aborts = Array.from({ length: 20 }, () => new AbortController())
    await Promise.all(
      aborts.map((abort) =>
        fetch(toy.url, {
          method: 'POST',
          headers: { ...stream, 'content-type': 'application/json', authorization: 'Bearer good' },
          body: JSON.stringify({ query: WATCH }),
          signal: abort.signal,
        }),
      ),
    )
    await toy.log.untilWatchers(20)
    for (const abort of aborts) abort.abort()
    await toy.log.untilWatchers(0)
  })

  it('are returned, and the reader cut off, when it takes nothing for too long', async () => {
    const clock = createFakeClock()
    await restart({ clock })
    const { sent, answer } = await stalledReader()
    const pulls = await settled(() => toy.log.pulls())
    expect(pulls).toBeLessThan(500)
    await clock.advance(29_000)
    expect(toy.log.openWatchers()).toBe(1)
    await clock.advance(2_000)
    await toy.log.untilWatchers(0)
    const cut = new Promise((resolve) => answer.once('close', resolve))
    answer.resume()
    await cut
    expect(answer.complete).toBe(false)
    sent.destroy()
  })

  it('go on when a slow reader takes again', async () => {
    const clock = createFakeClock()
    await restart({ clock })
    const { sent, answer } = await stalledReader()
    await settled(() => toy.log.pulls())
    await clock.advance(20_000)
    let text = ''
    answer.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(-200)
    })
    while (!text.includes('gen_1:2000')) await once(answer, 'data')
    await clock.advance(40_000)
    expect(toy.log.openWatchers()).toBe(1)
    const kept = once(answer, 'data')
    await clock.advance(13_000)
    expect(String(await kept)).toBe(':\n\n')
    sent.destroy()
    await toy.log.untilWatchers(0)
  })

  /** A reader that has sent its request and looks at nothing, with more waiting for it than any buffer holds. */
  async function stalledReader(): Promise<{ sent: ClientRequest; answer: IncomingMessage }> {
    const padding = 'x'.repeat(100_000)
    for (let n = 0; n < 2_000; n++) toy.log.append('gen_1', 'PROGRESS', padding)
    const body = JSON.stringify({ query: 'subscription { imageStatus(id: "gen_1") { padding cursor } }' })
    const headers = { ...stream, 'content-type': 'application/json', authorization: 'Bearer good' }
    const sent = request(toy.url, { method: 'POST', headers, agent: false }).end(body)
    sent.on('error', () => undefined)
    const [answer] = await once(sent, 'response')
    answer.on('error', () => undefined)
    await toy.log.untilWatchers(1)
    return { sent, answer }
  }
})

describe('keep-alive comments', () => {
  it('are written while nothing happens', async () => {
    const clock = createFakeClock()
    await restart({ clock })
    const response = await toy.post({ query: WATCH }, stream)
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    expect((await reader?.read())?.value).toBe(':\n\n')
    for (let turn = 0; turn < 3; turn++) {
      await clock.advance(12_500)
      expect((await reader?.read())?.value).toBe(':\n\n')
    }
    await reader?.cancel()
    await toy.log.untilWatchers(0)
  })
})

describe('credentials of a stream', () => {
  it('end it when the token does', async () => {
    const clock = createFakeClock()
    await restart({ clock })
    toy.viewers.set('short', { ...TOY_VIEWER, expiresAt: clock.now() + 5_000 })
    const response = await toy.post({ query: WATCH }, { ...stream, authorization: 'Bearer short' })
    await clock.advance(6_000)
    const text = await response.text()
    expect(text).not.toContain('complete')
    await toy.log.untilWatchers(0)
  })

  it('end it within a minute when the key is revoked', async () => {
    const clock = createFakeClock()
    await restart({ clock })
    const response = await toy.post({ query: WATCH }, stream)
    toy.viewers.delete('good')
    await clock.advance(60_000)
    await response.text()
    await toy.log.untilWatchers(0)
  })
})

describe('stock clients', () => {
  it('graphql-sse watches to the end', async () => {
    for (const kind of ['QUEUED', 'COMPLETED']) toy.log.append('gen_1', kind)
    const client = createClient({ url: toy.url, headers: { authorization: 'Bearer good' } })
    const kinds = []
    for await (const result of client.iterate<{ imageStatus: { kind: string } }>({ query: WATCH })) {
      kinds.push(result.data?.imageStatus.kind)
    }
    expect(kinds).toEqual(['QUEUED', 'COMPLETED'])
    client.dispose()
  })

  it('urql watches with fetchSubscriptions', async () => {
    for (const kind of ['QUEUED', 'COMPLETED']) toy.log.append('gen_1', kind)
    const client = new Client({
      url: toy.url,
      exchanges: [fetchExchange],
      fetchSubscriptions: true,
      fetchOptions: { headers: { authorization: 'Bearer good' } },
    })
    const kinds: string[] = []
    await new Promise<void>((resolve) => {
      client.subscription<{ imageStatus: { kind: string } }>(WATCH, {}).subscribe(({ data, hasNext }) => {
        if (data && kinds.at(-1) !== data.imageStatus.kind) kinds.push(data.imageStatus.kind)
        if (!hasNext || data?.imageStatus.kind === 'COMPLETED') resolve()
      })
    })
    expect(kinds).toEqual(['QUEUED', 'COMPLETED'])
  })
})

/** Resolves with a figure once it is the same over fifty turns of the event loop. */
async function settled(read: () => number): Promise<number> {
  let same = 0
  let last = read()
  while (same < 50) {
    await new Promise<void>((resolve) => setImmediate(resolve))
    const now = read()
    same = now === last ? same + 1 : 0
    last = now
  }
  return last
}
