import { describe, expect, it } from 'vitest'
import { OutboundError } from '../../../../src/outbound/outbound-error.ts'
import type { OutboundRequest } from '../../../../src/outbound/outbound-fetch.ts'
import { downloadImage, MAX_IMAGE_BYTES } from '../../../../src/providers/wire/image-download.ts'
import { createFakeClock } from '../../../support/fake-clock.ts'

const URL = 'https://pictures.example/cat.png?sig=secret'

/** Fetches that end so, one each, and the last of them ever after. Times are from the beginning. */
function download(ends: readonly (Error | string)[], signal = new AbortController().signal) {
  const clock = createFakeClock()
  const start = clock.now()
  const fetchedAt: number[] = []
  const asked: (OutboundRequest & { readonly url: string })[] = []
  const fetchOutbound = async (url: string, request: OutboundRequest) => {
    asked.push({ url, ...request })
    fetchedAt.push(clock.now() - start)
    const end = ends[fetchedAt.length - 1] ?? ends.at(-1)
    if (end instanceof Error) throw end
    return { bytes: Buffer.from(end ?? ''), contentType: null }
  }
  const done = downloadImage({ clock, fetchOutbound }, 'Vendor', URL, signal)
  done.catch(() => undefined)
  return { done, clock, fetchedAt, asked }
}

const fault = (name: ConstructorParameters<typeof OutboundError>[0], status?: number) =>
  new OutboundError(name, 'It did not work.', status === undefined ? {} : { status })

describe('Fetching a finished picture', () => {
  it('is bounded in size and time, and asks for a picture', async () => {
    const { done, asked } = download(['bytes'])
    expect(Buffer.from(await done).toString()).toBe('bytes')
    expect(asked).toMatchObject([{ url: URL, maxBytes: MAX_IMAGE_BYTES, timeoutMs: 60_000, accept: 'image/*' }])
  })

  it.each([
    fault('UNREACHABLE'),
    fault('TIMEOUT'),
    ...[404, 408, 425, 429, 500, 502, 503, 504].map((status) => fault('STATUS', status)),
  ])('is tried again after what may pass: $fault $status', async (error) => {
    const { done, clock, fetchedAt } = download([error, error, 'bytes'])
    await clock.advance(10_000)
    expect(Buffer.from(await done).toString()).toBe('bytes')
    expect(fetchedAt).toEqual([0, 500, 1500])
  })

  it('is given up after three tries: the picture is made and paid for, and lost', async () => {
    const { done, clock, fetchedAt } = download([fault('UNREACHABLE')])
    await clock.advance(60_000)
    await expect(done).rejects.toMatchObject({ kind: 'BAD_OUTPUT', delivery: 'ANSWERED', providerBilled: true })
    await expect(done).rejects.not.toThrow(/example|secret/)
    expect(fetchedAt).toHaveLength(3)
  })

  it.each([
    fault('FORBIDDEN'),
    fault('TOO_LARGE'),
    ...[301, 400, 401, 403, 410].map((status) => fault('STATUS', status)),
    new Error('a mistake of ours'),
  ])('is not tried again after what stays so: $fault $status', async (error) => {
    const { done, fetchedAt } = download([error, 'bytes'])
    await expect(done).rejects.toMatchObject({ kind: 'BAD_OUTPUT', delivery: 'ANSWERED', providerBilled: true })
    expect(fetchedAt).toHaveLength(1)
  })

  it('ends with the call, within a fetch and within a pause', async () => {
    const within = new AbortController()
    const fetching = download([fault('ABORTED')], within.signal)
    within.abort()
    await expect(fetching.done).rejects.toMatchObject({ kind: 'UNAVAILABLE', delivery: 'UNKNOWN' })
    const ending = new AbortController()
    const pausing = download([fault('UNREACHABLE'), fault('ABORTED')], ending.signal)
    await pausing.clock.advance(100)
    ending.abort()
    await expect(pausing.done).rejects.toMatchObject({ kind: 'UNAVAILABLE', delivery: 'UNKNOWN' })
    expect(pausing.clock.sleepers()).toBe(0)
  })
})
