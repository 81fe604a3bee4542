import type { Clock } from '../clock.ts'
import type { Cancellation } from '../generation/cancellation.ts'
import type { Deletion } from '../generation/deletion.ts'
import type { Logger } from '../logger.ts'
import { deleteGenerationBlobs, type GenerationBlobs } from '../storage/generation-blobs.ts'
import { createLoop } from './loop.ts'

const DOOMED_AT_ONCE = 50

export type Upkeep = {
  start(): void
  /** Bytes wait to be deleted. */
  sweep(): void
  stop(): Promise<void>
}

/** What has to happen although nobody asks: deadlines pass, deleted bytes go, old idempotency keys are forgotten. */
export function createUpkeep(deps: {
  cancellation: Cancellation
  deletion: Deletion
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
      for (const id of await cancellation.expireOverdue()) deps.stopWork(id)
    },
    onError: fault('Deadlines could not be looked at'),
  })
  const sweeping = createLoop({ clock, everyMs: 60_000, run: deleteDoomed, onError: fault('Deleted bytes remain') })
  const forgetting = createLoop({
    clock,
    everyMs: 3_600_000,
    run: () => deletion.forgetOldKeys(),
    onError: fault('Old idempotency keys remain'),
  })
  const loops = [deadlines, sweeping, forgetting]

  return {
    start() {
      for (const loop of loops) loop.start()
    },
    sweep: () => sweeping.nudge(),
    async stop() {
      await Promise.all(loops.map((loop) => loop.stop()))
    },
  }

  async function deleteDoomed(): Promise<void> {
    for (;;) {
      const doomed = await deletion.listDoomed(DOOMED_AT_ONCE)
      for (const generationId of doomed) {
        await deleteGenerationBlobs(blobs, generationId)
        await deletion.forgetDoomed(generationId)
      }
      if (doomed.length < DOOMED_AT_ONCE) return
    }
  }
}
