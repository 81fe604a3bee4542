import { afterEach, describe, expect, it } from 'vitest'
import { createLogger } from '../../../src/logger.ts'
import { createScheduler, type Scheduler } from '../../../src/transport/scheduler.ts'
import { createFakeClock } from '../../support/fake-clock.ts'

const logLines: string[] = []
const logger = createLogger({ level: 'error', destination: { write: (line) => logLines.push(line) } })
let scheduler: Scheduler | undefined
afterEach(() => scheduler?.stop())

function start() {
  const clock = createFakeClock()
  scheduler = createScheduler({ clock, logger, tickMs: 500 })
  scheduler.start()
  return { clock, scheduler }
}

describe('the scheduler', () => {
  it('runs once, never early and at most a tick late', async () => {
    const { clock, scheduler } = start()
    const ranAt: number[] = []
    const startedAt = clock.now()
    scheduler.after(1_200, () => ranAt.push(clock.now() - startedAt))
    await clock.advance(5_000)
    expect(ranAt).toHaveLength(1)
    expect(ranAt[0]).toBeGreaterThanOrEqual(1_200)
    expect(ranAt[0]).toBeLessThanOrEqual(1_700)
  })

  it('runs as soon where the clock is set back meanwhile', async () => {
    const fake = createFakeClock()
    let setBackMs = 0
    scheduler = createScheduler({ clock: { ...fake, now: () => fake.now() - setBackMs }, logger, tickMs: 500 })
    scheduler.start()
    let runs = 0
    scheduler.after(1_000, () => runs++)
    setBackMs = 3_600_000
    scheduler.after(1_000, () => runs++)
    await fake.advance(2_000)
    expect(runs).toBe(2)
  })

  it('does not run what was canceled', async () => {
    const { clock, scheduler } = start()
    let runs = 0
    const cancel = scheduler.after(1_000, () => runs++)
    cancel()
    cancel()
    await clock.advance(5_000)
    expect(runs).toBe(0)
  })

  it('runs what another timer adds, and goes on after one that fails', async () => {
    const { clock, scheduler } = start()
    const ran: string[] = []
    scheduler.after(500, () => {
      throw new Error('boom')
    })
    scheduler.after(500, () => {
      ran.push('first')
      scheduler.after(500, () => ran.push('second'))
    })
    await clock.advance(2_000)
    expect(ran).toEqual(['first', 'second'])
    expect(logLines.join()).toContain('boom')
  })

  it('sleeps no more once it is stopped', async () => {
    const { clock, scheduler } = start()
    await clock.advance(500)
    scheduler.stop()
    await clock.advance(500)
    expect(clock.sleepers()).toBe(0)
  })
})
