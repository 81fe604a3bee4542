import { expect, it } from 'vitest'
import { createRenewedValue } from '../../../../src/providers/wire/renewed-value.ts'
import { createFakeClock } from '../../../support/fake-clock.ts'

const { signal } = new AbortController()

function open(results: readonly (string | Error)[]) {
  const clock = createFakeClock()
  let fetches = 0
  const value = createRenewedValue({
    clock,
    lifeMs: 1_000,
    restMs: 100,
    fetch: async () => {
      const result = results[fetches]
      fetches += 1
      if (typeof result !== 'string') throw result
      return result
    },
  })
  return { value, clock, fetches: () => fetches }
}

it('fetches once for all that ask, and again when its time is over', async () => {
  const { value, clock, fetches } = open(['one', 'two'])
  expect(await Promise.all([value.get(signal), value.get(signal)])).toEqual(['one', 'one'])
  await clock.advance(999)
  expect(await value.get(signal)).toBe('one')
  expect(fetches()).toBe(1)
  await clock.advance(1)
  expect(await value.get(signal)).toBe('two')
})

it('is renewed no more often than it may be', async () => {
  const { value, clock, fetches } = open(['one', 'two'])
  await value.get(signal)
  expect(await value.renew(signal)).toBeUndefined()
  await clock.advance(100)
  expect(await value.renew(signal)).toBe('two')
  expect(await value.renew(signal)).toBeUndefined()
  expect(await value.get(signal)).toBe('two')
  expect(fetches()).toBe(2)
})

it('keeps no failure', async () => {
  const { value } = open([new Error('away'), 'two'])
  await expect(value.get(signal)).rejects.toThrow('away')
  expect(await value.get(signal)).toBe('two')
})
