import { EventEmitter } from 'node:events'
import { expect, it, vi } from 'vitest'
import { createInterruptions } from '../../../src/cli/interruptions.ts'
import { createFakeClock } from '../../support/fake-clock.ts'

function listen() {
  const source = new EventEmitter()
  const clock = createFakeClock()
  const exit = vi.fn()
  const onFirst = vi.fn()
  const stop = createInterruptions({ source, clock, exit }).listen(['SIGINT'], onFirst)
  return { source, clock, exit, onFirst, stop }
}

it('takes a signal that npm hands on a moment later for the same key press', async () => {
  const { source, clock, exit, onFirst } = listen()
  source.emit('SIGINT')
  await clock.advance(399)
  source.emit('SIGINT')
  expect(onFirst).toHaveBeenCalledTimes(1)
  expect(exit).not.toHaveBeenCalled()
})

it('ends the process at the second key press', async () => {
  const { source, clock, exit, onFirst } = listen()
  source.emit('SIGINT')
  await clock.advance(400)
  source.emit('SIGINT')
  expect(onFirst).toHaveBeenCalledTimes(1)
  expect(exit).toHaveBeenCalledTimes(1)
})

it('leaves no listener behind', () => {
  const { source, stop } = listen()
  stop()
  expect(source.listenerCount('SIGINT')).toBe(0)
})
