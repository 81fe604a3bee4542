import { describe, expect, it, vi } from 'vitest'
import { ProviderError } from '../../../../src/providers/provider-error.ts'
import { type Polling, pollUntilDone } from '../../../../src/providers/wire/polling.ts'
import { createFakeClock } from '../../../support/fake-clock.ts'

type Details = ConstructorParameters<typeof ProviderError>[0]

const failure = (changes: Partial<Details> = {}) =>
  new ProviderError({ kind: 'UNAVAILABLE', delivery: 'NOT_ACCEPTED', message: 'No.', ...changes })

const RUNNING = () => undefined

/** Looks that do these things, one each, and the last of them ever after. Times are from the beginning. */
function poll(looks: readonly (() => string | ProviderError | undefined)[], changes: Partial<Polling> = {}) {
  const clock = createFakeClock()
  const start = clock.now()
  const lookedAt: number[] = []
  const { signal } = new AbortController()
  const polling = { vendor: 'Vendor', clock, signal, pauseMs: 500, limitMs: 60_000, ...changes }
  const done = pollUntilDone(polling, async () => {
    lookedAt.push(clock.now() - start)
    return (looks[lookedAt.length - 1] ?? looks.at(-1))?.()
  })
  done.catch(() => undefined)
  return { done, clock, lookedAt }
}

const fails =
  (changes: Partial<Details> = {}) =>
  () => {
    throw failure(changes)
  }

describe('Asking after a job', () => {
  it('is not given up because the clock was set on by hours, or sooner because it was set back', async () => {
    const fake = createFakeClock()
    let aheadMs = 0
    const clock = { ...fake, now: () => fake.now() + aheadMs }
    const { done, lookedAt } = poll([RUNNING], { clock, limitMs: 3_600_000 })
    await fake.advance(10_000)
    aheadMs = 10 * 3_600_000
    await fake.advance(10_000)
    aheadMs = -3_600_000
    await fake.advance(10_000)
    expect(lookedAt).toHaveLength(61)
    await fake.advance(3_600_000)
    await expect(done).rejects.toThrow('did not finish it in time')
  })

  it('goes on until there is an answer', async () => {
    const { done, clock, lookedAt } = poll([RUNNING, RUNNING, () => 'ready'])
    await clock.advance(1000)
    expect(await done).toBe('ready')
    expect(lookedAt).toEqual([0, 500, 1000])
    expect(clock.sleepers()).toBe(0)
  })

  it('pauses longer and longer where the vendor is to call, and looks at once when it does', async () => {
    const pauses: number[] = []
    const wakers: (() => void)[] = []
    const pause = (ms: number) => {
      pauses.push(ms)
      return new Promise<void>((resolve) => wakers.push(resolve))
    }
    const { done, lookedAt, clock } = poll([...Array.from({ length: 7 }, () => RUNNING), () => 'ready'], { pause })
    for (let times = 0; times < 7; times += 1) {
      await vi.waitUntil(() => wakers.length > times)
      wakers[times]?.()
    }
    expect(await done).toBe('ready')
    expect(pauses).toEqual([750, 1_125, 1_687.5, 2_531.25, 3_000, 3_000, 3_000])
    expect(lookedAt).toHaveLength(8)
    expect(clock.sleepers()).toBe(0)
  })

  it('ends with the failure of the job, as it is', async () => {
    const refusal = failure({ kind: 'REFUSED', delivery: 'ANSWERED' })
    const { done } = poll([() => refusal])
    await expect(done).rejects.toBe(refusal)
  })

  it('takes a failed job for failed though looks may fail in the same way', async () => {
    const broken = failure({ kind: 'UNAVAILABLE', delivery: 'ANSWERED' })
    const { done, lookedAt } = poll([() => broken])
    await expect(done).rejects.toBe(broken)
    expect(lookedAt).toHaveLength(1)
  })

  it('is given up where the job takes too long, and the outcome is open', async () => {
    const { done, clock, lookedAt } = poll([RUNNING], { limitMs: 2000 })
    await clock.advance(5000)
    await expect(done).rejects.toMatchObject({ kind: 'TIMEOUT', delivery: 'UNKNOWN', providerBilled: null })
    expect(lookedAt).toEqual([0, 500, 1000, 1500, 2000])
  })
})

describe('A look that failed', () => {
  it.each([
    ['UNAVAILABLE', 'NOT_ACCEPTED'],
    ['UNAVAILABLE', 'UNKNOWN'],
    ['TIMEOUT', 'UNKNOWN'],
    ['RATE_LIMITED', 'NOT_ACCEPTED'],
  ] as const)('says nothing of the job (%s, %s)', async (kind, delivery) => {
    const { done, clock } = poll([fails({ kind, delivery }), () => 'ready'])
    await clock.advance(1000)
    expect(await done).toBe('ready')
  })

  it('doubles the pause up to its bound, and the next that works makes it short again', async () => {
    const bad = fails()
    const { done, clock, lookedAt } = poll([RUNNING, bad, bad, bad, bad, RUNNING, RUNNING, () => 'ready'], {
      maxPauseMs: 3000,
    })
    await clock.advance(20_000)
    expect(await done).toBe('ready')
    expect(lookedAt.slice(1).map((at, place) => at - (lookedAt[place] ?? 0))).toEqual([
      500, 1000, 2000, 3000, 3000, 500, 500,
    ])
  })

  it('has the pause that the vendor asks for, within the bound', async () => {
    const { done, clock, lookedAt } = poll([
      fails({ retryAfterMs: 4000 }),
      fails({ retryAfterMs: 60_000 }),
      () => 'ready',
    ])
    await clock.advance(20_000)
    expect(await done).toBe('ready')
    expect(lookedAt).toEqual([0, 4000, 14_000])
  })

  it('again and again ends with the time that a job may take', async () => {
    const { done, clock } = poll([fails()], { limitMs: 30_000 })
    await clock.advance(60_000)
    await expect(done).rejects.toMatchObject({ kind: 'TIMEOUT', delivery: 'UNKNOWN' })
  })

  it.each([
    ['BAD_OUTPUT', 'ANSWERED'],
    ['INVALID_REQUEST', 'ANSWERED'],
    ['UNAUTHORIZED', 'NOT_ACCEPTED'],
  ] as const)('in a way that should not pass (%s) is believed the third time in a row', async (kind, delivery) => {
    const bad = fails({ kind, delivery, providerCode: 'gone', providerRequestId: 'r1' })
    const { done, clock, lookedAt } = poll([bad, bad, RUNNING, bad, bad, bad, () => 'ready'])
    await clock.advance(20_000)
    await expect(done).rejects.toMatchObject({ kind, delivery: 'UNKNOWN', providerBilled: null })
    await expect(done).rejects.toMatchObject({ providerCode: 'gone', providerRequestId: 'r1' })
    expect(lookedAt).toHaveLength(6)
  })

  it('for a reason of our own ends it at once, as it is', async () => {
    const lost = new Error('The lease is lost.')
    const { done, lookedAt } = poll([
      () => {
        throw lost
      },
    ])
    await expect(done).rejects.toBe(lost)
    expect(lookedAt).toHaveLength(1)
  })
})

describe('The end of the call', () => {
  const ended = { name: 'ProviderError', delivery: 'UNKNOWN', providerBilled: null }

  it('comes before the first look', async () => {
    const { done, lookedAt } = poll([() => 'ready'], { signal: AbortSignal.abort() })
    await expect(done).rejects.toMatchObject(ended)
    expect(lookedAt).toEqual([])
  })

  it('comes within the pause, without another look', async () => {
    const ending = new AbortController()
    const { done, clock, lookedAt } = poll([RUNNING], { signal: ending.signal })
    await clock.advance(600)
    ending.abort()
    await expect(done).rejects.toMatchObject(ended)
    expect(lookedAt).toEqual([0, 500])
    expect(clock.sleepers()).toBe(0)
  })

  it('comes before what a look has just thrown', async () => {
    const ending = new AbortController()
    const { done } = poll(
      [
        () => {
          ending.abort()
          throw failure({ kind: 'UNAUTHORIZED' })
        },
      ],
      { signal: ending.signal },
    )
    await expect(done).rejects.toMatchObject({ ...ended, kind: 'UNAVAILABLE' })
  })
})
