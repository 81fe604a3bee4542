import { describe, expect, it, vi } from 'vitest'
import type { EventBus } from '../../src/events/event-bus.ts'
import type { BusEvent, StoredEvent } from '../../src/events/generation-event.ts'
import { createMemoryEventBus } from '../../src/events/memory-event-bus.ts'

type BusUnderTest = { readonly bus: EventBus; readonly logged: () => number }

const implementations: readonly (readonly [name: string, create: () => BusUnderTest])[] = [
  [
    'memory',
    () => {
      const error = vi.fn()
      return { bus: createMemoryEventBus({ logger: { error } }), logged: () => error.mock.calls.length }
    },
  ],
]

function event(details: Partial<StoredEvent> = {}): StoredEvent {
  return {
    generationId: 'gen_1',
    accountId: 'acc_1',
    endUser: null,
    position: 1,
    sequence: 1,
    kind: 'QUEUED',
    status: 'QUEUED',
    previousStatus: null,
    imageId: null,
    message: null,
    problem: null,
    at: 0,
    ...details,
  }
}

describe.each(implementations)('event bus: %s', (_, create) => {
  it('tells the watchers of the generation and of its account, in the order of publishing', () => {
    const { bus } = create()
    const ofGeneration: BusEvent[] = []
    const ofAccount: BusEvent[] = []
    bus.subscribe({ generationId: 'gen_1' }, (received) => ofGeneration.push(received))
    bus.subscribe({ accountId: 'acc_1', endUser: null }, (received) => ofAccount.push(received))
    const [first, other, second] = [event(), event({ generationId: 'gen_2' }), event({ sequence: 2 })]
    for (const published of [first, other, second]) bus.publish(published)
    expect(ofGeneration).toEqual([first, second])
    expect(ofAccount).toEqual([first, other, second])
  })

  it('keeps accounts apart, and end users within one', () => {
    const { bus } = create()
    const received: string[] = []
    const listen = (accountId: string, endUser: string | null) =>
      bus.subscribe({ accountId, endUser }, () => received.push(`${accountId}/${endUser}`))
    listen('acc_1', null)
    listen('acc_1', 'ann')
    listen('acc_1', 'ann b')
    listen('acc_1', '')
    listen('acc_2', 'ann')
    bus.publish(event({ endUser: 'ann' }))
    expect(received).toEqual(['acc_1/null', 'acc_1/ann'])
    received.length = 0
    bus.publish(event({ endUser: '' }))
    expect(received).toEqual(['acc_1/null', 'acc_1/'])
    received.length = 0
    bus.publish(event())
    expect(received).toEqual(['acc_1/null'])
  })

  it('reaches nobody who has left, also when leaving happens during a publish', () => {
    const { bus } = create()
    const received: string[] = []
    const leaveFirst = bus.subscribe({ generationId: 'gen_1' }, () => {
      received.push('first')
      leaveFirst()
      leaveSecond()
    })
    const leaveSecond = bus.subscribe({ generationId: 'gen_1' }, () => received.push('second'))
    bus.publish(event())
    bus.publish(event())
    leaveFirst()
    expect(received).toEqual(['first'])
  })

  it('ends each subscription of one listener by itself', () => {
    const { bus } = create()
    const listener = vi.fn()
    const leave = bus.subscribe({ generationId: 'gen_1' }, listener)
    bus.subscribe({ generationId: 'gen_1' }, listener)
    leave()
    leave()
    bus.publish(event())
    expect(listener).toHaveBeenCalledTimes(1)
  })

  it('hears again after the last watcher of a topic left and another came', () => {
    const { bus } = create()
    const listener = vi.fn()
    const leave = bus.subscribe({ generationId: 'gen_1' }, listener)
    leave()
    bus.subscribe({ generationId: 'gen_1' }, listener)
    leave()
    bus.publish(event())
    expect(listener).toHaveBeenCalledTimes(1)
  })

  it('survives a listener that throws, logs it, and tells the others', () => {
    const { bus, logged } = create()
    const listener = vi.fn()
    bus.subscribe({ generationId: 'gen_1' }, () => {
      throw new Error('broken listener')
    })
    bus.subscribe({ generationId: 'gen_1' }, listener)
    expect(() => bus.publish(event())).not.toThrow()
    expect(listener).toHaveBeenCalledTimes(1)
    expect(logged()).toBe(1)
  })
})
