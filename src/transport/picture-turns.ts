import { RequestError } from '../errors.ts'
import type { Call } from './call.ts'
import { createLargeBodies } from './large-bodies.ts'
import type { TransportLimits } from './limits.ts'

/**
 * Waits until the call may hold pictures whole. It does so until it calls what it gets, or until its answer is out or
 * nobody waits for it any more. UNAVAILABLE where too many wait already, and where the caller goes meanwhile.
 */
export type TakeTurn = (call: Pick<Call, 'viewer' | 'signal'>) => Promise<() => void>

/** As many answers with pictures in them are in memory on their way out as large bodies on their way in. */
export function createPictureTurns(
  limits: Pick<TransportLimits, 'largeBodies' | 'largeBodiesPerAccount' | 'largeBodiesWaiting'>,
): TakeTurn {
  const turns = createLargeBodies({
    atOnce: limits.largeBodies,
    perAccount: limits.largeBodiesPerAccount,
    waiting: limits.largeBodiesWaiting,
  })
  return ({ viewer, signal }) => {
    const turn = turns.open()
    const { promise, resolve, reject } = Promise.withResolvers<() => void>()
    const leave = () => {
      signal.removeEventListener('abort', onGone)
      turn.leave()
    }
    const onGone = () => {
      leave()
      reject(new RequestError('UNAVAILABLE', 'The caller has gone.'))
    }
    signal.addEventListener('abort', onGone)
    if (signal.aborted) onGone()
    else turn.enter(viewer.accountId).then(() => resolve(leave), reject)
    return promise
  }
}
