import { describe, expect, it } from 'vitest'
import {
  type AttemptResult,
  decisiveError,
  isDone,
  outcomeOf,
  problemsOf,
  requestIdOf,
} from '../../../src/generation/attempt-result.ts'
import type { ProviderError } from '../../../src/providers/provider-error.ts'
import { generationRow } from '../../support/generation-rows.ts'
import { answer, failure } from '../../support/scripted-provider.ts'

const UNKNOWN = failure('TIMEOUT', 'UNKNOWN')
const REFUSED = failure('REFUSED', 'ANSWERED')
const BILLED = failure('BAD_OUTPUT', 'ANSWERED', { providerBilled: true })
const RETIRED = failure('MODEL_RETIRED', 'ANSWERED')
const BUSY = failure('RATE_LIMITED', 'NOT_ACCEPTED', { retryAfterMs: 100 })
const BUSIER = failure('RATE_LIMITED', 'NOT_ACCEPTED', { retryAfterMs: 900 })

const failed = (error: ProviderError, unstored: readonly number[] = []): AttemptResult => ({
  kind: 'failed',
  error,
  unstored,
})

function answered(errors: readonly ProviderError[], unstored: readonly number[] = []): AttemptResult {
  const failures = errors.map((error, imageIndex) => ({ imageIndex, error }))
  return { kind: 'answered', output: answer({ failures }), unstored }
}

const none = (count = 1) => generationRow({ count, imageCount: 0 })

describe('the error that decides', () => {
  it('is the one that the call ended with', () => {
    expect(decisiveError(none(), failed(BUSY))).toBe(BUSY)
  })

  it.each([
    [[BUSY, BUSIER], BUSIER],
    [[BUSIER, BUSY], BUSIER],
    [[BUSY, RETIRED], RETIRED],
    [[RETIRED, BILLED], BILLED],
    [[BILLED, REFUSED], REFUSED],
    [[REFUSED, UNKNOWN, BUSY], UNKNOWN],
  ])('is the gravest of several', (errors, gravest) => {
    expect(decisiveError(none(errors.length), answered(errors))).toBe(gravest)
  })

  it('is none where an image came, one was made and not stored, or nobody said why one is missing', () => {
    expect(decisiveError(generationRow({ count: 2, imageCount: 1 }), failed(BUSY))).toBeUndefined()
    expect(decisiveError(none(2), failed(BUSY, [0]))).toBeUndefined()
    expect(decisiveError(none(2), answered([BUSY]))).toBeUndefined()
    expect(decisiveError(none(), answered([]))).toBeUndefined()
  })
})

describe('the problems', () => {
  it('are none where no image is missing', () => {
    expect(problemsOf(generationRow({ count: 1, imageCount: 1 }), failed(UNKNOWN))).toEqual([])
  })

  it('begin with what decides where there is no image, and go by index where there is one', () => {
    const codes = (imageCount: number) =>
      problemsOf(generationRow({ count: 3, imageCount }), answered([BUSY, UNKNOWN, REFUSED])).map(({ code }) => code)
    expect(codes(0)).toEqual(['UNKNOWN_OUTCOME', 'RATE_LIMITED', 'REFUSED'])
    expect(codes(1)).toEqual(['RATE_LIMITED', 'UNKNOWN_OUTCOME', 'REFUSED'])
  })

  it('begin with what could not be stored', () => {
    expect(problemsOf(none(3), answered([BUSY], [2]))).toMatchObject([
      { stage: 'STORAGE', imageIndex: 2, providerBilled: true },
      { code: 'RATE_LIMITED', imageIndex: 0 },
      { code: 'TOO_FEW_IMAGES' },
    ])
  })

  it('never say that the account is billed', () => {
    for (const result of [failed(UNKNOWN), failed(BILLED), answered([]), answered([], [0])]) {
      for (const problem of problemsOf(none(2), result)) expect(problem.billed).toBe(false)
    }
  })
})

it('tells how an attempt came out', () => {
  const [problem] = problemsOf(none(), failed(BUSY))
  expect(outcomeOf(none(), problem ? [problem] : [])).toBe('FAILED')
  expect(outcomeOf(generationRow({ count: 2, imageCount: 1 }), problem ? [problem] : [])).toBe('PARTIAL')
  expect(outcomeOf(generationRow({ imageCount: 1 }), [])).toBe('SUCCEEDED')
})

it('knows the vendor’s last word and its request id', () => {
  expect([answered([]), failed(REFUSED)].map(isDone)).toEqual([true, true])
  expect([failed(UNKNOWN), failed(BUSY)].map(isDone)).toEqual([false, true])
  expect(requestIdOf(answered([]))).toBe('req-1')
  expect(requestIdOf(failed(BUSY))).toBeNull()
})
