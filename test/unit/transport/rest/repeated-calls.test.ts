import { describe, expect, it } from 'vitest'
import { createRepeatedCalls, keyOfMark, keyPrefixOf, markOf } from '../../../../src/transport/rest/repeated-calls.ts'
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

  it('knows which answers got out, for a while', async () => {
    const clock = createFakeClock()
    const repeated = createRepeatedCalls({ clock })
    repeated.remember('a', Promise.resolve('gen_1')).told()
    await Promise.resolve()
    expect([repeated.wasTold('gen_1'), repeated.wasTold('gen_2')]).toEqual([true, false])
    await clock.advance(16 * 60_000)
    repeated.remember('b', Promise.resolve('gen_2')).told()
    await Promise.resolve()
    expect([repeated.wasTold('gen_1'), repeated.wasTold('gen_2')]).toEqual([false, true])
  })

  it('has a key of its own each time, by which its words are known', () => {
    const mark = markOf(viewerOf('acc_1'), 'generations', 'digest')
    const [one, other] = [keyOfMark(mark), keyOfMark(mark)]
    expect(one).not.toBe(other)
    for (const key of [one, other]) expect(key.startsWith(keyPrefixOf(mark))).toBe(true)
    expect(keyPrefixOf(`${mark}.`)).not.toBe(keyPrefixOf(mark))
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
