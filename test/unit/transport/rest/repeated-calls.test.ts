import { describe, expect, it } from 'vitest'
import { createRepeatedCalls, markOf } from '../../../../src/transport/rest/repeated-calls.ts'
import { createFakeClock } from '../../../support/fake-clock.ts'
import { viewerOf } from '../../../support/house.ts'

describe('a call that is repeated', () => {
  it('is led to what it began, until the answer is out', async () => {
    const repeated = createRepeatedCalls({ clock: createFakeClock() })
    const { told } = repeated.remember('a', Promise.resolve('gen_1'))
    expect(await repeated.find('a')?.made).toBe('gen_1')
    expect(repeated.find('b')).toBeNull()
    told()
    expect(repeated.find('a')).toBeNull()
  })

  it('begins anew where the first was refused', async () => {
    const repeated = createRepeatedCalls({ clock: createFakeClock() })
    const refused = Promise.reject(new Error('refused'))
    repeated.remember('a', refused)
    await refused.catch(() => undefined)
    expect(repeated.find('a')).toBeNull()
  })

  it('is led to that of several which nobody waits for any more, each to its own', async () => {
    const repeated = createRepeatedCalls({ clock: createFakeClock() })
    const first = repeated.remember('a', Promise.resolve('gen_1'))
    const second = repeated.remember('a', Promise.resolve('gen_2'))
    second.lost()
    expect(await repeated.find('a')?.made).toBe('gen_2')
    first.lost()
    const again = repeated.find('a')
    expect(await again?.made).toBe('gen_1')
    again?.told()
    expect(await repeated.find('a')?.made).toBe('gen_2')
  })

  it('is led to what it began although nobody has noticed yet that the first caller is gone', async () => {
    const repeated = createRepeatedCalls({ clock: createFakeClock() })
    repeated.remember('a', Promise.resolve('gen_1'))
    expect(await repeated.find('a')?.made).toBe('gen_1')
  })

  it('is remembered for a quarter of an hour, and of ten thousand at most', async () => {
    const clock = createFakeClock()
    const repeated = createRepeatedCalls({ clock })
    repeated.remember('old', Promise.resolve('gen_1'))
    await clock.advance(15 * 60_000)
    expect(repeated.find('old')).toBeNull()
    for (let index = 0; index < 10_001; index++) repeated.remember(`${index}`, Promise.resolve('gen'))
    expect(repeated.find('0')).toBeNull()
    expect(await repeated.find('1')?.made).toBe('gen')
  })

  it('is another one for another key, token, kind or body', () => {
    const viewer = viewerOf('acc_1', { apiKeyId: 'key_1' })
    const marks = [
      markOf(viewer, 'edits', 'd'),
      markOf(viewer, 'generations', 'd'),
      markOf(viewer, 'edits', 'e'),
      markOf({ ...viewer, apiKeyId: 'key_2' }, 'edits', 'd'),
      markOf({ ...viewer, tokenId: 'tok_1' }, 'edits', 'd'),
      markOf({ ...viewer, accountId: 'acc_2' }, 'edits', 'd'),
    ]
    expect(new Set(marks).size).toBe(marks.length)
  })
})
