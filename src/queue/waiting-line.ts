import type { Clock } from '../clock.ts'
import type { Db } from '../store/database.ts'
import { countJobsAhead, listWaitingTurns } from '../store/job-store.ts'
import type { JobRow } from '../store/tables.ts'

/** Up to here a place is counted exactly, at each question. */
const EXACT = 100
const FRESH_MS = 1_000

/**
 * How many jobs stand before one. Who waits asks again and again, and to count a line of ten thousand each time would cost
 * more than to admit the job: behind the first hundred the place is read off a copy of the line that is at most a
 * second old, so that it may lag behind by what was claimed or has come in that second.
 */
export type WaitingLine = { countAhead(db: Db, job: JobRow): Promise<number> }

export function createWaitingLine({ clock }: { clock: Clock }): WaitingLine {
  let copy: { readonly readAt: number; readonly turns: Promise<readonly number[]> } | undefined

  return {
    async countAhead(db, job) {
      const near = await countJobsAhead(db, job, EXACT)
      if (near < EXACT) return near
      const turns = await lineOf(db)
      return Math.max(near, countBelow(turns, job.turn))
    },
  }

  function lineOf(db: Db): Promise<readonly number[]> {
    const now = clock.now()
    if (copy !== undefined && now - copy.readAt < FRESH_MS) return copy.turns
    const turns = listWaitingTurns(db)
    copy = { readAt: now, turns }
    turns.catch(() => {
      copy = undefined
    })
    return turns
  }
}

/** Of a sorted list. */
function countBelow(turns: readonly number[], turn: number): number {
  let [low, high] = [0, turns.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((turns[middle] ?? turn) < turn) low = middle + 1
    else high = middle
  }
  return low
}
