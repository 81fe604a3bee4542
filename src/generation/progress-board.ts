import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.ts'
import type { EventBus } from '../events/event-bus.ts'
import type { PassingEvent, PreviewReference } from '../events/generation-event.ts'
import type { RunningAttempt } from './attempt-beginning.ts'

/** What passes by while an attempt runs. Never stored: after a crash nothing of it is missed. */
export type ProgressBoard = {
  progress(attempt: RunningAttempt, update: { progress: number | null; message: string | null }): void
  preview(attempt: RunningAttempt, preview: PreviewReference): void
  /** 0 to 1; null: nothing was told, or it does not run here. */
  progressOf(generationId: string): number | null
  forget(generationId: string): void
}

const MAX_GENERATIONS = 10_000

export function createProgressBoard({ bus, clock }: { bus: EventBus; clock: Clock }): ProgressBoard {
  const latest = new LRUCache<string, number>({ max: MAX_GENERATIONS })

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
      if (progress !== null) latest.set(attempt.job.generationId, progress)
      publish(attempt, { kind: 'PROGRESS', progress, message, preview: null })
    },
    preview(attempt, preview) {
      const progress = latest.get(attempt.job.generationId) ?? null
      publish(attempt, { kind: 'PREVIEW', progress, message: null, preview })
    },
    progressOf: (generationId) => latest.get(generationId) ?? null,
    forget: (generationId) => {
      latest.delete(generationId)
    },
  }
}
