import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { ProviderError } from '../../../../src/providers/provider-error.ts'
import { createAbortion } from '../../../../src/providers/wire/call-failures.ts'
import { toTransportFailure } from '../../../../src/providers/wire/transport-failure.ts'
import { createVendorFetch, type VendorFetchLimits } from '../../../../src/providers/wire/vendor-fetch.ts'
import { findDeadPort, startRawServer } from '../../../support/raw-server.ts'

const KEY = 'sk-canary-7f3c9a51e2'

/** What a real call that was sent with a key comes to. */
async function failureOf(url: string, init: RequestInit = {}, limits: Partial<VendorFetchLimits> = {}) {
  const headers = { authorization: `Bearer ${KEY}` }
  const sent = createVendorFetch(limits)(url, { method: 'POST', body: `prompt ${KEY}`, headers, ...init })
  const error = await sent
    .then((response) => response.text())
    .then(
      () => expect.unreachable('It should have failed.'),
      (reason: unknown) => toTransportFailure(reason, 'Vendor'),
    )
  expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(KEY)
  expect(error.message).not.toMatch(/127\.0|localhost/)
  return error
}

const connecting = (code: string) => Object.assign(new Error(code), { code, syscall: 'connect' })

describe('A connection that never came about was certainly not taken', () => {
  const certain = { kind: 'UNAVAILABLE', delivery: 'NOT_ACCEPTED', providerBilled: false }

  it('refused', async () => {
    expect(await failureOf(`http://127.0.0.1:${await findDeadPort()}/`)).toMatchObject(certain)
  })

  it('refused at every address of a name', async () => {
    expect(await failureOf(`http://localhost:${await findDeadPort()}/`)).toMatchObject(certain)
  })

  it('closed before there was a secure one', async () => {
    const { port } = await startRawServer((socket) => socket.destroy())
    expect(await failureOf(`https://127.0.0.1:${port}/`)).toMatchObject(certain)
  })

  it('to a server that speaks no TLS', async () => {
    const { port } = await startRawServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    expect(await failureOf(`https://127.0.0.1:${port}/`)).toMatchObject(certain)
  })

  it.each(['EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'EADDRNOTAVAIL', 'ECONNRESET'])('%s', (code) => {
    const failed = new TypeError('fetch failed', { cause: connecting(code) })
    expect(toTransportFailure(failed, 'Vendor')).toMatchObject(certain)
  })

  it('that timed out at each of several addresses', () => {
    const tried = new AggregateError([connecting('ETIMEDOUT'), connecting('ENETUNREACH')], '')
    const failed = new TypeError('fetch failed', { cause: Object.assign(tried, { code: 'ETIMEDOUT' }) })
    expect(toTransportFailure(failed, 'Vendor')).toMatchObject(certain)
  })

  it.each(['UND_ERR_CONNECT_TIMEOUT', 'ENOTFOUND', 'EAI_AGAIN', 'CERT_HAS_EXPIRED', 'ERR_TLS_CERT_ALTNAME_INVALID'])(
    '%s',
    (code) => {
      expect(toTransportFailure(Object.assign(new Error(code), { code }), 'Vendor')).toMatchObject(certain)
    },
  )
})

describe('A connection that broke leaves the outcome open', () => {
  const open = { kind: 'UNAVAILABLE', delivery: 'UNKNOWN', providerBilled: null }

  it('reset when the request was read', async () => {
    const { port } = await startRawServer((socket) => socket.once('data', () => socket.resetAndDestroy()))
    expect(await failureOf(`http://127.0.0.1:${port}/`)).toMatchObject(open)
  })

  it('closed without a word', async () => {
    const { port } = await startRawServer((socket) => socket.once('data', () => socket.end()))
    expect(await failureOf(`http://127.0.0.1:${port}/`)).toMatchObject(open)
  })

  it('closed within the answer', async () => {
    const half = 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf'
    const { port } = await startRawServer((socket) => socket.once('data', () => socket.end(half)))
    expect(await failureOf(`http://127.0.0.1:${port}/`)).toMatchObject(open)
  })

  it('answered by something that is no HTTP', async () => {
    const { port } = await startRawServer((socket) => socket.once('data', () => socket.end('220 mail ready\r\n')))
    expect(await failureOf(`http://127.0.0.1:${port}/`)).toMatchObject(open)
  })

  it.each(['EHOSTUNREACH', 'ENETUNREACH', 'EPIPE', 'ECONNRESET', 'UND_ERR_SOCKET'])('%s while reading', (code) => {
    const cause = Object.assign(new Error(code), { code, syscall: 'read' })
    expect(toTransportFailure(new TypeError('fetch failed', { cause }), 'Vendor')).toMatchObject(open)
  })

  it.each([['a string'], [undefined], [{ code: 'ECONNREFUSED' }], [new Error('of an SDK')]])(
    'that failed with %s',
    (thrown) => {
      expect(toTransportFailure(thrown, 'Vendor')).toMatchObject(open)
    },
  )
})

describe('Silence leaves the outcome open, and is told apart', () => {
  const late = { kind: 'TIMEOUT', delivery: 'UNKNOWN', providerBilled: null }

  it('before the answer', async () => {
    const { port } = await startRawServer(() => undefined)
    expect(await failureOf(`http://127.0.0.1:${port}/`, {}, { headersMs: 20 })).toMatchObject(late)
  })

  it('within the answer', async () => {
    const half = 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf'
    const { port } = await startRawServer((socket) => socket.once('data', () => socket.write(half)))
    expect(await failureOf(`http://127.0.0.1:${port}/`, {}, { bodyMs: 20 })).toMatchObject(late)
  })

  it('by our own limit', async () => {
    const { port } = await startRawServer(() => undefined)
    const signal = AbortSignal.timeout(20)
    expect(await failureOf(`http://127.0.0.1:${port}/`, { signal })).toMatchObject(late)
  })

  it('by the system, once connected', () => {
    const cause = Object.assign(new Error('read ETIMEDOUT'), { code: 'ETIMEDOUT', syscall: 'read' })
    expect(toTransportFailure(cause, 'Vendor')).toMatchObject(late)
  })
})

describe('Any other end of a call', () => {
  it('is an answer that cannot be used where it was too large to read', async () => {
    const reply = `HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n${'x'.repeat(100)}`
    const { port } = await startRawServer((socket) => socket.once('data', () => socket.end(reply)))
    const error = await failureOf(`http://127.0.0.1:${port}/`, {}, { maxBytes: 99 })
    expect(error).toMatchObject({ kind: 'BAD_OUTPUT', delivery: 'ANSWERED', providerBilled: null })
  })

  it('is what an adapter has said already', () => {
    const error = createAbortion(true)
    expect(toTransportFailure(error, 'Vendor')).toBe(error)
  })

  it('is found among causes that go round in a circle', () => {
    const error = new Error('outer')
    error.cause = new AggregateError([error, error, error, error, error, connecting('ECONNREFUSED')])
    expect(toTransportFailure(error, 'Vendor')).toBeInstanceOf(ProviderError)
  })
})
