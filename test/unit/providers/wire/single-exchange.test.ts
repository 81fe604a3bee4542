import { describe, expect, it } from 'vitest'
import { ProviderError } from '../../../../src/providers/provider-error.ts'
import { exchangeOnce } from '../../../../src/providers/wire/single-exchange.ts'
import { toStatusFailure } from '../../../../src/providers/wire/status-failure.ts'
import { toTransportFailure } from '../../../../src/providers/wire/transport-failure.ts'
import type { VendorFetch } from '../../../../src/providers/wire/vendor-fetch.ts'
import type { VendorAnswer, VendorRequest } from '../../../../src/providers/wire/vendor-http.ts'

const VENDOR = 'The vendor'

function answer(status: number, body: string): VendorAnswer {
  const bytes = Buffer.from(body)
  const json = () => (body.startsWith('{') ? JSON.parse(body) : undefined)
  return { status, ok: status === 200, headers: new Headers({ 'retry-after': '2' }), bytes, json }
}

function arrange(reply: () => VendorAnswer, urlOf = (asked: string) => asked) {
  const sent: VendorRequest[] = []
  const http = async (request: VendorRequest) => {
    sent.push(request)
    return reply()
  }
  const toFailure = ({ status, headers }: VendorAnswer) => toStatusFailure(VENDOR, { status, headers, now: 0 })
  const rest = { timeoutMs: 1000, signal: new AbortController().signal, toFailure }
  const run = (call: (fetch: VendorFetch) => Promise<unknown>) =>
    exchangeOnce({ vendor: VENDOR, http, urlOf, headers: { authorization: 'Key k' }, ...rest }, call)
  return { sent, run }
}

/** As SDKs are: it tries again whatever went wrong, and tells of it in a way of its own. */
const insistent = async (fetch: VendorFetch) => {
  for (let tries = 0; tries < 5; tries++) {
    const response = await fetch('https://vendor.example/do', { method: 'POST', body: '{}' }).catch(() => undefined)
    if (response?.ok) return response.json()
  }
  throw new TypeError('It does not work.')
}

describe('An exchange through an SDK', () => {
  it('sends one request, to the address and with the key that the SDK does not know', async () => {
    const { sent, run } = arrange(
      () => answer(200, '{"id":1}'),
      (asked) => asked.replace('vendor.example', 'other.example'),
    )
    expect(await run(insistent)).toEqual({ id: 1 })
    expect(sent).toHaveLength(1)
    expect(sent[0]).toMatchObject({ method: 'POST', url: 'https://other.example/do', body: '{}' })
    expect(sent[0]?.headers).toMatchObject({ authorization: 'Key k' })
  })

  it('lets every repetition have the first answer', async () => {
    const { sent, run } = arrange(() => answer(200, '{"id":1}'))
    const heard: unknown[] = []
    await run(async (fetch) => heard.push(await insistent(fetch), await insistent(fetch)))
    expect(heard).toEqual([{ id: 1 }, { id: 1 }])
    expect(sent).toHaveLength(1)
  })

  it('answers with all that came, whatever the SDK makes of it', async () => {
    const { run } = arrange(() => answer(200, '{"id":1,"why":"so"}'))
    expect(await run(async (fetch) => ({ id: await insistent(fetch) }))).toEqual({ id: 1, why: 'so' })
  })

  it('sends nothing again that was answered with a failure, and tells it with its headers', async () => {
    const { sent, run } = arrange(() => answer(429, ''))
    await expect(run(insistent)).rejects.toMatchObject({ kind: 'RATE_LIMITED', retryAfterMs: 2000 })
    expect(sent).toHaveLength(1)
  })

  it('sends nothing again after a connection that broke', async () => {
    const { sent, run } = arrange(() => {
      throw toTransportFailure(new TypeError('fetch failed', { cause: new Error('reset') }), VENDOR)
    })
    await expect(run(insistent)).rejects.toMatchObject({ name: 'ProviderError', delivery: 'UNKNOWN' })
    expect(sent).toHaveLength(1)
  })

  it.each(['', '}{'])('does not understand an answer that is no JSON: "%s"', async (body) => {
    const { run } = arrange(() => answer(200, body))
    await expect(run(insistent)).rejects.toMatchObject({
      kind: 'BAD_OUTPUT',
      delivery: 'ANSWERED',
      providerBilled: null,
    })
  })

  it('does not understand an answer that the SDK does not', async () => {
    const { run } = arrange(() => answer(200, '{"id":1}'))
    const result = run(async (fetch) => {
      await fetch('https://vendor.example/do')
      throw new Error('No such thing.')
    })
    await expect(result).rejects.toMatchObject({ kind: 'BAD_OUTPUT' })
  })

  it('has sent nothing where the SDK refuses, or where the address is not to be shown the key', async () => {
    const { sent, run } = arrange(
      () => answer(200, '{}'),
      () => {
        throw new Error('Not there.')
      },
    )
    for (const call of [insistent, async () => Promise.reject(new Error('Invalid name.'))]) {
      const error = await run(call).catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(ProviderError)
      expect(error).toMatchObject({ kind: 'INVALID_REQUEST', delivery: 'NOT_SENT' })
    }
    expect(sent).toEqual([])
  })
})
