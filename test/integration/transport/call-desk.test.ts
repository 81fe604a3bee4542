import { afterEach, describe, expect, it } from 'vitest'
import { RateLimitedError } from '../../../src/errors.ts'
import type { Call, Hold } from '../../../src/transport/call.ts'
import { sendJson } from '../../../src/transport/response-headers.ts'
import type { OpenDoor } from '../../../src/transport/server-options.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { startToyServer, TOY_VIEWER, type ToyServer, type ToyServerOptions } from '../../support/toy-server.ts'

let toy: ToyServer
afterEach(() => toy.stop())

/** A door at `/toy/` that does what a test says, and tells what was thrown by its message. */
async function open(serve: (call: Call) => Promise<void>, options: ToyServerOptions = {}): Promise<void> {
  const door: OpenDoor = (desk) => ({
    prefix: '/toy/',
    name: 'rest',
    async handle(request, response, info) {
      try {
        await desk.serve({ request, response, info }, serve)
      } catch (error) {
        sendJson(response, 400, { message: error instanceof Error ? error.message : '' })
      }
    },
    refuse: (response, { status }) => sendJson(response, status, { message: 'refused' }),
  })
  toy = await startToyServer({ ...options, overrides: { doors: [door], ...options.overrides } })
}

function ask(path = '/toy/', init: RequestInit = {}): Promise<Response> {
  const headers = { authorization: 'Bearer good', ...init.headers }
  return fetch(new URL(path, toy.url), { ...init, headers })
}

describe('a call', () => {
  it('comes from a caller who is known, with the facts of the request', async () => {
    await open((call) => call.answer(200, { account: call.viewer.accountId, id: call.info.requestId }))
    const answer = await ask('/toy/', { headers: { 'x-request-id': 'my-request-1' } })
    expect(await answer.json()).toEqual({ account: 'acc_1', id: 'my-request-1' })
    const stranger = await ask('/toy/', { headers: { authorization: 'Bearer bad' } })
    expect(await stranger.json()).toEqual({ message: 'Authentication is required.' })
  })

  it('is counted before anything else, and shows where its caller stands, refused or not', async () => {
    const served: string[] = []
    let calls = 0
    const rateLimits = {
      async countOperation() {
        calls += 1
        if (calls > 1) throw new RateLimitedError({ limit: 'key', retryAfterMs: 1, limitPerMinute: 1 })
      },
      standing: async () => [{ limit: 'key', quota: 1, remaining: 0, resetMs: 1_000 } as const],
    }
    const serve = async (call: Call) => {
      served.push('served')
      await call.answer(200, {})
    }
    await open(serve, { overrides: { rateLimits } })
    for (const status of [200, 400]) {
      const answer = await ask()
      expect([answer.status, answer.headers.get('ratelimit')]).toEqual([status, '"key";r=0;t=1'])
    }
    expect(served).toEqual(['served'])
  })

  it('has a body of bounded length', async () => {
    await open(async (call) => call.answer(200, { bytes: (await call.readBody(1_000)).length }))
    expect(await (await ask('/toy/', { method: 'POST', body: 'x'.repeat(1_000) })).json()).toEqual({ bytes: 1_000 })
    const long = await ask('/toy/', { method: 'POST', body: 'x'.repeat(1_001) })
    expect(await long.json()).toEqual({ message: 'A request body has at most 1000 bytes.' })
  })

  it('is refused in the words of its door where the request may not come in at all', async () => {
    await open((call) => call.answer(200, {}), { config: { allowedHosts: ['pictor.example.com'] } })
    const answer = await ask()
    expect([answer.status, await answer.json()]).toEqual([421, { message: 'refused' }])
  })

  it('waits for work as long as an operation may take, and no longer', async () => {
    const clock = createFakeClock()
    const never = new Promise<never>(() => undefined)
    const reached = Promise.withResolvers<void>()
    const serve = async (call: Call) => {
      const work = call.inTime(never)
      reached.resolve()
      await work
    }
    await open(serve, { clock })
    const answer = ask()
    await reached.promise
    await clock.advance(31_000)
    expect(await (await answer).json()).toEqual({
      message: 'The call took too long. What it began may still be completed.',
    })
  })
})

describe('a caller who is held', () => {
  async function hold(limitMs: number | null, options: ToyServerOptions = {}) {
    const held = Promise.withResolvers<Hold>()
    const serve = async (call: Call) => {
      const hold = await call.hold({ limitMs, transport: 'http' })
      held.resolve(hold)
      await new Promise<void>((resolve) => hold.signal.addEventListener('abort', () => resolve()))
      hold.release()
      await call.answer(200, { endedBy: hold.endedBy() })
    }
    await open(serve, options)
    return { held: held.promise }
  }

  it('is let go when the time is over', async () => {
    const clock = createFakeClock()
    const { held } = await hold(5_000, { clock })
    const answer = ask()
    expect((await held).endedBy()).toBeNull()
    await clock.advance(6_000)
    expect(await (await answer).json()).toEqual({ endedBy: 'LIMIT' })
  })

  it('is let go when the token ends', async () => {
    const clock = createFakeClock()
    const { held } = await hold(null, { clock })
    toy.viewers.set('good', { ...TOY_VIEWER, expiresAt: clock.now() + 5_000 })
    const answer = ask()
    await held
    await clock.advance(6_000)
    expect(await (await answer).json()).toEqual({ endedBy: 'CREDENTIALS' })
  })

  it('is noticed to be gone, and gives its place to the next', async () => {
    const { held } = await hold(null, { overrides: { subscriptionsOf: () => 1 } })
    const hangUp = new AbortController()
    const first = ask('/toy/', { signal: hangUp.signal }).catch(() => null)
    const { signal, endedBy } = await held
    expect(await (await ask()).json()).toEqual({ message: 'The account has too many subscriptions open.' })
    const over = new Promise((resolve) => signal.addEventListener('abort', resolve))
    hangUp.abort()
    await Promise.all([first, over])
    expect(endedBy()).toBe('CLIENT')
    await expect.poll(() => toy.server.openStreams()).toBe(0)
  })
})
