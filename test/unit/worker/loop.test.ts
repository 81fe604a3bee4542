import { describe, expect, it } from 'vitest'
import { createLoop } from '../../../src/worker/loop.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { createMoment } from '../../support/moment.ts'

function createCounted(work: (run: number, stopping: AbortSignal) => Promise<void> = async () => {}, firstAfterMs = 0) {
  const clock = createFakeClock()
  const errors: unknown[] = []
  let runs = 0
  const loop = createLoop({
    clock,
    everyMs: 1_000,
    firstAfterMs,
    run: (stopping) => work(++runs, stopping),
    onError: (error) => errors.push(error),
  })
  return { clock, loop, errors, runs: () => runs }
}

describe('a loop', () => {
  it('runs at once and then every so often', async () => {
    const { clock, loop, runs } = createCounted()
    loop.start()
    expect(runs()).toBe(1)
    await clock.advance(999)
    expect(runs()).toBe(1)
    await clock.advance(1)
    expect(runs()).toBe(2)
    await clock.advance(3_000)
    expect(runs()).toBe(5)
  })

  it('runs for the first time as late as it is told to', async () => {
    const { clock, loop, runs } = createCounted(undefined, 5_000)
    loop.start()
    await clock.advance(4_999)
    expect(runs()).toBe(0)
    await clock.advance(1)
    expect(runs()).toBe(1)
    await clock.advance(1_000)
    expect(runs()).toBe(2)
  })

  it('does not run at all when it is stopped before the first time', async () => {
    const { loop, runs } = createCounted(undefined, 5_000)
    loop.start()
    await loop.stop()
    expect(runs()).toBe(0)
  })

  it('tells a run that takes long to come to its end', async () => {
    const { loop } = createCounted(
      (_, stopping) => new Promise((resolve) => stopping.addEventListener('abort', () => resolve())),
    )
    loop.start()
    await loop.stop()
  })

  it('runs at once when nudged, and then after the whole time', async () => {
    const { clock, loop, runs } = createCounted()
    loop.start()
    await clock.advance(500)
    loop.nudge()
    await clock.advance(0)
    expect(runs()).toBe(2)
    await clock.advance(999)
    expect(runs()).toBe(2)
    await clock.advance(1)
    expect(runs()).toBe(3)
  })

  it('runs once more behind a run in which it was nudged, however often', async () => {
    const moment = createMoment()
    const { clock, loop, runs } = createCounted((run) => (run === 1 ? moment.reached : Promise.resolve()))
    loop.start()
    loop.nudge()
    loop.nudge()
    moment.reach()
    await clock.advance(0)
    expect(runs()).toBe(2)
    await clock.advance(999)
    expect(runs()).toBe(2)
  })

  it('tells of a run that throws and goes on', async () => {
    const { clock, loop, errors, runs } = createCounted(async (run) => {
      if (run === 1) throw new Error('first')
    })
    loop.start()
    await clock.advance(1_000)
    expect(runs()).toBe(2)
    expect(errors).toEqual([new Error('first')])
  })

  it('stops behind the run that is under way, and runs no more', async () => {
    const moment = createMoment()
    const { clock, loop, runs } = createCounted(() => moment.reached)
    loop.start()
    let stopped = false
    const stopping = loop.stop().then(() => {
      stopped = true
    })
    await clock.advance(5_000)
    expect(stopped).toBe(false)
    moment.reach()
    await stopping
    loop.nudge()
    await clock.advance(5_000)
    expect(runs()).toBe(1)
  })

  it('stops where it was never started', async () => {
    const { loop, runs } = createCounted()
    await loop.stop()
    expect(runs()).toBe(0)
  })
})
