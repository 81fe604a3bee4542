import type { Clock } from '../../clock.ts'
import type { ProviderCall } from '../provider.ts'
import { decodeBase64 } from '../wire/base64-image.ts'
import { createPreviewPacing } from '../wire/preview-pacing.ts'
import type { TaskProgress } from './automatic1111-wire.ts'

export type TaskWatch = {
  /** Resolves when nothing is asked any more. */
  end(): Promise<void>
  /** Was our own task seen to be interrupted? */
  isInterrupted(): boolean
}

const PAUSE_MS = 1_000
/** The pictures are still to be decoded when the last step is done. */
const ALL_STEPS = 0.99
const MAX_PREVIEW_BYTES = 4 * 1024 * 1024

/**
 * Asks for progress while the one long request is under way. The server tells of whatever runs, which may be a stranger's
 * picture: only what it says of our own task is heard. Servers that do not say whose it is show nothing.
 */
export function watchTask(given: {
  readonly clock: Clock
  readonly taskId: string
  readonly call: Pick<ProviderCall, 'onProgress' | 'onPreview'>
  readonly previews: number
  /** The last index that a preview may have. */
  readonly lastIndex: number
  /** `withPicture`: it costs the server time. Throws where there is no answer, which says nothing. */
  ask(withPicture: boolean, signal: AbortSignal): Promise<TaskProgress | undefined>
}): TaskWatch {
  const { clock, call } = given
  const stop = new AbortController()
  const pacing = createPreviewPacing(given.previews)
  let told = 0
  let isInterrupted = false

  function hear({ progress, round, picture, ...state }: TaskProgress): void {
    isInterrupted ||= state.isInterrupted
    told = Math.max(told, Math.min(ALL_STEPS, progress ?? 0))
    if (told > 0) call.onProgress({ progress: told })
    const bytes = decodeBase64(picture)
    if (bytes.length === 0 || bytes.length > MAX_PREVIEW_BYTES || !pacing.isDue(progress)) return
    call.onPreview({ index: Math.min(round, given.lastIndex), bytes })
  }

  async function watch(): Promise<void> {
    for (;;) {
      await clock.sleep(PAUSE_MS, stop.signal)
      if (stop.signal.aborted) return
      const seen = await given.ask(given.previews > 0, stop.signal).catch(() => undefined)
      if (seen?.task === given.taskId && !stop.signal.aborted) hear(seen)
    }
  }

  const watching = watch()
  return {
    isInterrupted: () => isInterrupted,
    end() {
      stop.abort()
      return watching
    },
  }
}
