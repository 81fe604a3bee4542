/** `at` is a part of the whole delay, 0 to 1. */
export type Moment =
  | { readonly kind: 'progress'; readonly at: number; readonly step: number }
  | { readonly kind: 'preview'; readonly at: number; readonly index: number; readonly number: number }
  | { readonly kind: 'image'; readonly at: number; readonly index: number }

/**
 * What a job shows and when: images follow one another at even distances, the last one at the end; each is preceded by
 * its previews; steps are spread over the whole. At one moment the image comes before the step that counts it.
 */
export function planTimeline(job: {
  readonly steps: number
  readonly count: number
  readonly previews: number
}): readonly Moment[] {
  const { steps, count, previews } = job
  const moments: Moment[] = []
  for (let index = 0; index < count; index++) {
    for (let number = 1; number <= previews; number++) {
      moments.push({ kind: 'preview', at: (index + number / (previews + 1)) / count, index, number })
    }
    moments.push({ kind: 'image', at: (index + 1) / count, index })
  }
  for (let step = 1; step <= steps; step++) moments.push({ kind: 'progress', at: step / steps, step })
  return moments.sort((a, b) => a.at - b.at)
}
