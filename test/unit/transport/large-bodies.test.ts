import { describe, expect, it } from 'vitest'
import { createLargeBodies } from '../../../src/transport/large-bodies.ts'

const LIMITS = { atOnce: 3, perAccount: 2, waiting: 2 }

describe('large bodies', () => {
  /** Enters, and tells whether it is in. */
  function visitor(bodies: ReturnType<typeof createLargeBodies>, accountId: string) {
    const body = bodies.open()
    const seen = { isIn: false, leave: body.leave, entered: Promise.resolve() }
    seen.entered = body.enter(accountId).then(() => {
      seen.isIn = true
    })
    return seen
  }
  const settled = () => new Promise<void>((resolve) => setImmediate(resolve))

  it('come in as long as there is room, and then one for each that leaves', async () => {
    const bodies = createLargeBodies(LIMITS)
    const inside = ['a', 'b', 'c'].map((account) => visitor(bodies, account))
    const next = visitor(bodies, 'd')
    await settled()
    expect(inside.map(({ isIn }) => isIn)).toEqual([true, true, true])
    expect(next.isIn).toBe(false)
    inside[1]?.leave()
    await next.entered
  })

  it('of one account leave room to the others', async () => {
    const bodies = createLargeBodies(LIMITS)
    const own = ['a', 'a', 'a'].map((account) => visitor(bodies, account))
    const other = visitor(bodies, 'b')
    await other.entered
    expect(own.map(({ isIn }) => isIn)).toEqual([true, true, false])
    own[0]?.leave()
    await own[2]?.entered
  })

  it('are refused where too many wait already', async () => {
    const bodies = createLargeBodies(LIMITS)
    const all = ['a', 'b', 'c', 'd', 'e'].map((account) => visitor(bodies, account))
    await expect(visitor(bodies, 'f').entered).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    all[4]?.leave()
    const later = visitor(bodies, 'f')
    for (const index of [0, 1]) all[index]?.leave()
    await later.entered
  })

  it('come in where there is room, however many of another account wait', async () => {
    const bodies = createLargeBodies({ atOnce: 2, perAccount: 1, waiting: 1 })
    const own = [visitor(bodies, 'a'), visitor(bodies, 'a')]
    await visitor(bodies, 'b').entered
    expect(own.map(({ isIn }) => isIn)).toEqual([true, false])
  })

  it('give back their place once, however often they leave, and when they gave up waiting', async () => {
    const bodies = createLargeBodies({ atOnce: 1, perAccount: 1, waiting: 5 })
    const first = visitor(bodies, 'a')
    const gone = visitor(bodies, 'b')
    const third = visitor(bodies, 'c')
    const fourth = visitor(bodies, 'd')
    gone.leave()
    gone.leave()
    first.leave()
    first.leave()
    await third.entered
    await settled()
    expect([gone.isIn, fourth.isIn]).toEqual([false, false])
    third.leave()
    await fourth.entered
  })

  it('that never asked leave without a trace', () => {
    createLargeBodies(LIMITS).open().leave()
  })
})
