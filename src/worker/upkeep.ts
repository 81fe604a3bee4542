import type { Clock } from '../clock.ts'
import type { Cancellation } from '../generation/cancellation.ts'
import type { Deletion, Doomed } from '../generation/deletion.ts'
import type { Retention } from '../generation/retention.ts'
import type { Logger } from '../logger.ts'
import type { Uploads } from '../references/uploads.ts'
import { deleteGenerationBlobs, type GenerationBlobs } from '../storage/generation-blobs.ts'
import { createLoop } from './loop.ts'

const DOOMED_AT_ONCE = 50

export type Upkeep = {
  start(): void
  /** Bytes wait to be deleted. */
  sweep(): void
  stop(): Promise<void>
}

/** What has to happen although nobody asks: deadlines pass, what is old expires, deleted bytes go, old keys are forgotten. */
export function createUpkeep(deps: {
  cancellation: Cancellation
  deletion: Deletion
  retention: Pick<Retention, 'expire'>
  uploads: Pick<Uploads, 'expire'>
  blobs: GenerationBlobs
  clock: Clock
  logger: Logger
  /** The deadline of this generation has passed: whoever works on it may stop. */
  stopWork: (generationId: string) => void
}): Upkeep {
  const { cancellation, deletion, blobs, clock, logger } = deps
  const fault = (what: string) => (error: unknown) => logger.error({ err: error }, what)

  const deadlines = createLoop({
    clock,
    everyMs: 250,
    run: async () => {
      const { expired, failures } = await cancellation.expireOverdue()
      for (const id of expired) deps.stopWork(id)
      if (failures.length > 0) throw new AggregateError(failures)
    },
    onError: fault('Deadlines could not be looked at'),
  })
  const sweeping = createLoop({ clock, everyMs: 60_000, run: sweepBytes, onError: fault('Deleted bytes remain') })
  const forgetting = createLoop({
    clock,
    everyMs: 3_600_000,
    run: () => deletion.forgetOldKeys(),
    onError: fault('Old idempotency keys remain'),
  })
  const expiring = createLoop({ clock, everyMs: 60_000, run: expire, onError: fault('Old generations remain') })
  const loops = [deadlines, expiring, sweeping, forgetting]

  return {
    start() {
      for (const loop of loops) loop.start()
    },
    sweep: () => sweeping.nudge(),
    async stop() {
      await Promise.all(loops.map((loop) => loop.stop()))
    },
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
