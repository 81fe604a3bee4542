import { describe, expect, it } from 'vitest'
import type { StoredEvent } from '../../../src/events/generation-event.ts'
import { createLogTail } from '../../../src/events/log-tail.ts'
import { makeStoredEvent } from '../../support/bus-events.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { readerOf } from '../../support/redis-buses.ts'

function openTail() {
  const log: StoredEvent[] = []
  const told: number[] = []
  const asked: (readonly number[])[] = []
  const clock = createFakeClock()
  const reader = readerOf(log)
  const after: typeof reader.after = (position, holes, limit) => {
    asked.push(holes)
    return reader.after(position, holes, limit)
  }
  const tail = createLogTail({ log: { ...reader, after }, clock, deliver: ({ position }) => void told.push(position) })
  const write = (...positions: number[]) => void log.push(...positions.map((position) => makeStoredEvent({ position })))
  return { tail, told, asked, clock, write }
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

describe('the tail of the log', () => {
  it('begins a little before the end, and tells of nothing twice', async () => {
    const { tail, told, write } = openTail()
    write(...upTo(1_000))
    await tail.look()
    expect(told).toEqual(upTo(1_000).slice(-200))
    write(1_001, 1_002)
    await tail.look()
    await tail.look()
    expect(told).toEqual(upTo(1_002).slice(-202))
  })

  it('begins in an empty log', async () => {
    const { tail, told, write } = openTail()
    await tail.look()
    write(1, 2)
    await tail.look()
    expect(told).toEqual([1, 2])
  })

  it('goes on where one look brings more than it reads at once', async () => {
    const { tail, told, write } = openTail()
    await tail.look()
    write(...upTo(1_234))
    await tail.look()
    expect(told).toEqual(upTo(1_234))
  })

  it('tells of an earlier position that is committed later', async () => {
    const { tail, told, write } = openTail()
    write(1)
    await tail.look()
    write(5)
    await tail.look()
    write(3)
    await tail.look()
    write(2, 6)
    await tail.look()
    expect(told).toEqual([1, 5, 3, 2, 6])
  })

  it('stops to look for what a rollback has left open', async () => {
    const { tail, told, asked, clock, write } = openTail()
    write(1)
    await tail.look()
    write(3)
    await tail.look()
    await tail.look()
    await clock.advance(12_000)
    await tail.look()
    expect(asked).toEqual([[], [2], []])
    expect(told).toEqual([1, 3])
  })

  it('looks for no more than a bounded number, however far a position jumps', async () => {
    const { tail, asked, write } = openTail()
    write(1)
    await tail.look()
    write(1_000_000)
    await tail.look()
    write(1_000_600)
    await tail.look()
    await tail.look()
    expect(asked.map(({ length }) => length)).toEqual([0, 500, 500])
  })

  it('begins anew after a rest', async () => {
    const { tail, told, write } = openTail()
    write(1)
    await tail.look()
    write(...upTo(600).slice(1))
    tail.rest()
    await tail.look()
    expect(told).toEqual([1, ...upTo(600).slice(-200)])
  })
})
