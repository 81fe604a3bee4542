import { describe, expect, it } from 'vitest'
import { createPartsProgress } from '../../../../src/providers/wire/parts-progress.ts'
import { createCall } from '../../../contract/provider-contract.ts'

function start(parts: number, delivered: readonly number[] = []) {
  const told: { readonly progress: number | null; readonly message?: string }[] = []
  const call = {
    ...createCall({ delivered: new Set(delivered) }).call,
    onProgress: (update: (typeof told)[number]) => void told.push(update),
  }
  return { progress: createPartsProgress(call, parts), told }
}

describe('The progress of several jobs', () => {
  it('is the mean of them and never goes back', () => {
    const { progress, told } = start(2)
    progress.update(0, 0.5)
    progress.update(1, 1)
    progress.update(0, 0.1)
    progress.update(0, 7)
    expect(told.map((update) => update.progress)).toEqual([0.25, 0.75, 0.75, 1])
  })

  it('is none until one of them tells some', () => {
    const { progress, told } = start(2)
    progress.update(0, null, 'in the queue')
    progress.update(1, 0)
    progress.update(0, 0.5)
    expect(told).toEqual([{ progress: null, message: 'in the queue' }, { progress: null }, { progress: 0.25 }])
  })

  it('counts what was delivered before a crash', () => {
    const { progress, told } = start(2, [0])
    progress.update(1, 0.5)
    expect(told).toEqual([{ progress: 0.75 }])
  })
})
