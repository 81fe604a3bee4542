import { beforeEach, describe, expect, it } from 'vitest'
import type { PassingEvent } from '../../../src/events/generation-event.ts'
import { createMemoryEventBus } from '../../../src/events/memory-event-bus.ts'
import type { RunningAttempt } from '../../../src/generation/attempt-beginning.ts'
import { createProgressBoard, type ProgressBoard } from '../../../src/generation/progress-board.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { createRecordingLogger } from '../../support/recording-logger.ts'

const ATTEMPT = {
  job: { generationId: 'gen_1' },
  accountId: 'acc_1',
  endUser: null,
  at: { sequence: 2 },
} as RunningAttempt

describe('the progress board', () => {
  let told: [number | null, string | null][]
  let board: ProgressBoard

  beforeEach(() => {
    const bus = createMemoryEventBus({ logger: createRecordingLogger() })
    told = []
    bus.subscribe({ generationId: 'gen_1' }, (event) => {
      const { progress, message } = event as PassingEvent
      told.push([progress, message])
    })
    board = createProgressBoard({ bus, clock: createFakeClock() })
  })

  const update = (progress: number | null, message: string | null = null) =>
    board.progress(ATTEMPT, { progress, message })

  it('tells what has changed and nothing else', () => {
    for (const progress of [0.1, 0.1, 0.2, 0.2, 0.1]) update(progress)
    update(0.1, 'drawing')
    update(0.1, 'drawing')
    expect(told).toEqual([
      [0.1, null],
      [0.2, null],
      [0.1, null],
      [0.1, 'drawing'],
    ])
  })

  it('tells once that something runs of which nothing else is known', () => {
    update(null)
    update(null)
    expect(told).toEqual([[null, null]])
    expect(board.progressOf('gen_1')).toBeNull()
  })

  it('keeps the last progress where the next word has none', () => {
    update(0.4)
    update(null, 'still drawing')
    expect(told).toEqual([
      [0.4, null],
      [0.4, 'still drawing'],
    ])
    expect(board.progressOf('gen_1')).toBe(0.4)
  })

  it('begins anew with the next attempt', () => {
    update(0.4)
    board.forget('gen_1')
    expect(board.progressOf('gen_1')).toBeNull()
    update(0.4)
    expect(told).toHaveLength(2)
  })
})
