import { describe, expect, inject, it, vi } from 'vitest'
import type { EventBus } from '../../src/events/event-bus.ts'
import type { BusEvent } from '../../src/events/generation-event.ts'
import { createMemoryEventBus } from '../../src/events/memory-event-bus.ts'
import { makeStoredEvent as event } from '../support/bus-events.ts'
import { joinRedis, openRedisPlace } from '../support/redis-buses.ts'
import { REDIS_URL } from '../support/services.ts'

type BusUnderTest = { readonly bus: EventBus; readonly logged: () => number }

function createOnMemory(): BusUnderTest {
  const error = vi.fn()
  return { bus: createMemoryEventBus({ logger: { error } }), logged: () => error.mock.calls.length }
}

async function createOnRedis(): Promise<BusUnderTest> {
  const { bus, logger } = await joinRedis(openRedisPlace(REDIS_URL))
  return { bus, logged: () => logger.lines.filter(({ level }) => level === 'error').length }
}

const implementations = [
  { name: 'memory', obstacle: null, create: createOnMemory },
  { name: 'Redis', obstacle: inject('obstacles').redis, create: createOnRedis },
]

describe.each(implementations)('event bus: $name', ({ obstacle, create }) => {
  it.skipIf(obstacle)(
    'tells the watchers of the generation and of its account, in the order of publishing',
    async () => {
      const { bus } = await create()
      const ofGeneration: BusEvent[] = []
      const ofAccount: BusEvent[] = []
      bus.subscribe({ generationId: 'gen_1' }, (received) => ofGeneration.push(received))
      bus.subscribe({ accountId: 'acc_1', endUser: null }, (received) => ofAccount.push(received))
      const [first, other, second] = [event(), event({ generationId: 'gen_2' }), event({ sequence: 2 })]
      for (const published of [first, other, second]) bus.publish(published)
      expect(ofGeneration).toEqual([first, second])
      expect(ofAccount).toEqual([first, other, second])
    },
  )

  it.skipIf(obstacle)('keeps accounts apart, and end users within one', async () => {
    const { bus } = await create()
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

  it.skipIf(obstacle)('reaches nobody who has left, also when leaving happens during a publish', async () => {
    const { bus } = await create()
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

  it.skipIf(obstacle)('ends each subscription of one listener by itself', async () => {
    const { bus } = await create()
    const listener = vi.fn()
    const leave = bus.subscribe({ generationId: 'gen_1' }, listener)
    bus.subscribe({ generationId: 'gen_1' }, listener)
    leave()
    leave()
    bus.publish(event())
    expect(listener).toHaveBeenCalledTimes(1)
  })

  it.skipIf(obstacle)('hears again after the last watcher of a topic left and another came', async () => {
    const { bus } = await create()
    const listener = vi.fn()
    const leave = bus.subscribe({ generationId: 'gen_1' }, listener)
    leave()
    bus.subscribe({ generationId: 'gen_1' }, listener)
    leave()
    bus.publish(event())
    expect(listener).toHaveBeenCalledTimes(1)
  })

  it.skipIf(obstacle)('survives a listener that throws, logs it, and tells the others', async () => {
    const { bus, logged } = await create()
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
