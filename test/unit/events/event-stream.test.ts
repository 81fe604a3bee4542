import { describe, expect, it, vi } from 'vitest'
import type { EventStream } from '../../../src/events/event-stream.ts'
import { createEventLog, passingEvent, previewEvent, settle } from './event-log.ts'

const END = { done: true, value: undefined }

async function takeSequence(stream: EventStream): Promise<number | string | undefined> {
  const { value } = await stream.next()
  return value && 'sequence' in value ? value.sequence : value?.kind
}

describe('event stream: live and log', () => {
  it('hears what is published before its first next', async () => {
    const log = createEventLog()
    const stream = log.open()
    const event = log.commit()
    log.publish(event)
    expect(await stream.next()).toEqual({ done: false, value: event })
    expect(log.reads).toHaveLength(0)
  })

  it('reads the log after its cursor and drops what the bus repeats', async () => {
    const log = createEventLog()
    const [, second, third] = [log.commit(), log.commit(), log.commit()]
    const stream = log.open({ after: 1 })
    const first = stream.next()
    await log.answerRead()
    log.publish(second)
    log.publish(third)
    expect((await first).value).toBe(second)
    expect((await stream.next()).value).toBe(third)
    void stream.next()
    await settle()
    expect(stream.delivered).toBe(3)
  })

  it('hands on the next sequence as it is published, without a read', async () => {
    const log = createEventLog()
    log.commit()
    const stream = log.open()
    const first = stream.next()
    await log.answerRead()
    await first
    const second = stream.next()
    const event = log.commit()
    log.publish(event)
    expect((await second).value).toBe(event)
    expect(log.reads).toHaveLength(0)
  })

  it('reads the log again when a publish shows a hole', async () => {
    const log = createEventLog()
    const stream = log.open()
    const pending = stream.next()
    await log.answerRead()
    log.commit()
    log.publish(log.commit())
    expect(log.reads).toHaveLength(1)
    await log.answerRead()
    expect(await pending).toMatchObject({ value: { sequence: 1 } })
    expect(await takeSequence(stream)).toBe(2)
  })

  it('does not ask again by itself when the log does not show what was announced', async () => {
    const log = createEventLog()
    const stream = log.open()
    void stream.next()
    await log.answerRead()
    log.publish({ ...log.commit(), sequence: 7 })
    log.stored.length = 0
    await log.answerRead()
    expect(log.reads).toHaveLength(0)
    await log.refresh()
    expect(log.reads).toHaveLength(1)
  })

  it('finds a lost publish at the next refresh', async () => {
    const log = createEventLog()
    const stream = log.open()
    const pending = stream.next()
    await log.answerRead()
    const event = log.commit()
    await log.refresh()
    await log.answerRead()
    expect((await pending).value).toBe(event)
  })

  it('ends after the terminal event and lets go of everything', async () => {
    const log = createEventLog()
    const onClosed = vi.fn()
    const stream = log.open({ onClosed })
    log.publish(log.commit({ kind: 'COMPLETED' }))
    log.publish(passingEvent({ sequence: 1 }))
    expect(await takeSequence(stream)).toBe(1)
    expect(await stream.next()).toEqual(END)
    expect([log.listeners.size, log.refreshables.size, onClosed.mock.calls.length]).toEqual([0, 0, 1])
  })

  it('ends at once when its cursor stands at the terminal event', async () => {
    const log = createEventLog()
    log.commit()
    log.commit({ kind: 'COMPLETED' })
    const stream = log.open({ after: 2 })
    const pending = stream.next()
    await log.answerRead()
    expect(await pending).toEqual(END)
    expect(log.listeners.size).toBe(0)
  })

  it('answers several pending nexts in order', async () => {
    const log = createEventLog()
    const stream = log.open()
    const pending = [stream.next(), stream.next(), stream.next()]
    log.commit()
    log.commit({ kind: 'COMPLETED' })
    await log.answerRead()
    const [first, second, third] = await Promise.all(pending)
    expect([first, second, third]).toMatchObject([{ value: { sequence: 1 } }, { value: { sequence: 2 } }, END])
  })
})

describe('event stream: an account feed', () => {
  it('keeps the order of positions when publishes overtake each other', async () => {
    const log = createEventLog()
    const stream = log.open({ gapless: false, orderOf: (event) => event.position, endsAfter: () => false })
    const seen = [stream.next(), stream.next()]
    await log.answerRead()
    const [early, late] = [log.commit(), log.commit()]
    log.publish(late)
    log.publish(early)
    await log.answerRead()
    expect((await Promise.all(seen)).map(({ value }) => value)).toEqual([early, late])
  })

  it('leaves out passing events, which have no position', async () => {
    const log = createEventLog()
    const stream = log.open({ gapless: false, orderOf: (event) => event.position, endsAfter: () => false })
    const pending = stream.next()
    await log.answerRead()
    log.publish(passingEvent({ sequence: 0 }))
    const event = log.commit()
    log.publish(event)
    await log.answerRead()
    expect((await pending).value).toBe(event)
  })
})

describe('event stream: passing events', () => {
  it('keeps only the latest progress and the latest preview of each index', async () => {
    const log = createEventLog()
    const stream = log.open({ after: 1 })
    log.publish(passingEvent({ progress: 0.1 }))
    log.publish(previewEvent(1, 0, 'a'))
    log.publish(previewEvent(1, 1, 'b'))
    log.publish(passingEvent({ progress: 0.9 }))
    log.publish(previewEvent(1, 0, 'c'))
    const values = [await stream.next(), await stream.next(), await stream.next()].map(({ value }) => value)
    expect(values).toMatchObject([{ progress: 0.9 }, { preview: { previewId: 'c' } }, { preview: { previewId: 'b' } }])
  })

  it('holds them back until the stored event before them is handed out', async () => {
    const log = createEventLog()
    const stream = log.open()
    const first = stream.next()
    await log.answerRead()
    log.commit()
    log.publish(passingEvent({ sequence: 1 }))
    expect(log.reads).toHaveLength(1)
    await log.answerRead()
    expect((await first).value).toMatchObject({ kind: 'IMAGE_READY', sequence: 1 })
    expect((await stream.next()).value).toMatchObject({ kind: 'PROGRESS', sequence: 1 })
  })

  it('drops one that a later stored event has outdated', async () => {
    const log = createEventLog()
    const stream = log.open({ after: 1 })
    log.commit()
    log.publish(passingEvent({ sequence: 1 }))
    log.publish(log.commit())
    log.publish(passingEvent({ sequence: 1 }))
    expect(await takeSequence(stream)).toBe(2)
    const pending = stream.next()
    log.publish(passingEvent({ sequence: 1 }))
    log.publish(passingEvent({ sequence: 2, progress: 0.7 }))
    expect((await pending).value).toMatchObject({ sequence: 2, progress: 0.7 })
  })

  it('bounds the previews that wait', async () => {
    const log = createEventLog()
    const stream = log.open({ after: 1 })
    for (let index = 0; index < 1_000; index++) log.publish(previewEvent(1, index, `p${index}`))
    const shown: string[] = []
    for (let count = 0; count < 17; count++) {
      const { value } = await stream.next()
      if (value?.kind === 'PREVIEW') shown.push(value.preview?.previewId ?? '')
    }
    expect(shown).toEqual(Array.from({ length: 17 }, (_, index) => `p${983 + index}`))
    void stream.next()
    expect(log.reads).toHaveLength(1)
  })
})

describe('event stream: a slow watcher', () => {
  it('drops a full buffer and reads the log instead, losing nothing', async () => {
    const log = createEventLog()
    const stream = log.open({ capacity: 4 })
    for (let count = 0; count < 10; count++) log.publish(log.commit())
    const seen: unknown[] = []
    for (let count = 0; count < 10; count++) {
      const pending = takeSequence(stream)
      while (log.reads.length > 0) await log.answerRead()
      seen.push(await pending)
    }
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  })

  it('ends a watcher that takes nothing while stored events wait, and says LAGGED', async () => {
    const log = createEventLog()
    const onLagged = vi.fn()
    const stream = log.open({ onLagged })
    log.publish(log.commit())
    await takeSequence(stream)
    log.publish(log.commit())
    await log.clock.advance(999)
    await log.refresh()
    expect(onLagged).not.toHaveBeenCalled()
    await log.clock.advance(1)
    await log.refresh()
    expect([onLagged.mock.calls.length, log.listeners.size, log.refreshables.size]).toEqual([1, 0, 0])
    expect(stream.delivered).toBe(1)
    expect((await stream.next()).value).toEqual({ kind: 'LAGGED', at: log.clock.now() })
    expect(await stream.next()).toEqual(END)
  })

  it('ends a watcher that was made and never asked', async () => {
    const log = createEventLog()
    log.open()
    await log.clock.advance(1_000)
    await log.refresh()
    expect(log.listeners.size).toBe(0)
  })

  it('leaves a watcher alone that has nothing to take', async () => {
    const log = createEventLog()
    const stream = log.open()
    const first = stream.next()
    log.publish(log.commit())
    await first
    await log.answerRead()
    await log.clock.advance(60_000)
    await log.refresh()
    const pending = stream.next()
    log.publish(log.commit())
    expect((await pending).value).toMatchObject({ sequence: 2 })
  })
})

describe('event stream: reads that fail', () => {
  it('tries again at the next refresh and goes on', async () => {
    const log = createEventLog()
    const stream = log.open()
    const pending = stream.next()
    const event = log.commit()
    await log.failRead(new Error('busy'))
    expect(log.reads).toHaveLength(0)
    await log.refresh()
    await log.answerRead()
    expect((await pending).value).toBe(event)
  })

  it('ends with the error of the third failure in a row', async () => {
    const log = createEventLog()
    const stream = log.open()
    const pending = stream.next()
    const outcome = expect(pending).rejects.toThrow('gone 3')
    for (const count of [1, 2, 3]) {
      await log.failRead(new Error(`gone ${count}`))
      await log.refresh()
    }
    await outcome
    expect(await stream.next()).toEqual(END)
    expect([log.listeners.size, log.refreshables.size]).toEqual([0, 0])
  })

  it('forgets failures after a read that succeeds', async () => {
    const log = createEventLog()
    const stream = log.open()
    const pending = stream.next()
    for (let round = 0; round < 3; round++) {
      await log.failRead(new Error('busy'))
      await log.refresh()
      await log.failRead(new Error('busy'))
      await log.refresh()
      await log.answerRead()
      await log.refresh()
    }
    const event = log.commit()
    await log.answerRead()
    expect((await pending).value).toBe(event)
  })
})

describe('event stream: being returned', () => {
  it('settles a pending next at once and leaves no listener', async () => {
    const log = createEventLog()
    const onClosed = vi.fn()
    const stream = log.open({ onClosed })
    const pending = stream.next()
    expect(log.reads).toHaveLength(1)
    expect(await stream.return()).toEqual(END)
    expect(await pending).toEqual(END)
    expect([log.listeners.size, log.refreshables.size]).toEqual([0, 0])
    log.commit()
    await log.answerRead()
    expect(await stream.next()).toEqual(END)
    await stream.return()
    expect(onClosed).toHaveBeenCalledTimes(1)
  })

  it('takes no notice of a read that fails afterwards', async () => {
    const log = createEventLog()
    const stream = log.open()
    void stream.next()
    await stream.return()
    await log.failRead(new Error('gone'))
    expect(await stream.next()).toEqual(END)
  })

  it('ends when a for await loop is left', async () => {
    const log = createEventLog()
    const stream = log.open()
    log.publish(log.commit())
    for await (const event of stream) {
      expect(event.kind).toBe('IMAGE_READY')
      break
    }
    expect(log.listeners.size).toBe(0)
  })
})
