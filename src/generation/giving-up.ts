import type { Clock } from '../clock.ts'
import { endAttempt } from '../store/attempt-store.ts'
import type { Trx } from '../store/database.ts'
import type { AttemptRow, GenerationRow } from '../store/tables.ts'
import type { AppendEvent } from './event-log.ts'
import type { Problem } from './generation-types.ts'
import { createProblem } from './problems.ts'
import { toJson } from './records.ts'
import type { Settlement } from './settlement.ts'

export type GivingUpDeps = { readonly settlement: Settlement; readonly clock: Clock }

/** Nobody works on the attempt any more. */
export function abandon(
  { clock }: Pick<GivingUpDeps, 'clock'>,
  trx: Trx,
  open: AttemptRow,
  problem: Problem | null,
): Promise<boolean> {
  return endAttempt(trx, open.id, { outcome: 'ABANDONED', problem: toJson(problem), finishedAt: clock.now() })
}

/** Ends a generation with what there is of it: nobody is asked any more. `open`: its attempt that has not ended. */
export async function giveUp(
  deps: GivingUpDeps,
  trx: Trx,
  append: AppendEvent,
  row: GenerationRow,
  open: AttemptRow | undefined,
  problem: Problem,
): Promise<void> {
  if (open !== undefined) await abandon(deps, trx, open, problem)
  const problems = row.imageCount > 0 ? missingImages(row, problem) : [problem]
  await deps.settlement.end(trx, append, row, { without: 'FAILED', problems, usage: null, reportedUsdMicros: null })
}

function missingImages(row: GenerationRow, cause: Problem): Problem[] {
  const missing = row.count - row.imageCount
  if (missing <= 0) return []
  return [createProblem({ ...cause, message: `${missing} of ${row.count} images are missing. ${cause.message}` })]
}
