import { describe, expect, it } from 'vitest'
import { createPreviewPacing } from '../../../../src/providers/wire/preview-pacing.ts'

describe('pacing of previews', () => {
  it('spreads as many as were asked for over the work', () => {
    const pacing = createPreviewPacing(3)
    const steps = Array.from({ length: 20 }, (_, step) => (step + 1) / 20)
    expect(steps.filter((progress) => pacing.isDue(progress))).toEqual([0.25, 0.5, 0.75])
  })

  it('shows what comes where no progress is told, and never more than was asked for', () => {
    const pacing = createPreviewPacing(2)
    expect([null, null, null, 0.9].map((progress) => pacing.isDue(progress))).toEqual([true, true, false, false])
  })

  it('shows none where none was asked for', () => {
    expect(createPreviewPacing(0).isDue(1)).toBe(false)
  })
})
