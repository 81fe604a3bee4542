import { expect, it } from 'vitest'
import type { VendorCallback } from '../../../src/providers/callback.ts'
import type { ImageProvider } from '../../../src/providers/provider.ts'
import { createProviderRegistry } from '../../../src/providers/provider-registry.ts'
import { Secret } from '../../../src/secret.ts'
import { createCallbackDesk } from '../../../src/worker/callback-desk.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { createRecordingLogger } from '../../support/recording-logger.ts'

const BASE = 'https://images.example.com'

/** A vendor whose word is genuine when it says the secret of the job. */
function open({ secret = 'x'.repeat(32), providers = ['caller'] } = {}) {
  const provider = {
    id: 'caller',
    callbacks: {
      certain: true,
      isGenuine: async ({ headers, secret: shared }: VendorCallback) => {
        if (headers.word === 'away') throw new Error('The vendor gives out no keys.')
        return headers.word === shared.reveal()
      },
    },
  }
  const verdicts: string[] = []
  const clock = createFakeClock()
  const logger = createRecordingLogger()
  const desk = createCallbackDesk({
    secret: new Secret(secret),
    plan: { publicUrl: BASE, providers: new Set(providers) },
    providers: createProviderRegistry([provider as unknown as ImageProvider]),
    clock,
    logger,
    metrics: { vendorCallback: (id, verdict) => void verdicts.push(`${id} ${verdict}`) },
  })
  const call = (url: string, word: string) =>
    desk.receive(url.slice(`${BASE}/callbacks/`.length), {
      headers: { word },
      body: async () => new Uint8Array(),
    })
  return { desk, clock, verdicts, call, logger }
}

function take<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('There is no line.')
  return value
}

it('ends the pause of the part that the vendor calls about, and of no other', async () => {
  const { desk, call } = open()
  const line = take(desk.open('caller', 'att_1'))
  const stop = new AbortController()
  let other = 'pausing'
  const first = line.pause(0, 1_000, stop.signal)
  const second = line.pause(1, 1_000, stop.signal).then(() => {
    other = 'over'
  })
  expect(await call(line.urlOf(0), line.secretOf(0).reveal())).toBe('heard')
  await first
  expect(other).toBe('pausing')
  stop.abort()
  await second
})

it('hears a call that comes between two pauses at the next one, and once', async () => {
  const { desk, call, clock } = open()
  const line = take(desk.open('caller', 'att_1'))
  const { signal } = new AbortController()
  for (let times = 0; times < 3; times += 1) await call(line.urlOf(0), line.secretOf(0).reveal())
  await line.pause(0, 1_000, signal)
  let over = false
  const pause = line.pause(0, 1_000, signal).then(() => {
    over = true
  })
  await clock.advance(999)
  expect(over).toBe(false)
  await clock.advance(1)
  await pause
})

it('answers a call about an attempt that is over without waking anybody', async () => {
  const { desk, call, verdicts } = open()
  const line = take(desk.open('caller', 'att_1'))
  line.close()
  expect(await call(line.urlOf(0), line.secretOf(0).reveal())).toBe('late')
  expect(verdicts).toEqual(['caller late'])
})

it('knows its addresses after a restart, and those of no other server', async () => {
  const line = take(open().desk.open('caller', 'att_1'))
  const again = open()
  take(again.desk.open('caller', 'att_1'))
  expect(await again.call(line.urlOf(0), line.secretOf(0).reveal())).toBe('heard')
  const stranger = open({ secret: 'y'.repeat(32) })
  expect(await stranger.call(line.urlOf(0), line.secretOf(0).reveal())).toBe('unknown')
})

it.each([
  ['another part', (url: string) => url.replace('/0/', '/1/')],
  ['another attempt', (url: string) => url.replace('att_1', 'att_2')],
  ['another provider', (url: string) => url.replace('/caller/', '/other/')],
  ['a mark with a letter changed', (url: string) => url.slice(0, -1) + (url.endsWith('A') ? 'B' : 'A')],
  ['no mark', (url: string) => url.slice(0, url.lastIndexOf('/'))],
  ['steps upwards', (url: string) => url.replace('att_1', '../att_1')],
])('takes no word at an address for %s, and does not look at what it says', async (_, change) => {
  const { desk, verdicts } = open()
  const line = take(desk.open('caller', 'att_1'))
  let looked = false
  const verdict = await desk.receive(change(line.urlOf(0)).slice(`${BASE}/callbacks/`.length), {
    headers: { word: line.secretOf(0).reveal() },
    body: async () => {
      looked = true
      return new Uint8Array()
    },
  })
  expect(verdict).toBe('unknown')
  expect(looked).toBe(false)
  expect(verdicts).toEqual([' unknown'])
})

it('wakes nobody for a call that is not signed as it should be, and tells the operator without the secret', async () => {
  const { desk, call, logger } = open()
  const line = take(desk.open('caller', 'att_1'))
  expect(await call(line.urlOf(0), line.secretOf(1).reveal())).toBe('forged')
  expect(logger.lines).toHaveLength(1)
  expect(JSON.stringify(logger.lines)).not.toContain(line.secretOf(1).reveal())
})

it('wakes nobody for a call that cannot be checked now, and says so', async () => {
  const { desk, call, verdicts, clock } = open()
  const line = take(desk.open('caller', 'att_1'))
  let over = false
  const pause = line.pause(0, 1_000, new AbortController().signal).then(() => {
    over = true
  })
  expect(await call(line.urlOf(0), 'away')).toBe('unchecked')
  expect(verdicts).toEqual(['caller unchecked'])
  expect(over).toBe(false)
  await clock.advance(1_000)
  await pause
})

it('gives no address to a provider that is not to call', () => {
  expect(open({ providers: [] }).desk.open('caller', 'att_1')).toBeUndefined()
})
