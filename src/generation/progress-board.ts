import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.ts'
import type { EventBus } from '../events/event-bus.ts'
import type { PassingEvent, PreviewReference } from '../events/generation-event.ts'
import type { RunningAttempt } from './attempt-beginning.ts'

/** What passes by while an attempt runs. Never stored: after a crash nothing of it is missed. */
export type ProgressBoard = {
  /** A vendor that is polled says the same many times over: what is as it was is not told again. */
  progress(attempt: RunningAttempt, update: Update): void
  preview(attempt: RunningAttempt, preview: PreviewReference): void
  /** 0 to 1; null: nothing was told, or it does not run here. */
  progressOf(generationId: string): number | null
  forget(generationId: string): void
}

type Update = { readonly progress: number | null; readonly message: string | null }

const MAX_GENERATIONS = 10_000

export function createProgressBoard({ bus, clock }: { bus: EventBus; clock: Clock }): ProgressBoard {
  const latest = new LRUCache<string, Update>({ max: MAX_GENERATIONS })

  const publish = (
    attempt: RunningAttempt,
    passing: Pick<PassingEvent, 'kind' | 'progress' | 'message' | 'preview'>,
  ) => {
    const { job, accountId, endUser, at } = attempt
    bus.publish({
      ...passing,
      generationId: job.generationId,
      accountId,
      endUser,
      sequence: at.sequence,
      at: clock.now(),
    })
  }

  return {
    progress(attempt, { progress, message }) {
      const { generationId } = attempt.job
      const told = latest.get(generationId)
      const now = { progress: progress ?? told?.progress ?? null, message }
      if (told?.progress === now.progress && told.message === message) return
      latest.set(generationId, now)
      publish(attempt, { kind: 'PROGRESS', ...now, preview: null })
    },
    preview(attempt, preview) {
      const progress = latest.get(attempt.job.generationId)?.progress ?? null
      publish(attempt, { kind: 'PREVIEW', progress, message: null, preview })
    },
    progressOf: (generationId) => latest.get(generationId)?.progress ?? null,
    forget: (generationId) => {
      latest.delete(generationId)
    },
  }
}
