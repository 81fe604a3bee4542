import { describe, expect, it } from 'vitest'
import type { ProviderImage } from '../../../../src/providers/provider.ts'
import { ProviderError } from '../../../../src/providers/provider-error.ts'
import { handOverEach } from '../../../../src/providers/wire/handing-over.ts'
import { createCall, rejectionOf } from '../../../contract/provider-contract.ts'

const broken = new ProviderError({ kind: 'BAD_OUTPUT', delivery: 'ANSWERED', message: 'Broken.' })

function read(item: string, index: number): ProviderImage {
  if (item === 'broken') throw broken
  return { index, bytes: Buffer.from(item), seed: null, revisedPrompt: null }
}

describe('The images of one answer', () => {
  it('are handed over in their order, as many as were asked for', async () => {
    const { call, log } = createCall()
    expect(await handOverEach({ items: ['a', 'b', 'c'], count: 2, call, first: 4 }, read)).toEqual([])
    expect(log.images.map(({ index, bytes }) => [index, String(bytes)])).toEqual([
      [4, 'a'],
      [5, 'b'],
    ])
  })

  it('do not go down with one that cannot be read', async () => {
    const { call, log } = createCall()
    const failures = await handOverEach({ items: ['broken', 'b'], count: 2, call, first: 4 }, read)
    expect(failures).toEqual([{ imageIndex: 4, error: broken }])
    expect(log.images.map(({ index }) => index)).toEqual([5])
  })

  it('are a failure of the call where the only one cannot be read', async () => {
    expect(await rejectionOf(handOverEach({ items: ['broken'], count: 1, call: createCall().call }, read))).toBe(broken)
  })

  it('are handed over no further once nobody wants them', async () => {
    const ending = new AbortController()
    const { call, log } = createCall({ signal: ending.signal })
    const end = (item: string, index: number) => {
      if (index === 1) ending.abort()
      return read(item, index)
    }
    const ended = await rejectionOf(handOverEach({ items: ['a', 'b', 'c'], count: 3, call }, end))
    expect(ended).toMatchObject({ delivery: 'UNKNOWN' })
    expect(log.images.map(({ index }) => index)).toEqual([0])
  })
})
