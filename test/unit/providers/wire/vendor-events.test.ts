import { describe, expect, it } from 'vitest'
import { createSystemClock } from '../../../../src/clock.ts'
import { createEventSplitter, createVendorEvents } from '../../../../src/providers/wire/vendor-events.ts'

const TEXT =
  ': a comment\r\nevent: one\r\ndata: {"a":\r\ndata: "é😀"}\r\n\r\ndata:two\n\nid: 3\r\rdata: three\r\rdata: cut o'

describe('createEventSplitter', () => {
  it.each([1, 2, 3, 7, 1000])('finds the same events in pieces of %i bytes', (size) => {
    const bytes = Buffer.from(TEXT)
    const split = createEventSplitter()
    const events: string[] = []
    for (let at = 0; at < bytes.length; at += size) events.push(...split(bytes.subarray(at, at + size)))
    expect(events).toEqual(['{"a":\n"é😀"}', 'two', 'three'])
  })
})

describe('createVendorEvents', () => {
  const request = (signal: AbortSignal) =>
    ({ method: 'POST', url: 'http://127.0.0.1/', headers: {}, timeoutMs: 60_000, signal }) as const

  function open(body: ReadableStream<Uint8Array>) {
    const headers = { 'content-type': 'text/event-stream; charset=utf-8' }
    const fetch = () => Promise.resolve(new Response(body, { headers }))
    return createVendorEvents({ vendor: 'Vendor', fetch, clock: createSystemClock() })
  }

  it('lets go of the connection when its reader leaves', async () => {
    const { promise: canceled, resolve: cancel } = Promise.withResolvers<void>()
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(Buffer.from('data: one\n\n')),
      cancel: () => cancel(),
    })
    const answer = await open(body)(request(new AbortController().signal))
    if (answer.kind !== 'events') return expect.unreachable()
    for await (const event of answer.events) {
      expect(event).toBe('one')
      break
    }
    await canceled
  })

  it('passes on what its reader throws as it is, and what the connection throws as a ProviderError', async () => {
    const first = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(Buffer.from('data: one\n\n')),
    })
    const read = async (body: ReadableStream<Uint8Array>, own: () => void) => {
      const answer = await open(body)(request(new AbortController().signal))
      if (answer.kind === 'events') for await (const _ of answer.events) own()
    }
    const lease = new Error('The lease is lost.')
    await expect(
      read(first, () => {
        throw lease
      }),
    ).rejects.toBe(lease)
    const broken = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.error(new TypeError('terminated')),
    })
    await expect(read(broken, () => undefined)).rejects.toMatchObject({ name: 'ProviderError', delivery: 'UNKNOWN' })
  })
})
