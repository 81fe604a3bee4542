import { expect, it } from 'vitest'
import { createConnectionRegistry } from '../../../src/transport/connection-registry.ts'
import { createFakeClock } from '../../support/fake-clock.ts'

function start(count: number, obeys: boolean) {
  const clock = createFakeClock()
  const registry = createConnectionRegistry({ clock, random: () => 0.5 })
  const closedAt: number[] = []
  let terminated = 0
  const startedAt = clock.now()
  for (let n = 0; n < count; n++) {
    const remove = registry.add({
      close() {
        closedAt.push(clock.now() - startedAt)
        if (obeys) remove()
      },
      terminate() {
        terminated += 1
        remove()
      },
    })
  }
  return { clock, registry, closedAt, terminated: () => terminated }
}

it('closes in twenty batches spread over half of the time', async () => {
  const { clock, registry, closedAt } = start(1_000, true)
  const drained = registry.drain(10_000)
  await clock.advance(10_000)
  await drained
  const moments = new Map<number, number>()
  for (const at of closedAt) moments.set(at, (moments.get(at) ?? 0) + 1)
  expect(moments.size).toBe(20)
  expect(new Set(moments.values())).toEqual(new Set([50]))
  expect(Math.max(...closedAt)).toBeLessThanOrEqual(5_000)
  expect(registry.size()).toBe(0)
})

it('is done as soon as all are gone', async () => {
  const { registry } = start(1, true)
  await registry.drain(3_600_000)
})

it('cuts at the deadline what does not close', async () => {
  const { clock, registry, terminated } = start(5, false)
  const drained = registry.drain(10_000)
  await clock.advance(9_999)
  expect(terminated()).toBe(0)
  await clock.advance(1)
  await drained
  expect(terminated()).toBe(5)
})
