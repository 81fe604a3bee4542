import type { Clock } from '../../clock.ts'
import type { Viewer } from '../../viewer.ts'

/**
 * SDKs send a call again by themselves when its answer was cut off, without an idempotency key. What such a repetition
 * asks for has been made or is being made: it is led to that, and not paid for again. Only answers that did not get out
 * are remembered, and only in this process.
 */
export type RepeatedCalls = {
  /** What the same call has begun and nobody was told of; null: nothing. Rather one that nobody waits for any more. */
  find(mark: string): BegunCall | null
  remember(mark: string, made: Promise<string>): BegunCall
}

/** In the hands of one call, which says at its end how it was: harmless when more is said. */
export type BegunCall = {
  /** Id of the generation. */
  readonly made: Promise<string>
  /** The answer is out. */
  told(): void
  /** It is not, and its caller has gone. */
  lost(): void
}

type Entry = { readonly mark: string; readonly made: Promise<string>; readonly at: number; isAwaited: boolean }

const REMEMBERED_MS = 15 * 60_000
const REMEMBERED = 10_000

export function createRepeatedCalls({ clock }: { readonly clock: Pick<Clock, 'now'> }): RepeatedCalls {
  const open = new Set<Entry>()

  function forgetOld(): void {
    for (const entry of open) {
      if (open.size <= REMEMBERED && entry.at > clock.now() - REMEMBERED_MS) return
      open.delete(entry)
    }
  }

  function hand(entry: Entry): BegunCall {
    entry.isAwaited = true
    return {
      made: entry.made,
      told: () => void open.delete(entry),
      lost: () => {
        entry.isAwaited = false
      },
    }
  }

  return {
    find(mark) {
      forgetOld()
      const same = [...open].filter((entry) => entry.mark === mark)
      // That the first caller has gone may not have come through yet.
      const entry = same.find(({ isAwaited }) => !isAwaited) ?? same[0]
      return entry === undefined ? null : hand(entry)
    },
    remember(mark, made) {
      const entry = { mark, made, at: clock.now(), isAwaited: true }
      open.add(entry)
      forgetOld()
      // What was refused has begun nothing.
      made.catch(() => open.delete(entry))
      return hand(entry)
    },
  }
}

/** The same for the same words of the same caller alone. */
export function markOf({ accountId, apiKeyId, tokenId }: Viewer, kind: string, digest: string): string {
  return [accountId, apiKeyId, tokenId, kind, digest].join(' ')
}
