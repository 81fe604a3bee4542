import { describe, expect, it } from 'vitest'
import { createStreamRefresher } from '../../../src/events/stream-refresher.ts'
import { createFakeClock } from '../../support/fake-clock.ts'

function createCounter() {
  const counter = { calls: 0, refresh: () => void counter.calls++ }
  return counter
}

describe('stream refresher', () => {
  it('calls each stream once in every period, on one timer', async () => {
    const clock = createFakeClock()
    const refresher = createStreamRefresher({ clock, everyMs: 1_000, turns: 10 })
    const streams = Array.from({ length: 100 }, createCounter)
    for (const stream of streams) refresher.add(stream)
    expect(clock.sleepers()).toBe(1)
    await clock.advance(5_000)
    expect(new Set(streams.map(({ calls }) => calls))).toEqual(new Set([5]))
    refresher.stop()
  })

  it('spreads the streams over the period', async () => {
    const clock = createFakeClock()
    const refresher = createStreamRefresher({ clock, everyMs: 1_000, turns: 10 })
    const streams = Array.from({ length: 100 }, createCounter)
    for (const stream of streams) refresher.add(stream)
    const called = () => streams.reduce((sum, { calls }) => sum + calls, 0)
    for (let turn = 1; turn <= 10; turn++) {
      await clock.advance(100)
      expect(called()).toBe(turn * 10)
    }
    refresher.stop()
  })

  it('holds no timer while there is no stream, and starts again with the next', async () => {
    const clock = createFakeClock()
    const refresher = createStreamRefresher({ clock, everyMs: 1_000, turns: 4 })
    expect(clock.sleepers()).toBe(0)
    const remove = refresher.add(createCounter())
    remove()
    remove()
    await clock.advance(1_000)
    expect(clock.sleepers()).toBe(0)
    const stream = createCounter()
    refresher.add(stream)
    await clock.advance(1_000)
    expect(stream.calls).toBe(1)
    refresher.stop()
  })

  it('calls nobody after it was stopped', async () => {
    const clock = createFakeClock()
    const refresher = createStreamRefresher({ clock, everyMs: 1_000, turns: 1 })
    const stream = createCounter()
    refresher.add(stream)
    refresher.stop()
    refresher.add(createCounter())
    await clock.advance(3_000)
    expect([stream.calls, clock.sleepers()]).toEqual([0, 0])
  })
})
