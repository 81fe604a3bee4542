import { describe, expect, it } from 'vitest'
import { readLogProgress } from '../../../../src/providers/wire/log-progress.ts'

describe('The log of a running model', () => {
  it.each([
    ['', null, undefined],
    ['\n \n', null, undefined],
    ['Loading weights\nUsing seed: 7\n', null, 'Using seed: 7'],
    ['  0%|          | 0/4\r 25%|██▌       | 1/4\r 50%|█████     | 2/4', 0.5, '50%|█████     | 2/4'],
    ['100%|██████████| 4/4\nSaving', 1, 'Saving'],
    ['999%|', 1, '999%|'],
    ['at 50% of the price', null, 'at 50% of the price'],
  ])('tells how far it has come: %j', (log, progress, message) => {
    expect(readLogProgress(log)).toEqual({ progress, ...(message !== undefined && { message }) })
  })

  it('is not read further back than its end, and not shown whole', () => {
    const log = `50%|█████\n${'x'.repeat(10_000)}`
    expect(readLogProgress(log)).toEqual({ progress: null, message: 'x'.repeat(160) })
  })
})
