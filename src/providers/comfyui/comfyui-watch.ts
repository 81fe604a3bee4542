import type { Clock } from '../../clock.ts'
import { createPreviewPacing } from '../wire/preview-pacing.ts'
import type { RunListener } from './comfyui-messages.ts'
import type { RunFailure } from './comfyui-wire.ts'

/** What is heard of one run while it is waited for. */
export type RunWatch = {
  readonly listener: RunListener
  /** Its pauses end as soon as the engine tells that the run is over. */
  readonly clock: Clock
  /** What the engine has told of the run's failure; null: nothing. */
  failure(): RunFailure | null
}

export function createRunWatch(given: {
  readonly clock: Clock
  /** Nodes whose steps make up the progress; null: whichever tells of steps. */
  readonly progressNodes: readonly string[] | null
  readonly previews: number
  onProgress(progress: number): void
  onPreview(bytes: Uint8Array): void
}): RunWatch {
  const { clock, wake } = createWakeableClock(given.clock)
  const pacing = createPreviewPacing(given.previews)
  const shareOf = createStepProgress(given.progressNodes)
  let progress: number | null = null
  let failure: RunFailure | null = null
  return {
    clock,
    failure: () => failure,
    listener: {
      onSteps(node, value, max) {
        const share = shareOf(node, value, max)
        if (share === null) return
        progress = share
        given.onProgress(share)
      },
      onPreview(bytes) {
        if (pacing.isDue(progress)) given.onPreview(bytes)
      },
      onEnding(told) {
        failure ??= told
        wake()
      },
    },
  }
}

/** The pictures are still to be decoded and saved when the last step is done. */
const ALL_STEPS = 0.99

/** null: it says nothing of the whole. */
export function createStepProgress(nodes: readonly string[] | null) {
  const shares = new Map<string, number>()
  return (node: string, value: number, max: number): number | null => {
    // Nodes without steps count to one.
    if (nodes ? !nodes.includes(node) : max <= 1) return null
    const share = Math.min(1, Math.max(0, value / max))
    if (!nodes) return Math.min(ALL_STEPS, share)
    shares.set(node, share)
    return Math.min(ALL_STEPS, [...shares.values()].reduce((sum, each) => sum + each, 0) / nodes.length)
  }
}

/** A wake while nobody sleeps ends the next sleep at once: none is lost between two looks. */
function createWakeableClock(clock: Clock): { readonly clock: Clock; wake(): void } {
  let waking = new AbortController()
  return {
    clock: {
      now: clock.now,
      async sleep(ms, signal) {
        await clock.sleep(ms, signal ? AbortSignal.any([signal, waking.signal]) : waking.signal)
        if (waking.signal.aborted) waking = new AbortController()
      },
    },
    wake: () => waking.abort(),
  }
}
