import type { Clock } from '../clock.ts'
import type { Deletion } from './deletion.ts'
import type { Generation } from './generation-types.ts'

/**
 * How long generations are kept after their end. The setting of today holds for all of them, whenever they were made: it
 * is the one that a caller is told and the one that deletes.
 */
export type Retention = {
  /** When prompt and images will be deleted; null: kept, or not ended yet. */
  expiresAt(generation: Pick<Generation, 'finishedAt'>): number | null
  /** Deletes some of those whose time is over. `isDone`: there are no more. */
  expire(): Promise<{ readonly deleted: number; readonly isDone: boolean }>
}

const AT_ONCE = 50

export function createRetention(deps: {
  readonly deletion: Deletion
  /** null: all are kept. */
  readonly retentionMs: number | null
  readonly clock: Clock
}): Retention {
  const { deletion, retentionMs, clock } = deps
  return {
    expiresAt: ({ finishedAt }) => (finishedAt === null || retentionMs === null ? null : finishedAt + retentionMs),

    async expire() {
      if (retentionMs === null) return { deleted: 0, isDone: true }
      const { found, deleted } = await deletion.deleteEnded(clock.now() - retentionMs, AT_ONCE)
      return { deleted, isDone: found < AT_ONCE }
    },
  }
}
