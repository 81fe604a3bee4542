import type { Call } from '../call.ts'
import { createLargeBodies } from '../large-bodies.ts'
import type { TransportLimits } from '../limits.ts'

/** Waits until the call may hold a whole picture, which it then does until its answer is written or nobody waits for it. */
export type TakeTurn = (call: Pick<Call, 'viewer' | 'signal'>) => Promise<void>

/** As many pictures are in memory on their way out as large bodies on their way in. UNAVAILABLE where too many wait. */
export function createPictureTurns(
  limits: Pick<TransportLimits, 'largeBodies' | 'largeBodiesPerAccount' | 'largeBodiesWaiting'>,
): TakeTurn {
  const pictures = createLargeBodies({
    atOnce: limits.largeBodies,
    perAccount: limits.largeBodiesPerAccount,
    waiting: limits.largeBodiesWaiting,
  })
  return async ({ viewer, signal }) => {
    const picture = pictures.open()
    signal.addEventListener('abort', picture.leave, { once: true })
    if (signal.aborted) picture.leave()
    else await picture.enter(viewer.accountId)
  }
}
