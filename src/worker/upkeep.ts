import type { Clock } from '../clock.ts'
import type { Cancellation } from '../generation/cancellation.ts'
import type { Deletion, Doomed } from '../generation/deletion.ts'
import type { Retention } from '../generation/retention.ts'
import type { Logger } from '../logger.ts'
import type { Uploads } from '../references/uploads.ts'
import { deleteGenerationBlobs, type GenerationBlobs } from '../storage/generation-blobs.ts'
import type { LossWatch } from '../upkeep/loss-watch.ts'
import type { OrphanSweep } from '../upkeep/orphan-sweep.ts'
import { createLoop } from './loop.ts'

const DOOMED_AT_ONCE = 50
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

type LoopRun = (stopping: AbortSignal) => Promise<void>

export type Upkeep = {
  start(): void
  /** Bytes wait to be deleted. */
  sweep(): void
  stop(): Promise<void>
}

/** What has to happen although nobody asks: deadlines pass, what is old expires, deleted bytes go, old keys are forgotten, files and rows are compared. */
export function createUpkeep(deps: {
  cancellation: Cancellation
  deletion: Deletion
  retention: Pick<Retention, 'expire'>
  uploads: Pick<Uploads, 'expire'>
  blobs: GenerationBlobs
  /** One for each place that bytes lie in. */
  orphans: readonly OrphanSweep[]
  losses: LossWatch
  clock: Clock
  logger: Logger
  /** The deadline of this generation has passed: whoever works on it may stop. */
  stopWork: (generationId: string) => void
}): Upkeep {
  const { cancellation, deletion, blobs, clock, logger } = deps
  const every = (everyMs: number, what: string, run: LoopRun, firstAfterMs = 0) =>
    createLoop({ clock, everyMs, firstAfterMs, run, onError: (error) => logger.error({ err: error }, what) })

  const deadlines = every(250, 'Deadlines could not be looked at', failOverdue)
  const expiring = every(MINUTE_MS, 'Old generations remain', expire)
  const sweeping = every(MINUTE_MS, 'Deleted bytes remain', sweepBytes)
  const forgetting = every(HOUR_MS, 'Old idempotency keys remain', () => deletion.forgetOldKeys())
  // Every file and row is looked at: not in a server that lives for one command only.
  const comparing = every(6 * HOUR_MS, 'Files and rows could not be compared', compareBytes, 15 * MINUTE_MS)
  const loops = [deadlines, expiring, sweeping, forgetting, comparing]

  return {
    start() {
      for (const loop of loops) loop.start()
    },
    sweep: () => sweeping.nudge(),
    async stop() {
      await Promise.all(loops.map((loop) => loop.stop()))
    },
  }

  async function failOverdue(): Promise<void> {
    const { expired, failures } = await cancellation.expireOverdue()
    for (const id of expired) deps.stopWork(id)
    if (failures.length > 0) throw new AggregateError(failures)
  }

  async function compareBytes(stopping: AbortSignal): Promise<void> {
    for (const orphans of deps.orphans) await orphans.sweep(stopping)
    await deps.losses.look(stopping)
  }

  /** A turn does a bounded piece of work and asks for the next: whoever stops the loop waits for one piece. */
  async function expire(): Promise<void> {
    const { deleted, isDone } = await deps.retention.expire()
    if (!isDone) expiring.nudge()
    if (deleted === 0) return
    logger.info({ generations: deleted }, 'Old generations were deleted')
    sweeping.nudge()
  }

  async function sweepBytes(): Promise<void> {
    await deps.uploads.expire()
    const doomed = await deletion.listDoomed(DOOMED_AT_ONCE)
    const failures: unknown[] = []
    for (const each of doomed) await deleteBytes(each).catch((error: unknown) => failures.push(error))
    if (failures.length > 0) throw new AggregateError(failures)
    if (doomed.length === DOOMED_AT_ONCE) sweeping.nudge()
  }

  async function deleteBytes(doomed: Doomed): Promise<void> {
    await deleteGenerationBlobs(blobs, doomed.prefix)
    await deletion.forgetDoomed(doomed)
  }
}
