import type { Clock } from '../../clock.ts'
import type { Viewer } from '../../viewer.ts'

/**
 * SDKs send a call again by themselves when its answer was cut off, without an idempotency key. What such a repetition
 * asks for has been made or is being made: it is led to that, and not paid for again. Only answers that did not get out
 * are remembered, and only in this process.
 */
export type RepeatedCalls = {
  /** The id of the generation that the same call has begun and nobody was told of; null: there is none. */
  find(mark: string): Promise<string> | null
  /** Call `told` once the answer is out. */
  remember(mark: string, made: Promise<string>): { told(): void }
}

/** The generation's id. */
type Open = { readonly made: Promise<string>; readonly at: number }

const REMEMBERED_MS = 15 * 60_000
const REMEMBERED = 10_000

export function createRepeatedCalls({ clock }: { readonly clock: Pick<Clock, 'now'> }): RepeatedCalls {
  const open = new Map<string, Open>()

  function forgetOld(): void {
    for (const [mark, { at }] of open) {
      if (open.size <= REMEMBERED && at > clock.now() - REMEMBERED_MS) return
      open.delete(mark)
    }
  }

  return {
    find(mark) {
      forgetOld()
      return open.get(mark)?.made ?? null
    },
    remember(mark, made) {
      const entry = { made, at: clock.now() }
      const forget = () => {
        if (open.get(mark) === entry) open.delete(mark)
      }
      open.delete(mark)
      open.set(mark, entry)
      forgetOld()
      // What was refused has begun nothing.
      made.catch(forget)
      return { told: forget }
    },
  }
}

/** The same for the same words of the same caller alone. */
export function markOf({ accountId, apiKeyId, tokenId }: Viewer, kind: string, digest: string): string {
  return [accountId, apiKeyId, tokenId, kind, digest].join(' ')
}
