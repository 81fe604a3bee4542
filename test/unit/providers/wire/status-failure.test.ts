import { describe, expect, it } from 'vitest'
import type { Delivery, ProviderErrorKind } from '../../../../src/providers/provider-error.ts'
import { toStatusFailure, type VendorRefusal } from '../../../../src/providers/wire/status-failure.ts'

const failureOf = (status: number, more: Partial<VendorRefusal> = {}) =>
  toStatusFailure('Vendor', { status, headers: new Headers(), now: 0, ...more })

describe('What a status means', () => {
  it.each<readonly [statuses: readonly number[], ProviderErrorKind, Delivery, billed: boolean | null]>([
    [[400, 404, 405, 409, 410, 413, 415, 422, 418], 'INVALID_REQUEST', 'ANSWERED', false],
    [[301, 302, 307], 'INVALID_REQUEST', 'ANSWERED', false],
    [[401, 403], 'UNAUTHORIZED', 'NOT_ACCEPTED', false],
    [[402], 'QUOTA_EXHAUSTED', 'NOT_ACCEPTED', false],
    [[429], 'RATE_LIMITED', 'NOT_ACCEPTED', false],
    [[503, 529, 521, 523, 525, 526], 'UNAVAILABLE', 'NOT_ACCEPTED', false],
    [[500, 501, 505, 599], 'UNAVAILABLE', 'ANSWERED', null],
    [[408, 499, 502, 504, 520, 522, 524], 'TIMEOUT', 'UNKNOWN', null],
  ])('%j', (statuses, kind, delivery, providerBilled) => {
    for (const status of statuses) {
      expect([status, failureOf(status)]).toMatchObject([status, { kind, delivery, providerBilled }])
    }
  })

  it('is what the adapter says where it knows better', () => {
    const error = failureOf(400, { kind: 'REFUSED', delivery: 'NOT_ACCEPTED', providerBilled: true })
    expect(error).toMatchObject({ kind: 'REFUSED', delivery: 'NOT_ACCEPTED', providerBilled: true })
    expect(failureOf(429, { kind: 'QUOTA_EXHAUSTED' })).toMatchObject({
      kind: 'QUOTA_EXHAUSTED',
      delivery: 'NOT_ACCEPTED',
    })
    expect(failureOf(400, { providerBilled: null }).providerBilled).toBeNull()
  })

  it('is an open bill where work was begun, whoever said so', () => {
    expect(failureOf(400, { kind: 'UNAVAILABLE' }).providerBilled).toBeNull()
    expect(failureOf(400, { delivery: 'UNKNOWN' }).providerBilled).toBeNull()
  })
})

describe('What is told of it', () => {
  const headers = new Headers({ 'retry-after': '3' })

  it('has the pause where it may pass, and nowhere else', () => {
    const pauseOf = (status: number, more = {}) => failureOf(status, { headers, ...more }).retryAfterMs
    expect([429, 503, 500].map((status) => pauseOf(status))).toEqual([3000, 3000, 3000])
    expect([400, 401, 402, 504].map((status) => pauseOf(status))).toEqual([null, null, null, null])
    expect(pauseOf(429, { kind: 'QUOTA_EXHAUSTED' })).toBeNull()
    expect(pauseOf(429, { retryAfterMs: 500 })).toBe(500)
    expect(pauseOf(429, { retryAfterMs: null })).toBe(3000)
  })

  it('has the code and the id of the vendor', () => {
    const error = failureOf(400, { code: 'bad_request', requestId: 'req_1' })
    expect(error).toMatchObject({ providerCode: 'bad_request', providerRequestId: 'req_1' })
    expect(failureOf(400)).toMatchObject({ providerCode: null, providerRequestId: null })
  })

  it('names the vendor and repeats its words, as far as one would read them', () => {
    expect(failureOf(400, { message: 'Too blue.' }).message).toBe(
      'Vendor did not accept the request. It says: Too blue.',
    )
    expect(failureOf(402, { message: '' }).message).toBe('Vendor has no credit left for this key.')
    const long = failureOf(400, { message: '🦊'.repeat(10_000) }).message
    expect(long.length).toBeLessThan(600)
    expect(long.isWellFormed()).toBe(true)
  })

  it.each<readonly [ProviderErrorKind, number, string]>([
    ['REFUSED', 400, 'declined the content'],
    ['MODEL_RETIRED', 404, 'does not offer this model'],
    ['UNAVAILABLE', 500, 'failed at its work'],
    ['UNAVAILABLE', 400, 'failed at its work'],
    ['UNAVAILABLE', 503, 'is overloaded or down'],
    ['TIMEOUT', 504, 'nobody can tell'],
  ])('says of %s at %i that it %s', (kind, status, words) => {
    expect(failureOf(status, { kind }).message).toContain(words)
  })
})
