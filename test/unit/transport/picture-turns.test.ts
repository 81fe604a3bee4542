import { describe, expect, it } from 'vitest'
import { createPictureTurns } from '../../../src/transport/picture-turns.ts'
import { viewerOf } from '../../support/house.ts'

const LIMITS = { largeBodies: 2, largeBodiesPerAccount: 1, largeBodiesWaiting: 1 }

function call(accountId: string) {
  const gone = new AbortController()
  return { viewer: viewerOf(accountId), signal: gone.signal, go: () => gone.abort() }
}

describe('turns to hold pictures', () => {
  it('are given up by who has done with them, and by who goes', async () => {
    const take = createPictureTurns(LIMITS)
    const first = call('acc_1')
    const leave = await take(first)
    const second = call('acc_1')
    const waiting = take(second)
    leave()
    await waiting
    const third = take(call('acc_1'))
    second.go()
    expect(await third).toBeTypeOf('function')
  })

  it('are not waited for by who has gone', async () => {
    const take = createPictureTurns(LIMITS)
    await take(call('acc_1'))
    const waiter = call('acc_1')
    const waiting = take(waiter)
    waiter.go()
    await expect(waiting).rejects.toThrow('The caller has gone.')
    const late = call('acc_2')
    late.go()
    await expect(take(late)).rejects.toThrow('The caller has gone.')
    await take(call('acc_2'))
  })

  it('are refused where too many wait, of one account or of all', async () => {
    const take = createPictureTurns(LIMITS)
    await take(call('acc_1'))
    await take(call('acc_2'))
    const waiting = take(call('acc_3'))
    await expect(take(call('acc_1'))).rejects.toThrow('Too many pictures are being sent right now.')
    expect(await Promise.race([waiting, Promise.resolve('waits')])).toBe('waits')
  })
})
