import { describe, expect, it } from 'vitest'
import { ProviderError } from '../../../../src/providers/provider-error.ts'
import {
  asNotSent,
  concernsAll,
  failuresOf,
  fanOut,
  sumUsage,
  throwIfAlone,
  valuesOf,
} from '../../../../src/providers/wire/fan-out.ts'

type Details = ConstructorParameters<typeof ProviderError>[0]

const failure = (changes: Partial<Details> = {}) =>
  new ProviderError({ kind: 'REFUSED', delivery: 'ANSWERED', message: 'No.', ...changes })

const noKey = () => failure({ kind: 'UNAUTHORIZED', delivery: 'NOT_ACCEPTED' })

/** Calls that a test ends one by one. */
function createCalls() {
  const begun: number[] = []
  const ends = new Map<number, PromiseWithResolvers<string>>()
  return {
    begun,
    run: (index: number, signal: AbortSignal): Promise<string> => {
      begun.push(index)
      const end = Promise.withResolvers<string>()
      ends.set(index, end)
      signal.addEventListener('abort', () => end.reject(failure({ kind: 'UNAVAILABLE', delivery: 'UNKNOWN' })))
      return end.promise
    },
    async finish(index: number): Promise<void> {
      ends.get(index)?.resolve(`image ${index}`)
      await turn()
    },
    async fail(index: number, error: unknown): Promise<void> {
      ends.get(index)?.reject(error)
      await turn()
    },
  }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

function start(indexes: readonly number[], concurrency: number) {
  const calls = createCalls()
  const ending = new AbortController()
  const results = fanOut({ indexes, concurrency, signal: ending.signal }, calls.run)
  results.catch(() => undefined)
  return { ...calls, results, end: () => ending.abort() }
}

describe('Several calls for one request', () => {
  it('run a few at a time, the next as one ends', async () => {
    const { begun, finish, results } = start([0, 1, 2, 3], 2)
    expect(begun).toEqual([0, 1])
    await finish(1)
    expect(begun).toEqual([0, 1, 2])
    await finish(0)
    await finish(3)
    await finish(2)
    expect(valuesOf(await results)).toEqual(['image 0', 'image 1', 'image 2', 'image 3'])
  })

  it('are only those that are asked for', async () => {
    const { begun, finish, results } = start([2, 5], 9)
    expect(begun).toEqual([2, 5])
    await finish(5)
    await finish(2)
    expect((await results).map(({ index }) => index)).toEqual([2, 5])
    expect(await fanOut({ indexes: [], concurrency: 4, signal: new AbortController().signal }, async () => 1)).toEqual(
      [],
    )
  })

  it('each have an outcome of their own', async () => {
    const { finish, fail, results } = start([0, 1, 2], 1)
    const refusal = failure()
    await finish(0)
    await fail(1, refusal)
    await finish(2)
    expect(failuresOf(await results)).toEqual([{ imageIndex: 1, error: refusal }])
    expect(valuesOf(await results)).toEqual(['image 0', 'image 2'])
  })

  it('have their failure thrown where a single one was asked for', async () => {
    const refusal = failure()
    const alone = [{ index: 0, error: refusal }]
    expect(() => throwIfAlone(alone, 1)).toThrow(refusal)
    expect(() => throwIfAlone(alone, 2)).not.toThrow()
    expect(() => throwIfAlone([{ index: 0, value: 1 }], 1)).not.toThrow()
    expect(() => throwIfAlone([], 1)).not.toThrow()
  })
})

describe('A failure that will meet the rest as well', () => {
  it('lets those end that are on their way, and begins no other', async () => {
    const { begun, finish, fail, results } = start([0, 1, 2, 3, 4], 2)
    await fail(0, noKey())
    await finish(1)
    expect(begun).toEqual([0, 1])
    expect(valuesOf(await results)).toEqual(['image 1'])
    const failures = failuresOf(await results)
    expect(failures.map(({ imageIndex }) => imageIndex)).toEqual([0, 2, 3, 4])
    for (const { error } of failures) expect(error).toMatchObject({ kind: 'UNAUTHORIZED', providerBilled: false })
  })

  it('is told of calls that were not made as of such', () => {
    const error = asNotSent(
      failure({
        kind: 'RATE_LIMITED',
        delivery: 'ANSWERED',
        retryAfterMs: 5000,
        providerCode: 'busy',
        providerRequestId: 'r1',
        providerBilled: true,
      }),
    )
    expect(error).toMatchObject({ kind: 'RATE_LIMITED', delivery: 'NOT_ACCEPTED', retryAfterMs: 5000 })
    expect(error).toMatchObject({ providerCode: 'busy', providerRequestId: 'r1', providerBilled: false })
  })

  it.each<readonly [Details['kind'], Details['delivery'], boolean]>([
    ['UNAUTHORIZED', 'NOT_ACCEPTED', true],
    ['UNAUTHORIZED', 'NOT_SENT', true],
    ['QUOTA_EXHAUSTED', 'ANSWERED', true],
    ['MODEL_RETIRED', 'ANSWERED', true],
    ['RATE_LIMITED', 'NOT_ACCEPTED', true],
    ['RATE_LIMITED', 'ANSWERED', false],
    ['UNAVAILABLE', 'NOT_ACCEPTED', true],
    ['UNAVAILABLE', 'ANSWERED', false],
    ['UNAVAILABLE', 'UNKNOWN', false],
    ['TIMEOUT', 'UNKNOWN', false],
    ['REFUSED', 'ANSWERED', false],
    ['INVALID_REQUEST', 'ANSWERED', false],
    ['BAD_OUTPUT', 'ANSWERED', false],
  ])('%s, %s: %s', (kind, delivery, expected) => {
    expect(concernsAll(failure({ kind, delivery }))).toBe(expected)
  })
})

describe('What our own side throws', () => {
  const lost = new Error('The lease is lost.')

  it('ends all of them and goes through as it is', async () => {
    const { begun, fail, results } = start([0, 1, 2, 3], 2)
    await fail(1, lost)
    await expect(results).rejects.toBe(lost)
    expect(begun).toEqual([0, 1])
  })

  it('goes before what the ended calls say, also where the call has ended too', async () => {
    const { fail, results, end } = start([0, 1, 2], 3)
    await Promise.all([fail(2, lost), end()])
    await expect(results).rejects.toBe(lost)
  })

  it('lets none begin that looks at no signal', async () => {
    const begun: number[] = []
    const signal = new AbortController().signal
    const results = fanOut({ indexes: [0, 1, 2, 3, 4], concurrency: 2, signal }, async (index) => {
      begun.push(index)
      await turn()
      if (index === 0) throw lost
      await turn()
    })
    await expect(results).rejects.toBe(lost)
    expect(begun).toEqual([0, 1])
  })

  it('waits for those that it has ended: nothing goes on behind its back', async () => {
    let isOver = false
    const results = fanOut({ indexes: [0, 1], concurrency: 2, signal: new AbortController().signal }, async (index) => {
      if (index === 0) throw lost
      await turn()
      isOver = true
    })
    await expect(results).rejects.toBe(lost)
    expect(isOver).toBe(true)
  })
})

describe('The end of the call', () => {
  it('ends those on their way, begins no other, and leaves the outcome open', async () => {
    const { begun, finish, results, end } = start([0, 1, 2, 3], 2)
    await finish(0)
    end()
    await expect(results).rejects.toMatchObject({ name: 'ProviderError', delivery: 'UNKNOWN' })
    expect(begun).toEqual([0, 1, 2])
  })

  it('lets none begin that looks at no signal', async () => {
    const ending = new AbortController()
    const begun: number[] = []
    const results = fanOut({ indexes: [0, 1], concurrency: 1, signal: ending.signal }, async (index) => {
      begun.push(index)
      ending.abort()
    })
    await expect(results).rejects.toMatchObject({ delivery: 'UNKNOWN' })
    expect(begun).toEqual([0])
  })

  it('changes nothing when all are done', async () => {
    const { finish, results, end } = start([0], 1)
    await finish(0)
    end()
    expect(valuesOf(await results)).toEqual(['image 0'])
  })
})

describe('The tokens of several calls', () => {
  const usage = (inputTokens: number | null, totalTokens: number | null) => ({
    inputTokens,
    imageInputTokens: null,
    outputTokens: null,
    imageOutputTokens: null,
    totalTokens,
  })

  it('add up as far as they are told', () => {
    expect(sumUsage([usage(1, 10), null, usage(2, null)])).toEqual(usage(3, 10))
  })

  it('are not told where none of them told any', () => {
    expect(sumUsage([null, null])).toBeNull()
    expect(sumUsage([])).toBeNull()
  })
})
