/** Which of the many provisional pictures of an engine are shown, one after each step: as many as were asked for. */
export type PreviewPacing = {
  /** `progress` 0 to 1; null: not told. True counts as one that was shown. */
  isDue(progress: number | null): boolean
}

/** Spread evenly over the work: of three, one each after a quarter, a half and three quarters of it. */
export function createPreviewPacing(previews: number): PreviewPacing {
  let shown = 0
  return {
    isDue(progress) {
      if (shown >= previews) return false
      if (progress !== null && progress < (shown + 1) / (previews + 1)) return false
      shown += 1
      return true
    },
  }
}
