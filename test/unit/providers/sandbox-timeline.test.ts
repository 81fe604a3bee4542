import { describe, expect, it } from 'vitest'
import { planTimeline } from '../../../src/providers/sandbox/timeline.ts'

describe('the timeline of a sandbox job', () => {
  it('spreads images, previews and steps over the time, each preview before its image', () => {
    const told = planTimeline({ steps: 4, count: 2, previews: 1 }).map((moment) =>
      moment.kind === 'progress' ? `${moment.at} step ${moment.step}` : `${moment.at} ${moment.kind} ${moment.index}`,
    )
    expect(told).toEqual([
      '0.25 preview 0',
      '0.25 step 1',
      '0.5 image 0',
      '0.5 step 2',
      '0.75 preview 1',
      '0.75 step 3',
      '1 image 1',
      '1 step 4',
    ])
  })

  it('ends with the last image and the last step, whatever the numbers', () => {
    for (const [steps, count, previews] of [
      [1, 1, 0],
      [100, 10, 8],
      [7, 3, 2],
    ] as const) {
      const moments = planTimeline({ steps, count, previews })
      expect(moments).toHaveLength(steps + count * (previews + 1))
      expect(moments.filter((moment) => moment.at === 1).map((moment) => moment.kind)).toEqual(['image', 'progress'])
    }
  })
})
