import { describe, expect, it } from 'vitest'
import { ProviderError } from '../../../src/providers/provider-error.ts'
import { createProviderGate, type GateLimits } from '../../../src/worker/provider-gate.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { failure } from '../../support/scripted-provider.ts'

const OUTAGE = failure('UNAVAILABLE', 'NOT_ACCEPTED')

function createGate({ concurrency = 2, requestsPerMinute = null }: Partial<GateLimits> = {}) {
  const clock = createFakeClock()
  const limits = { concurrency, requestsPerMinute }
  const gate = createProviderGate({ clock, limits: new Map(['a', 'b'].map((id) => [id, limits])) })
  const fail = (times: number, error = OUTAGE) => {
    for (let time = 0; time < times; time++) gate.failed('a', error)
  }
  return { clock, gate, fail }
}

describe('the bound on calls at a time', () => {
  it('is each provider’s own', () => {
    const { gate } = createGate()
    gate.enter('a')
    expect(gate.busy()).toEqual([])
    gate.enter('a')
    expect(gate.busy()).toEqual(['a'])
    gate.leave('a')
    expect(gate.busy()).toEqual([])
  })
})

describe('the bound on calls in a minute', () => {
  it('holds for any minute, and lets the next one begin when the first is a minute old', async () => {
    const { gate, clock } = createGate({ concurrency: 10, requestsPerMinute: 2 })
    gate.enter('a')
    await clock.advance(30_000)
    gate.enter('a')
    expect(gate.busy()).toEqual(['a'])
    await clock.advance(29_999)
    expect(gate.busy()).toEqual(['a'])
    await clock.advance(1)
    expect(gate.busy()).toEqual([])
    gate.enter('a')
    expect(gate.busy()).toEqual(['a'])
  })
})

describe('a provider that is asked too much', () => {
  it('is left alone for as long as it says, and shows why', async () => {
    const { gate, clock } = createGate()
    gate.failed('a', failure('RATE_LIMITED', 'NOT_ACCEPTED', { retryAfterMs: 5_000 }))
    expect(gate.busy()).toEqual(['a'])
    expect(gate.health('a')).toMatchObject({
      state: 'DEGRADED',
      since: clock.now(),
      message: expect.stringContaining('RATE_LIMITED'),
    })
    await clock.advance(5_000)
    expect(gate.busy()).toEqual([])
    expect(gate.health('a')).toEqual({ state: 'UP', since: null, message: null })
  })

  it('is left alone for two seconds where it says nothing, and for a minute at most', async () => {
    const { gate, clock } = createGate()
    gate.failed('a', failure('RATE_LIMITED', 'NOT_ACCEPTED'))
    await clock.advance(2_000)
    expect(gate.busy()).toEqual([])
    gate.failed('a', failure('RATE_LIMITED', 'NOT_ACCEPTED', { retryAfterMs: 86_400_000 }))
    await clock.advance(60_000)
    expect(gate.busy()).toEqual([])
  })

  it('never opens the circuit, however often it says so', () => {
    const { gate, fail } = createGate()
    fail(20, failure('RATE_LIMITED', 'NOT_ACCEPTED'))
    expect(gate.health('a').state).toBe('DEGRADED')
  })
})

describe('the circuit', () => {
  it('knows nothing before the first call', () => {
    expect(createGate().gate.health('a')).toEqual({ state: 'UNKNOWN', since: null, message: null })
  })

  it('is degraded after three failures in a row and open after six', () => {
    const { gate, fail, clock } = createGate()
    fail(2)
    expect(gate.health('a')).toEqual({ state: 'UP', since: null, message: null })
    fail(1)
    expect(gate.health('a')).toEqual({ state: 'DEGRADED', since: clock.now(), message: OUTAGE.message })
    fail(2)
    expect(gate.busy()).toEqual([])
    fail(1)
    expect(gate.health('a').state).toBe('DOWN')
    expect(gate.busy()).toEqual(['a'])
    expect(gate.health('b').state).toBe('UNKNOWN')
  })

  it.each(['UNAVAILABLE', 'RATE_LIMITED'] as const)(
    'tells nobody what the provider said to somebody of a request (%s)',
    (kind) => {
      const { gate, fail } = createGate()
      const message =
        'Replicate took the job and failed at it. It says: ValueError: bad prompt "my diary". It says: no.'
      fail(3, new ProviderError({ kind, delivery: 'ANSWERED', message }))
      expect(gate.health('a')).toMatchObject({ state: 'DEGRADED', message: 'Replicate took the job and failed at it.' })
    },
  )

  it('lets one call at a time look whether it is back, and closes when that succeeds', async () => {
    const { gate, fail, clock } = createGate()
    fail(6)
    await clock.advance(29_999)
    expect(gate.busy()).toEqual(['a'])
    await clock.advance(1)
    expect(gate.busy()).toEqual([])
    expect(gate.health('a').state).toBe('DEGRADED')
    gate.enter('a')
    expect(gate.busy()).toEqual(['a'])
    gate.succeeded('a')
    expect(gate.busy()).toEqual([])
    gate.leave('a')
    expect(gate.health('a')).toEqual({ state: 'UP', since: null, message: null })
  })

  it('opens again when the call that looks fails', async () => {
    const { gate, fail, clock } = createGate()
    fail(6)
    await clock.advance(30_000)
    gate.enter('a')
    fail(1)
    gate.leave('a')
    expect(gate.busy()).toEqual(['a'])
    expect(gate.health('a').state).toBe('DOWN')
    await clock.advance(30_000)
    expect(gate.busy()).toEqual([])
  })

  it('lets another look when the one that looked was dropped', async () => {
    const { gate, fail, clock } = createGate()
    fail(6)
    await clock.advance(30_000)
    gate.enter('a')
    gate.leave('a')
    expect(gate.busy()).toEqual([])
  })

  it('counts only what is the provider’s own fault', () => {
    const { gate, fail } = createGate()
    fail(9, failure('MODEL_RETIRED', 'NOT_ACCEPTED'))
    fail(9, failure('BAD_OUTPUT', 'ANSWERED'))
    expect(gate.health('a').state).toBe('UP')
  })

  it('takes a refusal for a sign of life', () => {
    const { gate, fail } = createGate()
    fail(5)
    gate.failed('a', failure('REFUSED', 'ANSWERED'))
    fail(2)
    expect(gate.health('a').state).toBe('UP')
  })

  it('keeps count of what runs whatever comes of it', () => {
    const { gate } = createGate({ concurrency: 1 })
    gate.enter('a')
    gate.succeeded('a')
    expect(gate.busy()).toEqual(['a'])
    gate.leave('a')
    expect(gate.busy()).toEqual([])
  })
})
